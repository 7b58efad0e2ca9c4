"""Following a run's events live.

    async for records in tail(run_id, after=120, idle=10):
        ...   # event records with consecutive seq from 121 on, in chunks; [] after `idle` quiet seconds

The table is the truth for catching up and for live alike. Per process and run one reader looks at new rows once and hands them to all
followers; a follower that is behind or slow reads the table from its own cursor, so nothing is ever lost or queued without bound.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.db import Error, connection

from .listen import FALLBACK_SECONDS, Listener
from .store import read_after

log = logging.getLogger(__name__)

Record = dict[str, Any]

CHUNK = 500
"""Events of one read, and of one chunk given to a follower."""
QUEUE_CHUNKS = 64
"""Chunks that a follower may be behind before it reads the table instead."""

# Reads of the tail have threads (and database connections) of their own, so a slow request cannot delay them.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="tail")


class _Follower:
    """One subscriber's queue."""

    def __init__(self) -> None:
        self.chunks: deque[list[Record]] = deque()
        self.news = asyncio.Event()

    def offer(self, records: list[Record]) -> None:
        if len(self.chunks) >= QUEUE_CHUNKS:
            # The gap that this leaves is read from the table.
            self.chunks.clear()
        self.chunks.append(records)
        self.news.set()


class _RunTail:
    """The one reader of a run in this process."""

    def __init__(self, run_id: UUID, start: int) -> None:
        self.run_id = run_id
        self.last = start
        self.followers: set[_Follower] = set()
        self.task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        with _hub().listener.following(str(self.run_id)) as news:
            while True:
                news.clear()
                while records := await _query(read_after, self.run_id, self.last, CHUNK):
                    self.last = records[-1]["seq"]
                    for follower in self.followers:
                        follower.offer(records)
                try:
                    await asyncio.wait_for(news.wait(), FALLBACK_SECONDS)
                except TimeoutError:
                    continue


class _Hub:
    """The tails of one event loop."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.tails: dict[UUID, _RunTail] = {}


_hubs: dict[asyncio.AbstractEventLoop, _Hub] = {}


def _hub() -> _Hub:
    loop = asyncio.get_running_loop()
    for old in [item for item in _hubs if item.is_closed()]:
        del _hubs[old]
    return _hubs.setdefault(loop, _Hub())


async def tail(run_id: UUID, after: int = 0, idle: float | None = None) -> AsyncGenerator[list[Record], None]:
    """Chunks of event records with seq > `after`, consecutive and in order, first what is stored, then what comes, without end.

    With `idle` an empty list comes after so many seconds without news, so that the consumer can say that it lives. The run's own row
    may have changed without an event; look at `Run.revision` then. Close the iterator (`aclosing`) to stop.
    """
    hub = _hub()
    cursor = after
    # Catch up before joining, so that a long history is read for this follower alone.
    while records := await _query(read_after, run_id, cursor, CHUNK):
        cursor = records[-1]["seq"]
        yield records
    shared = hub.tails.get(run_id)
    if shared is None:
        shared = hub.tails[run_id] = _RunTail(run_id, cursor)
    follower = _Follower()
    shared.followers.add(follower)
    try:
        while True:
            if not follower.chunks and cursor < shared.last:
                # The shared reader handed this out before the follower joined, perhaps after its last look at the table.
                missed = await _query(read_after, run_id, cursor, CHUNK)
                if not missed:
                    return
                cursor = missed[-1]["seq"]
                yield missed
                continue
            if not follower.chunks:
                follower.news.clear()
                try:
                    await asyncio.wait_for(follower.news.wait(), idle)
                except TimeoutError:
                    yield []
                    continue
            records = follower.chunks.popleft()
            if records[0]["seq"] > cursor + 1:
                # Joined late, or fell behind: fill the gap from the table.
                while cursor < records[0]["seq"] - 1:
                    missed = await _query(read_after, run_id, cursor, min(CHUNK, records[0]["seq"] - 1 - cursor))
                    if not missed:
                        return
                    cursor = missed[-1]["seq"]
                    yield missed
            fresh = [record for record in records if record["seq"] > cursor]
            if fresh:
                cursor = fresh[-1]["seq"]
                yield fresh
    finally:
        shared.followers.discard(follower)
        if not shared.followers and hub.tails.get(run_id) is shared:
            del hub.tails[run_id]
            shared.task.cancel()


async def _query(function: Callable[..., list[Record]], *arguments: Any) -> list[Record]:
    """Run a database read in a tail thread; an error of the database is tried again once a second, for ever."""
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(_threads, _guarded, function, *arguments)
        except Error as error:
            log.warning("the events cannot be read: %s", error)
            await asyncio.sleep(FALLBACK_SECONDS)


def _guarded(function: Callable[..., list[Record]], *arguments: Any) -> list[Record]:
    """Drops this thread's connection after an error: the next read makes a new one."""
    try:
        return function(*arguments)
    except Error:
        connection.close()
        raise
