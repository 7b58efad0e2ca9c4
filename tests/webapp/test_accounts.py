"""Who may come in: password, one-time link, session, CSRF, API tokens, tickets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from webapp.core.models import ApiToken, LoginToken, WsTicket

from .api_world import API, BODY, PASSWORD, browser, make_user, send

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_throttle_left() -> None:
    cache.clear()


@pytest.fixture
def ada() -> Any:
    return make_user("ada")


def csrf(client: Any) -> dict[str, str]:
    """The header that the front end sends, from the cookie that the shell sets."""
    client.get("/")
    return {"X-CSRFToken": client.cookies["csrftoken"].value}


def test_logging_in_and_out(ada: Any) -> None:
    client = browser(csrf=True)
    headers = csrf(client)
    body = {"username": "ada", "password": PASSWORD}
    response = send(client, "POST", "auth/login", body, **headers)
    assert (response.status_code, response.json()) == (200, {"username": "ada", "id": ada.pk, "is_staff": False})
    assert send(client, "GET", "me").json()["username"] == "ada"
    # Django turns the token over at login; the cookie in the answer holds the new one.
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert send(client, "POST", "auth/logout", **headers).status_code == 204
    assert send(client, "GET", "me").status_code == 401


def test_the_session_changes_at_login(ada: Any) -> None:
    """A session id that somebody planted before the login is worth nothing after it."""
    client = browser()
    session = client.session
    session["before"] = 1
    session.save()
    planted = session.session_key
    client.cookies["nascope_session"] = planted
    send(client, "POST", "auth/login", {"username": "ada", "password": PASSWORD})
    assert client.cookies["nascope_session"].value != planted


@pytest.mark.parametrize("body", [{"username": "ada", "password": "wrong"}, {"username": "nobody", "password": PASSWORD}])
def test_wrong_credentials_say_the_same_whether_the_name_exists(ada: Any, body: dict[str, str]) -> None:
    response = send(browser(), "POST", "auth/login", body)
    assert (response.status_code, response.json()["code"]) == (400, "wrong_credentials")
    assert response.json()["detail"] == "name or password is wrong"


def test_somebody_inactive_stays_out(ada: Any) -> None:
    link, (_, token) = LoginToken.issue(ada), ApiToken.issue(ada, "t")
    ada.is_active = False
    ada.save()
    assert send(browser(), "POST", "auth/login", {"username": "ada", "password": PASSWORD}).status_code == 400
    assert browser().get(f"/login/{link}/").status_code == 403
    assert send(browser(), "GET", "me", Authorization=f"Bearer {token}").status_code == 401


def test_guesses_are_throttled_by_name(ada: Any) -> None:
    answers = [send(browser(), "POST", "auth/login", {"username": "ada", "password": f"guess {n}"}).status_code for n in range(11)]
    assert answers == [400] * 10 + [429]
    right = send(browser(), "POST", "auth/login", {"username": "ada", "password": PASSWORD})
    assert right.status_code == 429, "the right password tells nothing while the name is throttled"


def test_guesses_are_throttled_by_address() -> None:
    answers = [send(browser(), "POST", "auth/login", {"username": f"user{n}", "password": "x"}).status_code for n in range(21)]
    assert answers == [400] * 20 + [429]


def test_a_session_needs_the_csrf_token(ada: Any) -> None:
    client = browser(ada, csrf=True)
    for path, body in (("experiments", BODY), ("tokens", {"name": "t"}), ("auth/logout", {})):
        refused = send(client, "POST", path, body)
        assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json"), path
    assert send(browser(csrf=True), "POST", "auth/login", {"username": "ada", "password": PASSWORD}).status_code == 403
    assert send(client, "POST", "tokens", {"name": "t"}, **csrf(client)).status_code == 201


def test_a_token_needs_none(ada: Any) -> None:
    _, plain = ApiToken.issue(ada, "script")
    assert send(browser(csrf=True), "POST", "experiments", BODY, Authorization=f"Bearer {plain}").status_code == 201


def test_the_login_link_works_once(ada: Any) -> None:
    plain = LoginToken.issue(ada)
    client = browser()
    response = client.get(f"/login/{plain}/")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert "no-store" in response["Cache-Control"]
    assert send(client, "GET", "me").json()["username"] == "ada"
    other = browser()
    second = other.get(f"/login/{plain}/")
    assert second.status_code == 403
    assert b"used before or has expired" in second.content
    assert send(other, "GET", "me").status_code == 401


def test_a_stale_or_invented_link_does_not_work(ada: Any) -> None:
    plain = LoginToken.issue(ada)
    LoginToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert browser().get(f"/login/{plain}/").status_code == 403
    assert browser().get("/login/invented/").status_code == 403
    assert browser().post(f"/login/{LoginToken.issue(ada)}/").status_code == 405


def test_secrets_are_stored_as_hashes(ada: Any) -> None:
    plains = [LoginToken.issue(ada), WsTicket.issue(ada), ApiToken.issue(ada, "t")[1]]
    rows = [str(row) for model in (LoginToken, WsTicket, ApiToken) for row in model.objects.values()]
    assert not any(plain in row for plain in plains for row in rows)


def test_a_token_is_shown_once_and_can_be_revoked(ada: Any) -> None:
    client = browser(ada)
    made = send(client, "POST", "tokens", {"name": "laptop", "scope": "read"}).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert send(browser(), "GET", "me", **bearer).json()["username"] == "ada"
    listed = send(client, "GET", "tokens").json()
    assert [(item["name"], item["scope"], "token" in item) for item in listed] == [("laptop", "read", False)]
    assert listed[0]["last_used"] is not None
    assert send(client, "DELETE", f"tokens/{made['id']}").status_code == 204
    assert send(browser(), "GET", "me", **bearer).status_code == 401


def test_a_token_cannot_make_or_see_tokens(ada: Any) -> None:
    row, plain = ApiToken.issue(ada, "script", "write")
    bearer = {"Authorization": f"Bearer {plain}"}
    for method, path in (("POST", "tokens"), ("GET", "tokens"), ("DELETE", f"tokens/{row.pk}"), ("POST", "auth/logout")):
        assert send(browser(), method, path, {"name": "t"}, **bearer).json()["code"] == "session_only"
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("header", ["Bearer", "Bearer nonsense", "Bearer a b", "Bearer \xff", "bearer nascope_"])
def test_a_bad_bearer_header_is_401_even_with_a_session(ada: Any, header: str) -> None:
    response = send(browser(ada), "GET", "me", Authorization=header)
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")


def test_the_token_form_names_its_fields(ada: Any) -> None:
    for body, field in (({}, "name"), ({"name": ""}, "name"), ({"name": "t", "scope": "admin"}, "scope"), ({"name": "t", "x": 1}, "x")):
        assert send(browser(ada), "POST", "tokens", body).json()["field"] == field
    assert not ApiToken.objects.exists()


def test_a_ticket_lasts_half_a_minute_and_once(ada: Any) -> None:
    answer = send(browser(ada), "POST", "ws-tickets").json()
    assert answer["expires_in"] == 30
    row = WsTicket.redeem(answer["ticket"])
    assert row is not None
    assert row.user == ada
    assert WsTicket.redeem(answer["ticket"]) is None


def test_me_is_told_apart_by_scheme() -> None:
    assert browser().get(API + "me")["WWW-Authenticate"] == "Bearer"
