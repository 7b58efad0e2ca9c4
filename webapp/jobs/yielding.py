"""A slice that makes room: it ends early where something short waits for a worker, and all workers are in slices."""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import Error, connection

from .claim import hurried

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25


class Yielding:
    """Asked between two units of one slice. In its first second a slice asks nobody: what ends sooner than that writes checkpoints more
    than it computes. Then it looks a few times a second, which costs a query each."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._look = time.monotonic() + settings.NASCOPE_YIELD_SECONDS

    def due(self) -> bool:
        """Whether the slice should end at this unit."""
        now = time.monotonic()
        if now < self._look:
            return False
        self._look = now + LOOK_SECONDS
        try:
            return hurried(self._device)
        except Error as error:
            # The database is away for a moment; the end of the slice will find out whether it stays away.
            log.warning("who waits is not known: %s", error)
            connection.close()
            return False
