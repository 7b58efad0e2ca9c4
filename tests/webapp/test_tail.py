"""Following a run: catch up, live, idle, late joiners, and a follower too slow for its queue."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from typing import Any

import pytest
from django.db import connection, transaction

from tests.patience import PATIENCE
from webapp.core.locks import lock_run
from webapp.core.models import Run
from webapp.events import tail as tail_module
from webapp.events.store import append
from webapp.events.tail import tail

from .builders import frame, make_run

pytestmark = pytest.mark.django_db(transaction=True)


def write(run: Run, first: int, count: int) -> None:
    try:
        for step in range(first, first + count):
            with transaction.atomic():
                append(lock_run(run.pk), [frame(step, [0.5])])
    finally:
        connection.close()


async def follow(run: Run, after: int, last: int, pause: float = 0.0) -> list[int]:
    seen: list[int] = []
    async with aclosing(tail(run.pk, after)) as chunks:
        async for records in chunks:
            seen += [record["seq"] for record in records]
            if seen and seen[-1] >= last:
                return seen
            await asyncio.sleep(pause)
    return seen


@pytest.fixture(autouse=True)
def close_connections() -> Any:
    """The tail's threads keep their database connections; the test database is about to go."""
    yield
    both = threading.Barrier(2)

    def close() -> None:
        # Each of the two threads takes one of the two tasks, and looks up its own connection.
        both.wait(PATIENCE)
        connection.close()

    for done in [tail_module._threads.submit(close) for _ in range(2)]:
        done.result()


def test_followers_see_every_event_once_and_in_order_wherever_they_join() -> None:
    run = make_run()
    write(run, 0, 30)

    async def scene() -> list[list[int]]:
        early = asyncio.create_task(follow(run, 0, 91))
        middle = asyncio.create_task(follow(run, 20, 91))
        await asyncio.sleep(0.1)
        writer = asyncio.to_thread(write, run, 30, 60)
        late_task = asyncio.create_task(follow(run, 31, 91))
        await writer
        return [await asyncio.wait_for(task, PATIENCE) for task in (early, middle, late_task)]

    early, middle, late = asyncio.run(scene())
    assert early == list(range(1, 92))
    assert middle == list(range(21, 92))
    assert late == list(range(32, 92))


def test_a_follower_too_slow_for_its_queue_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "QUEUE_CHUNKS", 1)
    run = make_run()

    async def scene() -> list[int]:
        slow = asyncio.create_task(follow(run, 0, 41, pause=0.15))
        await asyncio.sleep(0.2)
        for first in range(0, 40, 4):
            await asyncio.to_thread(write, run, first, 4)
            await asyncio.sleep(0.04)
        return await asyncio.wait_for(slow, PATIENCE)

    assert asyncio.run(scene()) == list(range(1, 42))


def test_quiet_time_is_said_when_asked_for() -> None:
    run = make_run()

    async def scene() -> list[list[Any]]:
        got = []
        async with aclosing(tail(run.pk, 1, idle=0.05)) as chunks:
            async for records in chunks:
                got.append(records)
                if len(got) == 2:
                    break
        return got

    assert asyncio.run(scene()) == [[], []]


def test_an_event_between_the_last_look_and_joining_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared reader hands it out before the newcomer is among its followers, and nothing comes after it."""
    run = make_run()
    real = tail_module._query
    tasks: dict[str, Any] = {}

    async def slow_to_join(function: Any, *arguments: Any) -> Any:
        records = await real(function, *arguments)
        if asyncio.current_task() is tasks.get("newcomer") and not records:
            await asyncio.to_thread(write, run, 0, 1)
            while tail_module._hub().tails[run.pk].last < 2:
                await asyncio.sleep(0.01)
        return records

    async def scene() -> list[int]:
        first = asyncio.create_task(follow(run, 0, 99))
        while run.pk not in tail_module._hub().tails or tail_module._hub().tails[run.pk].last < 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        tasks["newcomer"] = asyncio.create_task(follow(run, 1, 2))
        try:
            return await asyncio.wait_for(tasks["newcomer"], PATIENCE)
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    monkeypatch.setattr(tail_module, "_query", slow_to_join)
    assert asyncio.run(scene()) == [2]


def test_one_reader_serves_all_followers_of_a_run_and_ends_with_the_last() -> None:
    run = make_run()

    async def scene() -> tuple[int, int]:
        tasks = [asyncio.create_task(follow(run, 0, 3)) for _ in range(5)]
        await asyncio.sleep(0.2)
        during = len(tail_module._hub().tails)
        await asyncio.to_thread(write, run, 0, 2)
        await asyncio.gather(*tasks)
        return during, len(tail_module._hub().tails)

    assert asyncio.run(scene()) == (1, 0)
