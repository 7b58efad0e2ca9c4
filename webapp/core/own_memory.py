"""Django's cache in a process's own memory, on the monotonic clock: what lasts a minute does so although somebody puts the clock back."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache


class OwnMemoryCache(LocMemCache):
    """Django's own takes the clock on the wall: after an hour too far, set right, nobody could log in for that hour."""

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> float | None:
        """When it expires, of the monotonic clock; None: never. (What is 0 or less expires at once.)"""
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if seconds is None else time.monotonic() + seconds if seconds > 0 else -1.0

    def _has_expired(self, key: str) -> bool:
        expires = self._expire_info.get(key, -1)  # type: ignore[attr-defined]
        return expires is not None and bool(expires <= time.monotonic())
