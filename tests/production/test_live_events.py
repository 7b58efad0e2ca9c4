"""Live events on PostgreSQL: both wake-ups reach the socket, writers at once leave no hole, strangers hear nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
import websockets

from tests.patience import PATIENCE

from .images import ROOT
from .person import Person
from .stack import Stack, answer

pytestmark = pytest.mark.services

WRITERS, EVENTS = 4, 60


def new_run(person: Person) -> str:
    """A run that nobody works on: this module starts no worker."""
    return person.start(algorithms=[{"id": "random", "options": {}}], space="nb201", datasets=["digits"], seeds=[1], budget={"trials": 5})


@pytest.fixture(scope="module", params=["notify", "redis"])
def deaf(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Stack]:
    """The same installation, served by a process that never looks by itself."""
    other = Stack(stack.home / request.param, stack.database_url, stack.redis_url, {"NASCOPE_WAKEUP": request.param})
    environment = other.environment("tests") | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.production.deaf_web", str(other.port)]
    process = other.processes["web"] = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        other.wait_for(other.healthy, "the web process is not healthy", lambda: process.poll() is None)
        yield other
    finally:
        other.stop()


def test_a_wake_up_reaches_the_socket(ada: Person, deaf: Stack) -> None:
    """One event after another, each written only when the one before was heard."""
    run = new_run(ada)
    start = ada.get(f"runs/{run}")["last_seq"]
    watch = ada.watch(run, start)
    watch.person.stack, before = deaf, watch.person.stack

    async def scenario() -> None:
        async with asyncio.timeout(PATIENCE), watch.open() as link:
            for number in range(1, 6):
                written = deaf.program("tests.webapp.programs.write_events", run, f"phase:{number}", "1")
                while watch.cursor < start + number:
                    watch.take(await link.recv())
                assert await asyncio.to_thread(answer, written) == 1

    try:
        asyncio.run(scenario())
    finally:
        ada.stack = before
    assert watch.cursor == start + 5


@pytest.mark.slow
def test_a_socket_ends_with_what_let_it_in_although_another_process_ended_it(stack: Stack, deaf: Stack) -> None:
    """A token revoked, a session logged out, an account deactivated: one after another, and each ends its own socket."""
    leaver = Person(stack, f"leaver{deaf.port}")
    run = new_run(leaver)
    token = leaver.send("POST", "tokens", {"name": "laptop"}).json()
    ticket = httpx.post(
        f"{stack.origin}/api/v1/ws-tickets", headers={"Authorization": f"Bearer {token['token']}"}, timeout=PATIENCE
    ).json()["ticket"]

    def revoke() -> None:
        assert leaver.send("DELETE", f"tokens/{token['id']}").status_code == 204

    def log_out() -> None:
        assert leaver.send("POST", "auth/logout").status_code == 204

    def deactivate() -> None:
        words = f"User.objects.filter(username='leaver{deaf.port}').update(is_active=False)"
        stack.manage("shell", "--no-imports", "-c", f"from django.contrib.auth.models import User; {words}")

    def watching() -> Any:
        watch = leaver.watch(run)
        watch.person.stack, here = deaf, watch.person.stack
        try:
            return watch.open()
        finally:
            watch.person.stack = here

    async def code_of(link: Any) -> int:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            while True:
                await link.recv()
        assert closed.value.rcvd is not None
        return int(closed.value.rcvd.code)

    async def scenario() -> None:
        by_ticket = websockets.connect(
            f"ws://127.0.0.1:{deaf.port}/ws/v1/runs/{run}/?ticket={ticket}", open_timeout=PATIENCE, ping_interval=None
        )
        async with asyncio.timeout(PATIENCE), by_ticket as first, watching() as second:
            assert '"hello"' in str(await first.recv()) and '"hello"' in str(await second.recv())
            await asyncio.to_thread(revoke)
            assert await code_of(first) == 4401
            assert second.state is websockets.State.OPEN
            await asyncio.to_thread(log_out)
            assert await code_of(second) == 4401
        await asyncio.to_thread(leaver.log_in)
        async with asyncio.timeout(PATIENCE), watching() as third:
            assert '"hello"' in str(await third.recv())
            await asyncio.to_thread(deactivate)
            assert await code_of(third) == 4401

    asyncio.run(scenario())


def test_a_notice_rides_in_the_writing_transaction(ada: Person, stack: Stack) -> None:
    """PostgreSQL itself says which run has news, once per commit."""
    run = new_run(ada)
    with psycopg.connect(stack.database_url.replace("postgres://", "postgresql://"), autocommit=True) as listener:
        listener.execute("LISTEN nascope_events")
        assert answer(stack.program("tests.webapp.programs.write_events", run, "phase:0", "3")) == 3
        heard = [notice.payload for notice in listener.notifies(timeout=PATIENCE, stop_after=3)]
    assert heard == [run] * 3


def test_four_writers_leave_no_hole(ada: Person, stack: Stack) -> None:
    run = new_run(ada)
    start = ada.get(f"runs/{run}")["last_seq"]
    watch = ada.watch(run)
    writers = [stack.program("tests.webapp.programs.write_events", run, f"phase:{number}", str(EVENTS)) for number in range(WRITERS)]
    watch.hear(lambda: watch.cursor >= start + WRITERS * EVENTS)
    assert [answer(writer) for writer in writers] == [EVENTS] * WRITERS
    stored = ada.all_events(run)
    assert [event["seq"] for event in stored] == list(range(1, start + WRITERS * EVENTS + 1))
    for number in range(WRITERS):
        steps = [event["step"] for event in stored if event["source"] == f"phase:{number}"]
        assert steps == list(range(EVENTS)), "each writer's order is kept"
    assert {event["seq"] for event in watch.events} <= {event["seq"] for event in stored}
    assert watch.events[-1] == stored[-1]


def test_requests_leave_no_connections_behind(ada: Person, stack: Stack) -> None:
    """An ASGI server answers each request in a thread of its own; a connection kept per thread would soon exhaust PostgreSQL."""

    def client(_: int) -> None:
        with httpx.Client(base_url=stack.origin, cookies=dict(ada.client.cookies), timeout=PATIENCE) as browser:
            assert [browser.get("/api/v1/me").status_code for _ in range(10)] == [200] * 10

    with ThreadPoolExecutor(20) as crowd:
        list(crowd.map(client, range(20)))
    with psycopg.connect(stack.database_url.replace("postgres://", "postgresql://"), autocommit=True) as session:

        def few() -> bool:
            row = session.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone()
            return row is not None and row[0] < 10

        stack.wait_for(few, "connections stay open")


def test_strangers_cannot_listen(ada: Person, grace: Person) -> None:
    run = new_run(ada)

    async def refusal(watch: Any) -> int:
        async with asyncio.timeout(PATIENCE), watch.open() as link:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await link.recv()
            assert closed.value.rcvd is not None
            return int(closed.value.rcvd.code)

    assert asyncio.run(refusal(grace.watch(run))) == 4404


def test_the_front_ends_files_are_collected_where_the_image_keeps_them(stack: Stack) -> None:
    root = stack.home / "collected"
    stack.manage("collectstatic", "--noinput", "--verbosity", "0", STATIC_ROOT=str(root))
    assert (root / "admin" / "css" / "base.css").is_file()


def test_a_stuck_worker_ends_itself(ada: Person, stack: Stack) -> None:
    """In a container nobody watches it, and its heartbeat would hold the lease for ever."""
    run = new_run(ada)
    impatient = Stack(stack.home / "impatient", stack.database_url, stack.redis_url, stack.more | {"NASCOPE_PROGRESS_DEADLINE": "1"})
    impatient.more["NASCOPE_HEARTBEAT_SECONDS"] = "0.2"
    process = impatient.program("tests.production.stuck_worker", run)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 70, errors
    assert "no progress" in errors


def test_a_deaf_worker_is_called_and_ends_itself(ada: Person, stack: Stack) -> None:
    """The same, and nobody told it what it missed: work waits beside it."""
    new_run(ada)
    impatient = Stack(stack.home / "deaf", stack.database_url, stack.redis_url, stack.more | {"NASCOPE_HEARTBEAT_SECONDS": "0.5"})
    impatient.more["NASCOPE_REAPER_SECONDS"] = "0.2"
    impatient.start("reaper")
    try:
        process = impatient.program("tests.production.deaf_worker")
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        impatient.stop()
    assert process.returncode == 70, errors
    assert "claims nothing" in errors
