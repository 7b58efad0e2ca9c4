"""The memory that a worker may take, and the thread that ends the process which takes more.

A limit of the address space (RLIMIT_AS) would end healthy work: torch maps far more than it touches. So the resident size is watched. What
crosses the ceiling fails with that reason and is not tried again: it would need as much the next time. Where the machine runs short all the
same, the kernel is told to end a worker before anything else (`ends_first`).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from django.conf import settings

from search_engine.base.memory import container_limit, in_words, memory_here

VARIABLE = "NASCOPE_MEMORY_CEILING"
OVER = 71
"""Exit status of a worker that crossed its ceiling."""
SHARE = 0.8
"""Of the machine's memory; the rest is the web process's, the database's, the system's."""
LEAST = 1_000_000_000.0
"""No share is smaller: a worker alone takes a third of that."""
LOOK_SECONDS = 0.1
TELL_SECONDS = 15.0
"""So long the database may take to be told."""
NO_LONGER = 1.25
"""Ceilings that the process may take meanwhile: where it goes on growing, the telling is left to whoever started it."""


def share(workers: int) -> float:
    """Bytes for each of so many workers of this machine or container."""
    return max(LEAST, SHARE * memory_here() / max(workers, 1))


def ceiling() -> float:
    """Bytes that this worker may take: NASCOPE_MEMORY_CEILING; else, alone in a container that has a limit, nine tenths of that; else a
    share as if every core had a worker."""
    if settings.NASCOPE_MEMORY_CEILING > 0:
        return float(settings.NASCOPE_MEMORY_CEILING)
    limit = container_limit()
    return 0.9 * limit if limit < float("inf") else share(os.cpu_count() or 1)


def reason(limit: float) -> str:
    """Why work failed that crossed the ceiling."""
    return f"needed more than {in_words(limit)} of memory, which is what a worker may take (NASCOPE_MEMORY_CEILING)"


def resident() -> int:
    """Bytes that this process takes of the main memory."""
    return int(psutil.Process().memory_info().rss)


def ends_first() -> None:
    """Where memory runs out, the kernel ends this process before others. Linux only."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


class MemoryWatch:
    """Looks at the resident size until `end`. Above the ceiling `tell` is called, once, and the process ends with status OVER, whatever
    becomes of the telling."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        limit = ceiling()
        while not self._ended.wait(LOOK_SECONDS):
            if resident() > limit:
                telling = threading.Thread(target=self._tell, args=(reason(limit),), daemon=True)
                telling.start()
                until = time.monotonic() + TELL_SECONDS
                while telling.is_alive() and time.monotonic() < until and resident() < NO_LONGER * limit:
                    telling.join(LOOK_SECONDS)
                os._exit(OVER)

    def end(self) -> None:
        self._ended.set()
        self._thread.join(timeout=5)
