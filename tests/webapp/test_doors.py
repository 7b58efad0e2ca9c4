"""Every door in every role, against the table that is made from the code; and that there is one way in."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.http import parse_cookie
from django.test import Client, RequestFactory
from django.urls import path as route
from django.utils import timezone

import webapp
from search_engine.catalogue import registry
from tests.patience import PATIENCE
from webapp import doors
from webapp.accounts.doors import open_to_anybody
from webapp.accounts.guesses import BY_ADDRESS, BY_NAME, address, wait_of
from webapp.accounts.sessions import SessionStore
from webapp.asgi import application
from webapp.core.models import ApiToken, Estimate, Genome, ModelArtefact, WsTicket
from webapp.doors import ROLES, Door
from webapp.jobs import looks
from webapp.live import consumer, watch

from .api_world import PASSWORD, browser, fill, make_experiment, make_user, send
from .asked_world import asked
from .following import close_connections
from .own_world import brought, made

PAGE = Path(__file__).resolve().parents[2] / "docs" / "doors.md"
DOORS = doors.doors()
HTTP = [door for door in DOORS if door.method != "socket"]
NOTHING_THERE = {"/admin/(?P<url>.*)", "/admin/r/<path:content_type_id>/<path:object_id>/"}
"""Of the administration, what answers staff with 404: no page has this address, and users have no page of their own."""


@pytest.fixture(autouse=True)
def _no_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()


@dataclass
class World:
    """The owner's objects, and a client for every role."""

    owner: Any
    ids: dict[str, Any]
    clients: dict[str, Client]
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    def address(self, door: Door) -> str:
        """The door's path with the ids of what is there."""
        text = door.path
        kind = text.split("/")[3] if text.startswith("/api/v1/") else ""
        text = text.replace("<uuid:pk>", str(self.ids.get(kind, "")))
        text = text.replace("<path:content_type_id>", str(self.ids["type"])).replace("<str:token>", "invented")
        text = text.replace("<slug:dataset>", "digits").replace("<slug:pk>", "nikulenkov-2022-table-1")
        text = text.replace("<path:object_id>", str(self.ids["group" if "group" in text else "somebody"]))
        text = text.replace("<id>", str(self.ids["somebody"]))
        text = re.sub(r"\(\?P<app_label>auth\)", "auth", text)
        text = re.sub(r"\(\?P<\w+>.*\)", "api/none" if door.path.startswith("/(?P<rest>") else "none", text)
        assert not set("<>()?") & set(text), text
        return text + self.query(door)

    def query(self, door: Door) -> str:
        if door.path.endswith("/structure"):
            return "?group=cell&edge=0"
        if door.path.endswith("/moment"):
            return "?at=1"
        if door.path.endswith("/autocomplete/"):
            return "?app_label=auth&model_name=user&field_name=groups&term=a"
        return f"?run={self.ids['runs']}" if door.path.split("/")[-1] in ("trials", "candidates", "genomes") else ""

    def knock(self, door: Door, role: str) -> str:
        """What the door answers, in the words of the table. What it does is undone."""
        body = json.dumps({} if door.method == "POST" else None).encode() if door.path.startswith("/api/") else b""
        kind = "application/json" if door.path.startswith("/api/") else "application/x-www-form-urlencoded"
        client = browser()
        if session := self.clients[role].cookies.get("nascope_session"):
            client.cookies["nascope_session"] = session.value
        with transaction.atomic():
            response = client.generic(
                door.method, self.address(door), body, content_type=kind, headers=self.headers.get(role)
            )
            while response.status_code == 302 and not response["Location"].startswith("/login?"):
                response = client.get(response["Location"], headers=self.headers.get(role))
            transaction.set_rollback(True)
        if response.status_code == 302:
            return "login"
        if response.status_code == 405 and door.path.startswith("/admin/"):
            return "yes"  # the page takes another method; who asks was let in
        if response.status_code == 404 and door.path in NOTHING_THERE:
            return "yes"
        if response.status_code == 403 and door.path == "/login/<str:token>/":
            return "yes"  # the link is an invented one; who comes with it is not asked
        return str(response.status_code) if response.status_code in (401, 403, 404, 405) or response.status_code > 503 else "yes"


@pytest.fixture
def world(db: None) -> World:
    owner, stranger, staff = make_user("owner"), make_user("stranger"), make_user("staff")
    staff.is_staff = staff.is_superuser = True
    staff.save()
    run = make_experiment(owner).runs.get()
    fill(run)
    looks.request(owner, registry.dataset("digits"))
    tokens = {scope: ApiToken.issue(owner, scope, scope)[1] for scope in ("read", "write")}
    clients = {role: browser() for role in ROLES}
    clients |= {"stranger": browser(stranger), "owner": browser(owner), "staff": browser(staff)}
    out = browser(owner)
    kept = out.cookies["nascope_session"].value
    send(out, "POST", "auth/logout")
    clients["logged out"].cookies["nascope_session"] = kept
    return World(
        owner,
        {
            "runs": run.pk, "experiments": run.experiment_id, "genomes": Genome.objects.filter(run=run).first().pk,
            "models": ModelArtefact.objects.get(run=run).pk, "tokens": ApiToken.objects.get(scope="write").pk,
            "estimates": Estimate.objects.create(owner=owner, config_digest="0" * 64, configs=[]).pk,
            "group": Group.objects.create(name="g").pk, "uploads": made(owner, "uploading").pk, "own-datasets": made(owner).pk,
            "run-imports": brought(owner).pk, "predictions": asked(owner).pk,
            "somebody": make_user("somebody").pk, "type": ContentType.objects.get_for_model(Group).pk,
        },
        clients,
        {f"{scope} token": {"Authorization": f"Bearer {token}"} for scope, token in tokens.items()},
    )  # fmt: skip


# ---------------------------------------------------------------- the table


def test_the_page_is_the_committed_one() -> None:
    assert doors.page() == PAGE.read_text(), "a door changed: run 'python -m webapp.doors > docs/doors.md', read what did, and commit it"


def test_a_door_that_says_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp import urls

    def forgotten(request: Any) -> Any:
        return None

    monkeypatch.setattr(urls, "urlpatterns", [route("forgotten", forgotten), *urls.urlpatterns])
    from django.urls import clear_url_caches

    clear_url_caches()
    try:
        with pytest.raises(LookupError, match="/forgotten: the view does not say whom it is for"):
            doors.doors()
        open_to_anybody(forgotten)
        assert "/forgotten" in {door.path for door in doors.doors()}
    finally:
        monkeypatch.undo()
        clear_url_caches()


def test_all_kinds_of_doors_are_in_the_table() -> None:
    """Counterparts of what this file trusts: nothing was left out by the way the code is read."""
    paths = {door.path for door in DOORS}
    assert {"/api/v1/me", "/admin/login/", "/admin/auth/user/<id>/password/", "/login/<str:token>/", "ws/v1/runs/<uuid:run>/"} <= paths
    assert len(paths) > 60


@pytest.mark.parametrize("role", ROLES)
def test_every_door_answers_as_the_table_says(world: World, role: str, settings: Any, tmp_path: Path) -> None:
    index = tmp_path / "webapp" / "static" / "ui" / "index.html"
    index.parent.mkdir(parents=True)
    index.write_text("<!doctype html>")
    settings.BASE_DIR = tmp_path
    wrong = []
    # What ends the session, or takes away, comes last; each is undone, but files that are deleted stay so.
    last = ("logout", "DELETE")
    for door in sorted(HTTP, key=lambda door: any(word in f"{door.method} {door.path}" for word in last)):
        cache.clear()
        heard = world.knock(door, role)
        if heard != door.answers[role]:
            wrong.append(f"{door.method} {door.path}: {heard}, not {door.answers[role]}")
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------- one way in


def test_a_name_and_a_password_open_nothing_but_the_login(world: World) -> None:
    """The right ones, sent to every address as a form and as JSON."""
    world.owner.is_staff = True
    world.owner.save()
    words = {"username": "owner", "password": PASSWORD, "next": "/admin/", "this_is_the_login_form": "1"}
    let_in = []
    for door in HTTP:
        if door.method not in ("GET", "POST"):
            continue
        for content in ("form", "json"):
            cache.clear()
            client = browser()
            address = world.address(Door(door.path, "POST", {}))
            with transaction.atomic():
                if content == "form":
                    client.post(address, words)
                else:
                    client.post(address, json.dumps({"username": "owner", "password": PASSWORD}), content_type="application/json")
                if "_auth_user_id" in client.session:
                    let_in.append((door.path, content))
                transaction.set_rollback(True)
    assert let_in == [("/api/v1/auth/login", "json")]


def test_the_administration_leads_to_the_login_and_back(world: World) -> None:
    client = browser()
    asked = client.get("/admin/auth/user/?q=a")
    assert asked.status_code == 302
    shown = client.get(asked["Location"])
    assert (shown.status_code, shown["Location"]) == (302, "/login?next=/admin/auth/user/%3Fq%3Da")
    assert client.get("/admin/login/")["Location"] == "/login?next=/admin/", "without ?next= it leads to its first page"
    for foreign in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        assert client.get("/admin/login/", {"next": foreign})["Location"] == "/login?next=/admin/"
        assert world.clients["staff"].get("/admin/login/", {"next": foreign})["Location"] == "/admin/"
    assert world.clients["staff"].get("/admin/login/", {"next": "/admin/auth/group/"})["Location"] == "/admin/auth/group/"
    assert world.clients["staff"].get("/admin/auth/user/").status_code == 200
    refused = world.clients["stranger"].get("/admin/", follow=True)
    assert (refused.status_code, b"staff" in refused.content) == (403, True), "told so, and not led round in a circle"
    assert client.post("/admin/login/", {"username": "staff", "password": PASSWORD}).status_code == 405


def test_guesses_at_the_old_password_are_counted_with_those_at_the_login(world: World) -> None:
    staff = world.clients["staff"]
    guess = {"old_password": "wrong", "new_password1": "another long one", "new_password2": "another long one"}
    answers = [staff.post("/admin/password_change/", guess).status_code for _ in range(BY_NAME + 1)]
    assert answers == [200] * BY_NAME + [429]
    assert int(staff.post("/admin/password_change/", guess)["Retry-After"]) > 0
    at_the_login = send(browser(), "POST", "auth/login", {"username": "staff", "password": PASSWORD}, **{"X-Forwarded-For": "10.9.9.9"})
    assert at_the_login.status_code == 429


@pytest.mark.parametrize(
    "query",
    [
        "auth/user/?q=%00", "auth/user/?username=%00", "auth/user/?%00=1", "auth/user/?o=%00", "auth/user/?_to_field=%00",
        "autocomplete/?app_label=auth&model_name=user&field_name=groups&term=%00", "auth/user/?p=99999999999999999999",
        "auth/user/?groups__id__exact=99999999999999999999999", "auth/user/?date_joined__gte=0001-01-01", "auth/user/?date_joined__day=x",
        "auth/user/%00/change/", "auth/user/99999999999999999999999/change/", "auth/user/99999999999999999999999/password/",
        "r/%00/%00/", "r/99999999999999999999999/1/", "%00",
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_no_address_of_the_administration_is_an_error_of_the_server(world: World, query: str) -> None:
    assert world.clients["staff"].get(f"/admin/{query}").status_code < 500


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ("date_joined__gte=0001-01-01", True), ("date_joined__lt=0001-01-01", False), ("date_joined__gte=9999-12-31", False),
        ("date_joined__gte=0001-01-01 10:00", True), ("date_joined__lt=9999-12-31T23:59:59.5", True), ("date_joined=2001-01-01", False),
        ("date_joined__in=0001-01-01,9999-12-31 00:00", False), ("date_joined__gte=2001-01-01T00:00:00%2B02:00", True),
        ("date_joined__date__gte=2001-01-01", True), ("date_joined__year=2001", False), ("last_login__gte=9999-01-01 00:00", False),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_a_moment_without_a_zone_is_one_of_ours(world: World, query: str, listed: bool) -> None:
    answer = world.clients["staff"].get(f"/admin/auth/user/?{query}")
    assert (answer.status_code, b"/change/" in answer.content) == (200, listed)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "counted"),
    [
        (0, "10.0.0.{}", "192.0.2.1", "192.0.2.1"),
        (1, "10.0.0.{}, 192.0.2.7", "192.0.2.1", "192.0.2.7"),
        (1, "10.0.0.{0}, 192.0.2.7:100{0}", "192.0.2.1", "192.0.2.7"),
        (2, "10.0.0.{}, 192.0.2.7, 192.0.2.8", "192.0.2.1", "192.0.2.7"),
        (1, "", "192.0.2.1", "192.0.2.1"),
        (0, "", "2001:db8::{}", "2001:db8::/64"),
        (0, "", "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "[2001:db8::{0}]:100{0}", "192.0.2.1", "2001:db8::/64"),
        (1, "unknown", "192.0.2.1", "unknown"),
    ],
)
def test_an_address_is_counted_once_however_it_is_written(settings: Any, proxies: int, forwarded: str, remote: str, counted: str) -> None:
    settings.NUM_PROXIES = proxies
    for number in (1, 2):
        headers = {"X-Forwarded-For": forwarded.format(number)} if forwarded else {}
        assert address(RequestFactory(REMOTE_ADDR=remote.format(number)).get("/", headers=headers)) == counted


@pytest.mark.django_db
def test_the_login_counts_by_that_address(settings: Any) -> None:
    def status(header: str) -> int:
        # No name at all: counted by the address, and no password is checked.
        return send(browser(), "POST", "auth/login", {"username": 1, "password": "x"}, **{"X-Forwarded-For": header}).status_code

    assert [status(f"10.0.0.{number}") for number in range(BY_ADDRESS + 1)] == [400] * BY_ADDRESS + [429]
    settings.NUM_PROXIES = 1
    assert [status(f"10.0.0.{number}") for number in range(BY_ADDRESS + 1)] == [400] * (BY_ADDRESS + 1), "behind a proxy, each alone"


def test_guesses_at_the_same_moment_are_counted_one_by_one() -> None:
    """Read, add and write back in three steps would let all of them through."""
    with ThreadPoolExecutor(16) as crowd:
        waits = list(crowd.map(lambda _: wait_of("crowd", 10), range(200)))
    assert sum(wait == 0 for wait in waits) == 10


@pytest.mark.django_db
@pytest.mark.parametrize("value", ['"\\000aaaaaaaaaaaa"', "aaaaaaaaaaaaaaaaaaaa%00", "a" * 20, "x" * 5000, '"aaaaaaaa\\377"'])
def test_a_cookie_that_is_no_session_is_nobody_s(value: str) -> None:
    """Octal escapes in a quoted cookie are unescaped, a NUL among them, which PostgreSQL would refuse with an error."""
    assert SessionStore(parse_cookie(f"a={value}")["a"]).session_key in (None, "a" * 20)
    client = Client(headers={"Cookie": f"nascope_session={value}"})
    assert client.get("/api/v1/me").status_code == 401
    assert client.get("/admin/", follow=False).status_code == 302


# ---------------------------------------------------------------- sockets


HOST = [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1")]


async def opened(path: str, query: str = "", session: str = "") -> ApplicationCommunicator:
    """A socket of the whole application, in this process, accepted."""
    headers = [*HOST, *([(b"cookie", f"nascope_session={session}".encode())] if session else [])]
    client = ApplicationCommunicator(application, {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers})
    await client.send_input({"type": "websocket.connect"})
    assert (await client.receive_output(PATIENCE))["type"] == "websocket.accept"
    return client


async def closed(client: ApplicationCommunicator) -> int:
    """The code with which it closes, whatever it says before."""
    while (message := await client.receive_output(PATIENCE))["type"] == "websocket.send":
        pass
    assert message["type"] == "websocket.close"
    return int(message["code"])


async def leave(client: ApplicationCommunicator) -> None:
    await client.send_input({"type": "websocket.disconnect", "code": 1000})
    await client.wait(PATIENCE)


async def first_word(path: str, query: str, session: str) -> str:
    client = await opened(path, query, session)
    message = await client.receive_output(PATIENCE)
    await leave(client)
    return "yes" if message["type"] == "websocket.send" else str(message["code"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", [door for door in DOORS if door.method == "socket"], ids=lambda door: door.path)
def test_every_socket_answers_as_the_table_says(world: World, door: Door) -> None:
    path = "/" + door.path.replace("<uuid:run>", str(world.ids["runs"])).replace(".*", "ws/v2/none")
    heard = {}
    for role in ROLES:
        client = world.clients[role]
        query = ""
        if role in world.headers:
            query = "ticket=" + send(client, "POST", "ws-tickets", **world.headers[role]).json()["ticket"]
        cookie = client.cookies.get("nascope_session")
        heard[role] = asyncio.run(first_word(path, query, "" if cookie is None else cookie.value))
    assert heard == door.answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/", "/ws", "/ws/v1/runs/", "/ws/v1/runs/nonsense/", "/api/v1/me", "/\x00"])
def test_an_unknown_socket_is_closed_and_no_error_of_the_server(path: str) -> None:
    async def scenario() -> int:
        return await closed(await opened(path))

    assert asyncio.run(scenario()) == 4404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", ["after=1&after=2", "colour=red", "after=%00", "after=" + "9" * 5000, "ticket=%00", "a=1&" * 5000])
def test_a_socket_s_query_string_is_read_by_the_same_parser(query: str) -> None:
    async def scenario() -> int:
        return await closed(await opened("/ws/v1/runs/00000000-0000-4000-8000-000000000000/", query))

    assert asyncio.run(scenario()) == 4400


def end_session(world: World) -> None:
    send(world.clients["owner"], "POST", "auth/logout")


def delete_sessions(world: World) -> None:
    Session.objects.all().delete()


def expire_sessions(world: World) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def deactivate(world: World) -> None:
    get_user_model().objects.filter(pk=world.owner.pk).update(is_active=False)


def change_password(world: World) -> None:
    world.owner.set_password("another long enough password")
    world.owner.save()


def revoke(world: World) -> None:
    send(world.clients["owner"], "DELETE", f"tokens/{ApiToken.objects.get(scope='read').pk}")


def expire_token(world: World) -> None:
    ApiToken.objects.update(expires=timezone.now() - timedelta(seconds=1))


def nothing(world: World) -> None:
    pass


ENDS: list[tuple[str, Callable[[World], None]]] = [
    *[("session", end) for end in (end_session, delete_sessions, expire_sessions, deactivate, change_password)],
    *[("ticket of the session", end) for end in (end_session, deactivate, change_password)],
    *[("ticket of the token", end) for end in (revoke, expire_token, deactivate)],
]


@pytest.fixture(autouse=True)
def _connections() -> Iterator[None]:
    yield
    close_connections()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watch, "HEARTBEAT_SECONDS", 0.05)
    yield


def way_in(world: World, credential: str) -> tuple[str, str]:
    """(query, session) of a socket with this credential."""
    if credential == "session":
        return "", world.clients["owner"].cookies["nascope_session"].value
    bearer = world.headers["read token"] if credential.endswith("token") else {}
    client = browser() if bearer else world.clients["owner"]
    return "ticket=" + send(client, "POST", "ws-tickets", **bearer).json()["ticket"], ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("credential", "end"), ENDS, ids=[f"{credential}-{end.__name__}" for credential, end in ENDS])
def test_an_open_socket_ends_with_what_let_its_client_in(world: World, quick: None, credential: str, end: Callable[[World], None]) -> None:
    query, session = way_in(world, credential)

    async def scenario() -> int:
        client = await opened(f"/ws/v1/runs/{world.ids['runs']}/", query, session)
        assert json.loads((await client.receive_output(PATIENCE))["text"])["type"] == "hello"
        await sync_to_async(end)(world)
        return await closed(client)

    assert asyncio.run(scenario()) == consumer.LOGIN


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("credential", "end"),
    [("session", nothing), ("session", revoke), ("ticket of the session", revoke), ("ticket of the token", nothing),
     ("ticket of the token", end_session)],
)  # fmt: skip
def test_an_open_socket_outlives_what_is_not_its_own(world: World, monkeypatch: pytest.MonkeyPatch, credential: str, end: Any) -> None:
    """Asked again and again it stays open; the end of another credential of the same person is none of its own."""
    asked = 0
    still = consumer.Credential.holds

    def counted(self: Any) -> bool:
        nonlocal asked
        asked += 1
        return still(self)

    monkeypatch.setattr(watch, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(consumer.Credential, "holds", counted)
    query, session = way_in(world, credential)

    async def scenario() -> None:
        client = await opened(f"/ws/v1/runs/{world.ids['runs']}/", query, session)
        await sync_to_async(end)(world)
        before = asked
        async with asyncio.timeout(PATIENCE):
            while asked < before + 5:
                await asyncio.sleep(0.02)
        while not client.output_queue.empty():
            assert client.output_queue.get_nowait()["type"] == "websocket.send"
        await leave(client)

    asyncio.run(scenario())


@pytest.mark.django_db(transaction=True)
def test_a_ticket_ends_with_what_asked_for_it(world: World) -> None:
    """Also before it was used."""
    query, _ = way_in(world, "ticket of the session")
    end_session(world)
    assert asyncio.run(first_word(f"/ws/v1/runs/{world.ids['runs']}/", query, "")) == "4401"
    query, _ = way_in(world, "ticket of the token")
    ApiToken.objects.filter(scope="read").delete()
    assert not WsTicket.objects.filter(token__isnull=False).exists()
    assert asyncio.run(first_word(f"/ws/v1/runs/{world.ids['runs']}/", query, "")) == "4401"


def test_who_logs_people_in_is_known() -> None:
    """Calls that check a password or begin a session stand in these files alone."""
    root, found = Path(webapp.__file__).parent, set()
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
                "authenticate", "login", "alogin", "aauthenticate", "check_password", "force_login"
            ):
                found.add(file.relative_to(root).as_posix())
    assert found == {"api/people.py", "accounts/pages.py"}
