"""Waiting for news, once per web process: whoever follows a run is woken when the run may have something new.

SQLite: the file's `PRAGMA data_version` changes with any other connection's commit, so every follower is woken. PostgreSQL: one LISTEN
connection, Redis: one subscription; both carry the run's id. All are hints; followers look once a second anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.db import connection

from . import wake

log = logging.getLogger(__name__)

POLL_SECONDS = 0.025
RECONNECT_SECONDS = 1.0
FALLBACK_SECONDS = 1.0
_KEEPALIVE = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)) if hasattr(socket, name)
}
"""Seconds and times after which a silent connection counts as dead, where the system can be told so."""


class Listener:
    """Followers register an asyncio.Event per run; the listening task lives as long as there is one."""

    def __init__(self) -> None:
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def following(self, run_id: str) -> Any:
        """An event that is set whenever the run may have news."""
        event = asyncio.Event()
        self._followers.setdefault(run_id, set()).add(event)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._listen())
        try:
            yield event
        finally:
            followers = self._followers[run_id]
            followers.discard(event)
            if not followers:
                del self._followers[run_id]
            if not self._followers and self._task is not None:
                self._task.cancel()
                self._task = None

    def _wake(self, run_id: str | None) -> None:
        """None: any run may have news."""
        for key in list(self._followers) if run_id is None else [run_id]:
            for event in self._followers.get(key, ()):
                event.set()

    async def _listen(self) -> None:
        source = {"data_version": _data_versions, "notify": _notifications, "redis": _messages}[wake.kind()]
        while True:
            try:
                async for run_id in source():
                    self._wake(run_id)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                # Followers fall back to looking once a second until this is back.
                log.warning("wake-ups are interrupted: %s", error)
            await asyncio.sleep(RECONNECT_SECONDS)


async def _data_versions() -> AsyncIterator[str | None]:
    # Reads a counter in shared memory (microseconds), so it may run in the event loop.
    name = connection.settings_dict["NAME"]
    with contextlib.closing(sqlite3.connect(name, timeout=0, isolation_level=None, check_same_thread=False)) as database:
        seen = None
        while True:
            with contextlib.suppress(sqlite3.OperationalError):
                version = database.execute("PRAGMA data_version").fetchone()[0]
                if version != seen:
                    seen = version
                    yield None
            await asyncio.sleep(POLL_SECONDS)


async def _notifications() -> AsyncIterator[str | None]:
    import psycopg

    parameters = {name: value for name, value in connection.get_connection_params().items() if name not in ("cursor_factory", "context")}
    async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as database:
        await database.execute(f"LISTEN {wake.CHANNEL}")
        yield None  # what came while nobody listened
        async for notice in database.notifies():
            yield notice.payload


async def _messages() -> AsyncIterator[str | None]:
    from redis import asyncio as redis

    # No socket timeout: an idle subscription is no error. A server that is cut off without a word is found out by the system.
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=None, health_check_interval=30, socket_keepalive=True, socket_keepalive_options=_KEEPALIVE
    )
    try:
        async with client.pubsub() as subscription:
            await subscription.subscribe(wake.CHANNEL)
            yield None
            async for message in subscription.listen():
                if message["type"] == "message":
                    yield message["data"].decode()
    finally:
        await client.aclose()
