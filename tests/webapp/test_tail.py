"""Following a run: what is stored, what comes, and quiet time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.patience import PATIENCE
from webapp.core.models import Run
from webapp.events import tail as tail_module
from webapp.events.tail import tail

from .builders import make_run
from .following import close_connections, write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _connections() -> Iterator[None]:
    yield
    close_connections()


async def follow(run: Run, after: int, last: int) -> list[int]:
    seen: list[int] = []
    async with aclosing(tail(run.pk, after)) as chunks:
        async for records in chunks:
            seen += [record["seq"] for record in records]
            if seen and seen[-1] >= last:
                break
    return seen


def test_what_is_stored_and_then_what_comes_each_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "CHUNK", 7)
    run = make_run()
    write(run, 0, 30)

    async def scene() -> list[list[int]]:
        early, middle = (asyncio.create_task(follow(run, after, 91)) for after in (0, 20))
        await asyncio.to_thread(write, run, 30, 60)
        return [await asyncio.wait_for(task, PATIENCE) for task in (early, middle)]

    assert asyncio.run(scene()) == [list(range(1, 92)), list(range(21, 92))]


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


def test_a_wake_up_that_is_lost_costs_time_and_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence() -> Any:
        await asyncio.Event().wait()
        yield None

    monkeypatch.setattr("webapp.events.listen._data_versions", silence)
    monkeypatch.setattr("webapp.events.listen._notifications", silence)
    monkeypatch.setattr(tail_module, "FALLBACK_SECONDS", 0.05)
    run = make_run()

    async def scene() -> list[int]:
        task = asyncio.create_task(follow(run, 1, 2))
        await asyncio.to_thread(write, run, 0, 1)
        return await asyncio.wait_for(task, PATIENCE)

    assert asyncio.run(scene()) == [2]
