"""What is said to those who watch a run: made once in this process, however many they are.

    async for text in broadcast(run_id, after=120):
        await send(text)   # events after 120 without a gap, the run's row when it changed, signs of life

One reader per run looks at new events, leaves out pictures that are out of date, and writes the rest down as one text that all clients
are sent. A client that comes late or takes long reads the table from its own number, up to where the others are: it holds nobody up, and
nothing is queued for it without bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from typing import NamedTuple
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import Error

from webapp.api.present import run_info, run_rows
from webapp.core.models import Run
from webapp.core.per_loop import PerLoop
from webapp.events.tail import CHUNK, read_chunk, tail

from . import frames
from .shared_text import SharedText

log = logging.getLogger(__name__)

PING_SECONDS = 20.0
TICK_SECONDS = 0.1
"""How often a quiet run is looked at for something held back that is due."""
RUN_SPACING = 0.5
"""Seconds between two looks at a run's row."""
QUEUE = 64
"""Texts that a client may be behind before it reads the table instead."""


class _Said(NamedTuple):
    """A frame of events and its range."""

    from_seq: int
    to_seq: int
    text: str


class _Follower:
    """One client's queue."""

    def __init__(self) -> None:
        self.said: deque[_Said] = deque()
        self.news = asyncio.Event()

    def offer(self, said: _Said) -> None:
        if len(self.said) >= QUEUE:
            # The gap that this leaves is read from the table.
            self.said.clear()
        self.said.append(said)


class _Broadcast:
    """The one voice of a run in this process, from event number `start` on."""

    def __init__(self, run_id: UUID, start: int) -> None:
        self.run_id = run_id
        self.sent = start
        """Number of the last event that was said, or left out as out of date."""
        self.run_text = ""
        """The newest frame of the run's row."""
        self.gone = False
        """The run was deleted."""
        self.pings = 0
        self.failure: BaseException | None = None
        self.followers: set[_Follower] = set()
        self._spoke = time.monotonic()
        self._task = asyncio.get_running_loop().create_task(self._speak())

    def stop(self) -> None:
        self._task.cancel()

    async def _speak(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tell_events())
                group.create_task(self._tell_run())
        except BaseExceptionGroup as group:
            self.failure = group.exceptions[0]
            self._wake()

    def _wake(self) -> None:
        self._spoke = time.monotonic()
        for follower in self.followers:
            follower.news.set()

    async def _tell_events(self) -> None:
        held: list[frames.Record] = []
        structure = float("-inf")
        async with contextlib.aclosing(tail(self.run_id, self.sent, idle=TICK_SECONDS)) as chunks:
            async for records in chunks:
                held += records
                now = time.monotonic()
                # A full chunk means catching up: then one structure frame a chunk is thin enough, and waiting would only delay.
                cut = frames.thin(held, due=len(records) >= CHUNK or now - structure >= frames.STRUCTURE_SPACING)
                if cut is not None:
                    said = _said(self.sent, cut, SharedText)
                    self.sent, held = said.to_seq, cut.held
                    structure = now if cut.structure else structure
                    for follower in self.followers:
                        follower.offer(said)
                    self._wake()
                elif now - self._spoke >= PING_SECONDS:
                    self.pings += 1
                    self._wake()

    async def _tell_run(self) -> None:
        while not self.gone:
            try:
                text = await database_sync_to_async(_run_text)(self.run_id)
            except Error as error:
                log.warning("a run's row cannot be read yet: %s", error)
            else:
                self.gone = text is None
                if text != self.run_text:
                    self.run_text = text or ""
                    self._wake()
            await asyncio.sleep(RUN_SPACING)


_broadcasts: PerLoop[dict[UUID, _Broadcast]] = PerLoop(dict)


@contextlib.contextmanager
def _joined(run_id: UUID, cursor: int) -> Iterator[tuple[_Broadcast, _Follower]]:
    """A place among the followers of the run's broadcast, which begins with the first and ends with the last of them."""
    running = _broadcasts.here()
    shared = running.get(run_id)
    if shared is None or shared.failure is not None:
        shared = running[run_id] = _Broadcast(run_id, cursor)
    follower = _Follower()
    shared.followers.add(follower)
    try:
        yield shared, follower
    finally:
        shared.followers.discard(follower)
        if not shared.followers:
            shared.stop()
            if running.get(run_id) is shared:
                del running[run_id]


async def broadcast(run_id: UUID, after: int) -> AsyncGenerator[str, None]:
    """The frames of a run for one client that knows its events up to number `after`; ends when the run was deleted. Close the iterator
    (`aclosing`) to stop. Raises what went wrong while the frames were made."""
    cursor = after
    # Catch up before joining, so that a long history is read for this client alone.
    while (said := await _from_table(run_id, cursor, CHUNK)) is not None:
        cursor = said.to_seq
        yield said.text
    with _joined(run_id, cursor) as (shared, follower):
        run_text, pings = "", shared.pings
        while True:
            follower.news.clear()
            while follower.said or cursor < shared.sent:
                found = await _next(run_id, cursor, shared, follower)
                if found is None:
                    break  # its events are gone, and so will its row be
                cursor = found.to_seq
                yield found.text
            if shared.failure is not None:
                raise shared.failure
            if shared.gone:
                return
            if shared.run_text != run_text:
                run_text = shared.run_text
                yield run_text
            elif shared.pings != pings:
                yield _PING
            pings = shared.pings
            await follower.news.wait()


async def _next(run_id: UUID, cursor: int, shared: _Broadcast, follower: _Follower) -> _Said | None:
    """What comes after `cursor` for a client that is not where all are: the next in its queue, or what is missing before that."""
    while follower.said and follower.said[0].to_seq <= cursor:
        follower.said.popleft()
    if not follower.said:
        # Came after it was said.
        until = shared.sent
    elif follower.said[0].from_seq == cursor + 1:
        return follower.said.popleft()
    else:
        # Fell behind; or knows already a part of what was held back for the others.
        first = follower.said[0]
        until = first.from_seq - 1 if first.from_seq > cursor else first.to_seq
    return await _from_table(run_id, cursor, min(CHUNK, until - cursor))


async def _from_table(run_id: UUID, cursor: int, limit: int) -> _Said | None:
    """The frame of up to `limit` stored events after `cursor`; None where there is none."""
    cut = frames.thin(await read_chunk(run_id, cursor, limit), due=True)
    return None if cut is None else _said(cursor, cut, str)


def _said(sent: int, cut: frames.Cut, kind: type[str]) -> _Said:
    return _Said(sent + 1, cut.to_seq, kind(frames.events_text(sent + 1, cut)))


def _run_text(run_id: UUID) -> str | None:
    run = run_rows(Run.objects.filter(pk=run_id)).first()
    return None if run is None else SharedText(frames.RunChanged(run=run_info(run)).model_dump_json())


_PING = SharedText(frames.Ping().model_dump_json())
