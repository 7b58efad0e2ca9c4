"""A process that stands still, or is cut off without a word, in the middle of a commit holds its run's lock for a minute at most: until
then nobody can pause, cancel or go on with the run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.services import Postgres, free_port

from .cable import Cable
from .person import Person
from .stack import Stack
from .test_live_events import new_run

pytestmark = [pytest.mark.services, pytest.mark.night]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Heard over TCP: only there can anything be cut off without a word."""
    made = Postgres(port=free_port())
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def database_url(server: Postgres) -> str:
    return f"postgres://postgres@127.0.0.1:{server.port}/postgres"


def test_a_lock_is_free_again(server: Postgres, stack: Stack, ada: Person) -> None:
    frozen, lost = new_run(ada), new_run(ada)
    cable = Cable(("127.0.0.1", server.port))
    behind = Stack(stack.home / "behind", f"postgres://postgres@127.0.0.1:{cable.port}/postgres", stack.redis_url)
    with ExitStack() as after:
        after.callback(cable.remove)
        holders = [stack.program("tests.production.lock_holder", frozen), behind.program("tests.production.lock_holder", lost)]
        for holder in holders:
            after.callback(holder.wait)
            after.callback(holder.kill)
            assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        holders[0].send_signal(signal.SIGSTOP)
        cable.lose()
        # Each waits for the lock in the web process.
        for run in (frozen, lost):
            answer = ada.send("POST", f"runs/{run}/cancel")
            assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
