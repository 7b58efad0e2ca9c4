"""What all who watch a run are told: made once, whole for everybody, wherever and however late somebody joins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.patience import PATIENCE
from webapp.core.models import Run
from webapp.events import tail as tail_module
from webapp.live import broadcast as module
from webapp.live.broadcast import broadcast
from webapp.live.shared_text import SharedText

from .builders import frame, make_run
from .following import close_connections, say, write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _connections() -> Iterator[None]:
    yield
    close_connections()


class Client:
    """Checks that the ranges it is told follow one another."""

    def __init__(self, run: Run, after: int) -> None:
        self.run = run
        self.cursor = after
        self.seen: list[int] = []
        self.texts: list[str] = []

    async def hear(self, last: int, pause: float = 0.0) -> Client:
        async with aclosing(broadcast(self.run.pk, self.cursor)) as texts:
            while self.cursor < last:
                self.take(await asyncio.wait_for(anext(texts), PATIENCE))
                await asyncio.sleep(pause)
        return self

    def take(self, text: str) -> None:
        told = json.loads(text)
        if told["type"] == "events":
            assert told["from_seq"] == self.cursor + 1, "a gap"
            self.cursor = told["to_seq"]
            self.seen += [record["seq"] for record in told["events"]]
            self.texts.append(text)


async def waits_for(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


def shared(run: Run) -> Any:
    return module._broadcasts.here().get(run.pk)


def followers(run: Run) -> int:
    return len(shared(run).followers) if shared(run) else 0


@pytest.mark.parametrize("clients", [1, 30])
def test_events_are_written_down_once_however_many_watch(monkeypatch: pytest.MonkeyPatch, clients: int) -> None:
    """The mark of it: as many texts, of as many events, and as many looks at the table and at the run's row, for 30 clients as for one."""
    run = make_run()
    written: list[int] = []
    reads: list[int] = []
    real_text, real_read = module.frames.events_text, tail_module.read_after

    def counted(from_seq: int, cut: Any) -> str:
        written.extend(record["seq"] for record in cut.records)
        return real_text(from_seq, cut)

    def read(*arguments: Any) -> Any:
        records = real_read(*arguments)
        reads.extend(record["seq"] for record in records)
        return records

    async def scene() -> list[Client]:
        tasks = [asyncio.create_task(Client(run, 1).hear(41)) for _ in range(clients)]
        await waits_for(lambda: followers(run) == clients)
        await asyncio.to_thread(write, run, 0, 40)
        return list(await asyncio.gather(*tasks))

    monkeypatch.setattr(module.frames, "events_text", counted)
    monkeypatch.setattr(tail_module, "read_after", read)
    heard = asyncio.run(scene())
    assert written == reads == list(range(2, 42))
    first = heard[0]
    for client in heard:
        assert client.seen == list(range(2, 42))
        assert all(text is same for text, same in zip(client.texts, first.texts, strict=True)), "the same text, not an equal one"
    assert all(isinstance(text, SharedText) for text in first.texts)


def test_everybody_hears_everything_once_and_in_order_wherever_they_join() -> None:
    run = make_run()
    write(run, 0, 30)

    async def scene() -> list[Client]:
        tasks = [asyncio.create_task(Client(run, after).hear(91)) for after in (0, 20)]
        await waits_for(lambda: followers(run) == 2)
        await asyncio.to_thread(write, run, 30, 20)
        tasks.append(asyncio.create_task(Client(run, 31).hear(91)))
        await asyncio.to_thread(write, run, 50, 40)
        return [await asyncio.wait_for(task, PATIENCE) for task in tasks]

    assert [client.seen for client in asyncio.run(scene())] == [list(range(after + 1, 92)) for after in (0, 20, 31)]


def test_a_client_too_slow_for_its_queue_loses_nothing_and_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE", 2)
    run = make_run()

    async def scene() -> tuple[Client, Client]:
        slow, quick = Client(run, 1), asyncio.create_task(Client(run, 1).hear(41))
        async with aclosing(broadcast(run.pk, 1)) as texts:
            slow.take(await anext(texts))  # the run's row: it has joined
            await waits_for(lambda: followers(run) == 2)
            for first in range(0, 40, 4):
                await asyncio.to_thread(write, run, first, 4)
                await waits_for(lambda first=first: shared(run).sent == first + 5)
            heard = await asyncio.wait_for(quick, PATIENCE)
            while slow.cursor < 41:
                slow.take(await asyncio.wait_for(anext(texts), PATIENCE))
        return slow, heard

    slow, quick = asyncio.run(scene())
    assert slow.seen == quick.seen == list(range(2, 42))


def test_what_was_said_between_the_last_look_and_joining_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes after it that would show the gap."""
    run = make_run()
    real = module.read_chunk
    first_is_there = asyncio.Event()

    async def slow_to_join(*arguments: Any) -> Any:
        records = await real(*arguments)
        if first_is_there.is_set() and not records and shared(run).sent < 2:
            await asyncio.to_thread(write, run, 0, 1)
            await waits_for(lambda: shared(run).sent == 2)
        return records

    async def scene() -> Client:
        first = asyncio.create_task(Client(run, 1).hear(99))
        await waits_for(lambda: followers(run) == 1)
        first_is_there.set()
        try:
            return await Client(run, 1).hear(2)
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    monkeypatch.setattr(module, "read_chunk", slow_to_join)
    assert asyncio.run(scene()).seen == [2]


def test_whoever_knows_more_than_was_said_to_all_is_told_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of a moment is held back for the others; somebody who joins then has read it from the table already."""
    monkeypatch.setattr(module.frames, "STRUCTURE_SPACING", 3600.0)
    run = make_run()

    async def scene() -> tuple[Client, Client]:
        early, late = Client(run, 1), Client(run, 1)
        listening = asyncio.create_task(early.hear(4))
        await waits_for(lambda: followers(run) == 1)
        await asyncio.to_thread(say, run, [frame(0, [0.5]), frame(1, [0.5])])  # 2 is told, 3 is held back
        await waits_for(lambda: early.cursor >= 2)
        knows = asyncio.create_task(late.hear(4))
        await waits_for(lambda: late.cursor == 3 and followers(run) == 2)
        monkeypatch.setattr(module.frames, "STRUCTURE_SPACING", 0.0)
        await asyncio.to_thread(write, run, 0, 1)
        return await asyncio.wait_for(listening, PATIENCE), await asyncio.wait_for(knows, PATIENCE)

    early, late = asyncio.run(scene())
    assert early.cursor == late.cursor == 4
    assert early.seen[-1] == late.seen[-1] == 4


def test_one_voice_serves_all_who_watch_a_run_and_ends_with_the_last() -> None:
    run = make_run()

    async def scene() -> tuple[int, int]:
        tasks = [asyncio.create_task(Client(run, 0).hear(3)) for _ in range(5)]
        await waits_for(lambda: followers(run) == 5)
        during = len(module._broadcasts.here())
        await asyncio.to_thread(write, run, 0, 2)
        await asyncio.gather(*tasks)
        return during, len(module._broadcasts.here())

    assert asyncio.run(scene()) == (1, 0)


def test_a_failure_ends_every_client_and_the_next_one_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    real = module._run_text

    def broken(_: Any) -> Any:
        raise RuntimeError("no more")

    async def scene() -> list[Any]:
        monkeypatch.setattr(module, "_run_text", broken)
        ends = await asyncio.gather(*(Client(run, 1).hear(2) for _ in range(3)), return_exceptions=True)
        monkeypatch.setattr(module, "_run_text", real)
        again = asyncio.create_task(Client(run, 1).hear(2))
        await waits_for(lambda: followers(run) == 1)
        await asyncio.to_thread(write, run, 0, 1)
        return [*ends, await asyncio.wait_for(again, PATIENCE)]

    *ends, again = asyncio.run(scene())
    assert [type(end) for end in ends] == [RuntimeError] * 3
    assert again.seen == [2]
