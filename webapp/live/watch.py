"""Whether what let the clients in still does: asked for all open sockets together, again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from channels.db import database_sync_to_async
from django.db import Error

from webapp.accounts.credentials import Credential
from webapp.core.per_loop import PerLoop

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
"""How often it is asked."""
TOGETHER = 20
"""Credentials that are asked for in one go: the thread that answers also answers other sockets."""


class _Watch:
    """Sockets that came by the same session (several pages of one browser) are one question."""

    def __init__(self) -> None:
        self._waiting: dict[Credential, set[asyncio.Future[None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def ended(self, credential: Credential) -> None:
        """Returns once the credential lets nobody in any more. Raises what went wrong, unless the database is away: nothing new can be
        read and sent then either."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(credential, set()).add(future)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._ask())
        try:
            await future
        finally:
            same = self._waiting[credential]
            same.discard(future)
            if not same:
                del self._waiting[credential]
            if not self._waiting and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _ask(self) -> None:
        while True:
            asked = list(self._waiting)
            for first in range(0, len(asked), TOGETHER):
                some = asked[first : first + TOGETHER]
                try:
                    lost = await database_sync_to_async(_lost)(some)
                except Error as error:
                    log.warning("whether sockets may stay open cannot be read yet: %s", error)
                    continue
                except Exception as error:
                    for credential in some:
                        self._settle(credential, error)
                    continue
                for credential in lost:
                    self._settle(credential, None)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _settle(self, credential: Credential, error: Exception | None) -> None:
        for future in self._waiting.get(credential, ()):
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)


def _lost(credentials: Sequence[Credential]) -> list[Credential]:
    return [credential for credential in credentials if not credential.holds()]


_watches = PerLoop(_Watch)


async def ended(credential: Credential) -> None:
    """Returns once the credential lets nobody in any more, at most HEARTBEAT_SECONDS later."""
    await _watches.here().ended(credential)
