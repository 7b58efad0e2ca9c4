"""The WebSocket over a real server: who may watch, order without gaps, resume, thinning, slow clients."""

from __future__ import annotations

import asyncio
import hashlib
import random
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import websockets
from django.db import connection

from search_engine import events as say
from tests.patience import PATIENCE
from webapp.core.models import Event, Run, RunCounter, WsTicket
from webapp.jobs import states

from .api_world import births, browser, fill, frame, make_experiment, make_user, send, tell
from .live_server import UNHURRIED, Ear, Server, cookie, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def owner() -> Any:
    return make_user("ada")


@pytest.fixture
def run(owner: Any) -> Run:
    return make_experiment(owner).runs.get()


@pytest.fixture
def headers(owner: Any) -> dict[str, str]:
    return cookie(owner)


def last_seq(run: Run) -> int:
    return RunCounter.objects.get(run=run).last_seq


def in_thread(action: Callable[[], None]) -> Any:
    """Write from another thread while the event loop listens."""

    def work() -> None:
        try:
            action()
        finally:
            connection.close()

    return asyncio.to_thread(work)


def metrics(step: int) -> tuple[int, say.Metrics]:
    return step, say.Metrics(step=step, samples=step, values={"best": float(step)})


def closing(address: str, **options: Any) -> tuple[int, str]:
    """Close code and reason of a connection that is refused."""

    async def attempt() -> tuple[int, str]:
        async with asyncio.timeout(PATIENCE), websockets.connect(address, **UNHURRIED, **options) as link:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await link.recv()
            assert closed.value.rcvd is not None
            return closed.value.rcvd.code, closed.value.rcvd.reason

    return asyncio.run(attempt())


def test_who_may_not_watch(server: Server, run: Run, headers: dict[str, str]) -> None:
    before = (Event.objects.count(), Run.objects.values().get())
    mine, own = {"additional_headers": headers}, {"origin": server.origin}
    address = server.url(run.pk)
    assert closing(address, **own)[0] == 4401
    assert closing(address, **mine, origin="http://evil.example")[0] == 4403
    assert closing(address, **mine, origin=f"http://localhost:{server.port}")[0] == 4403, "another host, although an allowed one"
    assert closing(address, **mine, origin="null")[0] == 4403
    assert closing(address, **mine)[0] == 4403, "no origin: not a browser's page of ours"
    assert closing(server.url(uuid4()), **mine, **own)[0] == 4404
    stranger = {"additional_headers": cookie(make_user("grace"))}
    assert closing(address, **stranger, **own)[0] == 4404
    assert closing(server.url(uuid4()), **stranger, **own) == closing(address, **stranger, **own), "absent and not yours look the same"
    for after in ("-1", "x", "9" * 30, "٣"):
        assert closing(server.url(run.pk, f"after={after}"), **mine, **own)[0] == 4400
    assert closing(server.url(run.pk, "ticket=invented"), **mine, **own)[0] == 4401
    assert (Event.objects.count(), Run.objects.values().get()) == before


def test_a_ticket_opens_one_socket_without_cookie_or_origin(server: Server, run: Run, owner: Any) -> None:
    ticket = WsTicket.issue(owner)

    async def greet() -> str:
        async with asyncio.timeout(PATIENCE), websockets.connect(server.url(run.pk, f"ticket={ticket}"), **UNHURRIED) as link:
            return str(await link.recv())

    assert '"hello"' in asyncio.run(greet())
    assert closing(server.url(run.pk, f"ticket={ticket}"))[0] == 4401
    theirs = WsTicket.issue(make_user("grace"))
    assert closing(server.url(run.pk, f"ticket={theirs}"))[0] == 4404


def test_history_then_live_in_order(server: Server, run: Run, headers: dict[str, str]) -> None:
    tell(run, "phase:0", [metrics(step) for step in range(1_300)])
    ear = Ear(server, run.pk, headers)

    async def scenario() -> None:
        async def later() -> None:
            await asyncio.sleep(0.3)
            await in_thread(lambda: tell(run, "phase:0", [metrics(step) for step in range(1_300, 1_310)]))

        await asyncio.gather(ear.hear(lambda: ear.cursor >= 1_311 and bool(ear.runs)), later())

    asyncio.run(scenario())
    stored = [event.record() for event in Event.objects.filter(run=run).order_by("seq")]
    assert ear.records == stored
    assert ear.hellos == 1
    assert ear.runs[0]["id"] == str(run.pk)


def test_nothing_is_lost_or_doubled_over_many_reconnects(server: Server, run: Run, headers: dict[str, str]) -> None:
    rng = random.Random(3)
    steps = 100

    def write() -> None:
        for step in range(steps):
            tell(run, "phase:0", [metrics(step)])
            tell(run, "run", births(1, first=step, seed=step))
            time.sleep(0.01)

    ears = [Ear(server, run.pk, headers) for _ in range(4)]
    total = last_seq(run) + 2 * steps

    async def restless(ear: Ear) -> None:
        """Leaves after a few frames, comes back, goes on from its number."""
        while ear.cursor < total or ear.hellos < 5:
            async with asyncio.timeout(PATIENCE), ear.open() as link:
                for _ in range(rng.randrange(1, 5)):
                    try:
                        ear.take(await asyncio.wait_for(link.recv(), 0.3))
                    except TimeoutError:
                        break

    async def scenario() -> None:
        await asyncio.gather(in_thread(write), *(restless(ear) for ear in ears))

    asyncio.run(scenario())
    stored = [event.record() for event in Event.objects.filter(run=run).order_by("seq")]
    assert [record["seq"] for record in stored] == list(range(1, total + 1))
    for ear in ears:
        assert ear.records == stored


def test_structure_frames_are_thinned_and_nothing_else(server: Server, run: Run, headers: dict[str, str]) -> None:
    frames = 200
    start = last_seq(run)
    ear = Ear(server, run.pk, headers, cursor=start)

    def write() -> None:
        for step in range(frames):
            tell(run, "phase:0", [(step, frame(step, 6, 5))])
            tell(run, "phase:0", [metrics(step)])
            time.sleep(0.005)

    async def scenario() -> float:
        began = time.monotonic()
        await asyncio.gather(ear.hear(lambda: ear.cursor >= start + 2 * frames), in_thread(write))
        return time.monotonic() - began

    seconds = asyncio.run(scenario())
    structure = [record["step"] for record in ear.records if record["kind"] == "structure"]
    assert [record["step"] for record in ear.records if record["kind"] == "metrics"] == list(range(frames))
    assert structure[-1] == frames - 1, "the newest picture arrives"
    assert 2 <= len(structure) <= 10 * seconds + 2
    # Of frames that come more slowly than they are shown none is left out.
    assert len(structure) < frames or seconds > frames / 10


def test_the_runs_row_is_told_when_it_changes(server: Server, run: Run, headers: dict[str, str]) -> None:
    ear = Ear(server, run.pk, headers)

    async def scenario() -> None:
        async def later() -> None:
            while not ear.runs:
                await asyncio.sleep(0.05)
            await in_thread(lambda: states.pause(run.pk) and None)

        await asyncio.gather(ear.hear(lambda: any(shown["state"] == "paused" for shown in ear.runs)), later())

    asyncio.run(scenario())
    assert [shown["state"] for shown in ear.runs] == ["queued", "paused"], "said once each, not again and again"


def test_a_deleted_run_closes_its_sockets(server: Server, run: Run, headers: dict[str, str]) -> None:
    ear = Ear(server, run.pk, headers)

    async def scenario() -> int:
        async with asyncio.timeout(PATIENCE), ear.open() as link:
            while not ear.runs:
                ear.take(await link.recv())
            await in_thread(lambda: states.delete_run(run.pk))
            with pytest.raises(websockets.ConnectionClosed) as closed:
                while True:
                    ear.take(await link.recv())
            assert closed.value.rcvd is not None
            return closed.value.rcvd.code

    assert asyncio.run(scenario()) == 4404


def test_a_slow_client_holds_nobody_up_and_misses_nothing(server: Server, run: Run, headers: dict[str, str]) -> None:
    """8 MB of events for somebody who does not read: more than every buffer between us holds."""
    text = "x" * 20_000
    notices = 400
    start = last_seq(run)
    slow, quick = (Ear(server, run.pk, headers, cursor=start) for _ in range(2))

    def write() -> None:
        for step in range(notices):
            tell(run, "phase:0", [(step, say.Notice(name="long", message=text, step=step))])

    async def scenario() -> int:
        async with asyncio.timeout(PATIENCE), websockets.connect(
            server.url(run.pk, f"after={start}"), additional_headers=headers, origin=server.origin, max_size=None, max_queue=1, **UNHURRIED
        ) as sleeping:
            await asyncio.gather(quick.hear(lambda: quick.cursor >= start + notices), in_thread(write))
            unheard = slow.cursor
            while slow.cursor < start + notices:
                slow.take(await sleeping.recv())
            return unheard

    assert asyncio.run(scenario()) == start
    for ear in (slow, quick):
        assert [record["seq"] for record in ear.records] == list(range(start + 1, start + notices + 1))


def test_ten_clients_hear_everything_soon(server: Server, run: Run, headers: dict[str, str]) -> None:
    """Prints the time from commit to client at about 200 events a second; asserts only that all of them arrive."""
    start, steps = last_seq(run), 400
    ears = [Ear(server, run.pk, headers, cursor=start) for _ in range(10)]

    def write() -> None:
        for step in range(0, steps, 10):
            tell(run, "phase:0", [metrics(step + offset) for offset in range(10)])
            time.sleep(0.05)

    async def scenario() -> None:
        async def later() -> None:
            await asyncio.sleep(0.5)
            await in_thread(write)

        await asyncio.gather(*(ear.hear(lambda ear=ear: ear.cursor >= start + steps) for ear in ears), later())

    asyncio.run(scenario())
    committed = dict(Event.objects.filter(run=run, seq__gt=start).values_list("seq", "time"))
    waits = [ear.heard_at[seq] - moment for ear in ears for seq, moment in committed.items()]
    assert len(waits) == 10 * steps
    cuts = statistics.quantiles(waits, n=100)
    print(f"10 clients, {steps} events: p50 {cuts[49] * 1000:.0f} ms, p95 {cuts[94] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms")


def test_the_download_comes_whole_through_the_server(server: Server, run: Run, headers: dict[str, str]) -> None:
    fill(run)
    model = send(browser(run.owner), "GET", "models").json()["results"][0]
    request = urllib.request.Request(f"{server.origin}/api/v1/models/{model['id']}/download", headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        data = answer.read()
    assert hashlib.sha256(data).hexdigest() == run.models.get().bundle_sha256
