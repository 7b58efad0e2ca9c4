"""Following a run's events live.

    async for records in tail(run_id, after=120, idle=10):
        ...   # event records with consecutive seq from 121 on, in chunks; [] after `idle` quiet seconds

The table is the truth for catching up and for live alike, so nothing is ever lost or queued without bound. Each tail reads for itself:
whoever speaks to many (webapp.live.broadcast) has one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.db import Error, connection

from ..core.per_loop import PerLoop
from .listen import FALLBACK_SECONDS, Listener
from .store import read_after

log = logging.getLogger(__name__)

Record = dict[str, Any]

CHUNK = 500
"""Events of one read."""

# Reads of the tail have threads (and database connections) of their own, so a slow request cannot delay them.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="tail")
_listeners = PerLoop(Listener)


async def tail(run_id: UUID, after: int = 0, idle: float = FALLBACK_SECONDS) -> AsyncGenerator[list[Record], None]:
    """Chunks of event records with seq > `after`, consecutive and in order, first what is stored, then what comes, without end.

    An empty list comes after `idle` seconds without news, so that the consumer can do what time alone makes due. The run's own row may have
    changed without an event. Close the iterator (`aclosing`) to stop.
    """
    cursor = after
    with _listeners.here().following(str(run_id)) as news:
        while True:
            news.clear()
            looked = time.monotonic()
            while records := await read_chunk(run_id, cursor):
                cursor = records[-1]["seq"]
                yield records
            # A wake-up may be lost, so the table is looked at now and then whatever is heard.
            while not news.is_set() and time.monotonic() - looked < FALLBACK_SECONDS:
                try:
                    await asyncio.wait_for(news.wait(), min(idle, FALLBACK_SECONDS))
                except TimeoutError:
                    yield []


async def read_chunk(run_id: UUID, after: int, limit: int = CHUNK) -> list[Record]:
    """Up to `limit` event records with seq > `after`, in order. An error of the database is tried again once a second, for ever."""
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(_threads, _guarded, read_after, run_id, after, limit)
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
