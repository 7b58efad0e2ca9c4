"""A worker that looks for work by itself: the doorbell's broker may be away, or the worker deaf to it after it came back (Celery's issues
8091 and 8384), or its clock so wrong that every ring looks stale.

Slower than a ring, which comes at once, and otherwise the same: one at a time serves, either whoever heard the bell or this thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import Error, connection

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


class Patrol:
    """A thread that calls `serve` every two seconds, and at once where `serve` says that there is more, or `look_now` was called."""

    def __init__(self, serve: Callable[[], bool]) -> None:
        self._serve = serve
        self._look = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="patrol", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look_now(self) -> None:
        self._look.set()

    def end(self, seconds: float) -> None:
        """No more looks; wait so long for the one under way."""
        self._ended.set()
        self._look.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        more = False
        while not self._ended.is_set():
            if not more:
                self._look.wait(LOOK_SECONDS)
                self._look.clear()
            more = not self._ended.is_set() and self._guarded()
        connection.close()

    def _guarded(self) -> bool:
        try:
            return self._serve()
        except Error as error:
            log.warning("the database does not answer: %s", error)
            connection.close()
            return False
        except Exception:
            # This thread must live on: it is what is left when nobody rings.
            log.exception("looking for work failed")
            return False
