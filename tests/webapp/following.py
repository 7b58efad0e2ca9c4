"""What the tests of following a run share."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from asgiref.sync import SyncToAsync
from django.db import connection, transaction

from search_engine.events import Event, Metrics
from tests.patience import PATIENCE
from webapp.core.locks import lock_run
from webapp.core.models import Run
from webapp.events import tail as tail_module
from webapp.events.store import append


def write(run: Run, first: int, count: int) -> None:
    """`count` events, each in a transaction of its own, from a thread of one's own."""
    say(run, [event(number) for number in range(first, first + count)])


def say(run: Run, events: Iterable[Event]) -> None:
    try:
        for one in events:
            with transaction.atomic():
                append(lock_run(run.pk), [one])
    finally:
        connection.close()


def event(number: int) -> Event:
    return Event(source="phase:0", step=number, payload=Metrics(step=number, samples=1.0, values={"loss": 0.5}))


def close_connections() -> None:
    """What followed a run is done with the database: the tail's threads keep their connections, and the one in which sockets ask may still
    be at a question although nobody waits for the answer. The tables are about to be emptied, which would wait for both."""
    both = threading.Barrier(2)

    def close() -> None:
        # Each of the two threads takes one of the two tasks, and looks up its own connection.
        both.wait(PATIENCE)
        connection.close()

    for done in [tail_module._threads.submit(close) for _ in range(2)]:
        done.result()
    SyncToAsync.single_thread_executor.submit(lambda: connection.close()).result(PATIENCE)
