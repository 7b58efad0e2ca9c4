"""Servers that help and that nothing may depend on, such as Redis. While one is away nobody waits for it more than once in a while."""

from __future__ import annotations

import logging
import threading
import time

log = logging.getLogger(__name__)

AGAIN_SECONDS = 10.0
"""How long after a failure nobody asks it: a server that does not answer costs its time limit each time."""


class Helper:
    """One such server as this process sees it. Ask `worth_asking` first, then say `answered` or `failed`."""

    def __init__(self, name: str, instead: str) -> None:
        self.name = name
        self.instead = instead
        """What happens without it, in words."""
        self._ask_again = 0.0
        self._away = False
        self._lock = threading.Lock()

    def worth_asking(self) -> bool:
        """False for a while after a failure."""
        return not self._away or time.monotonic() >= self._ask_again

    def answered(self) -> None:
        if self._away:
            with self._lock:
                self._away = False
            log.warning("%s answers again", self.name)

    def failed(self, error: Exception) -> None:
        with self._lock:
            first, self._away = not self._away, True
            self._ask_again = time.monotonic() + AGAIN_SECONDS
        if first:
            log.warning("%s is away (%s); %s", self.name, error, self.instead)
