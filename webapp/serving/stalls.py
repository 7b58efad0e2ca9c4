"""A client that takes nothing any more of what is sent to it."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings


class EndsWhenStalled(asyncio.Protocol):
    """Mixed into a protocol of uvicorn's: where what is written has waited for so long that nothing of it went out, the connection ends.
    uvicorn would wait for ever."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    _stalled: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unstall()
        self._stalled = self.loop.call_later(settings.NASCOPE_WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._unstall()
        super().resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._unstall()
        super().connection_lost(error)

    def _unstall(self) -> Any:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
