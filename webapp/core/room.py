"""Whether there is room to go on: on the disk of the files, and in the database as far as this process was told.

Asked wherever something is said of runs, so that a full disk is told even where the database cannot write it down.
"""

from __future__ import annotations

import shutil
import time

from django.conf import settings
from django.db import Error

from search_engine.base import disk

REMEMBERED_SECONDS = 10.0
"""How long a database that refused to write for want of space counts as full. Nothing but another write finds out more."""
ENOUGH = 1.25
"""So many times the least free space must be there before runs go on: at the very limit they would stop again at once."""

_refused = float("-inf")


def free_bytes() -> int:
    """Free space where the files lie."""
    return shutil.disk_usage(settings.NASCOPE_HOME).free


def full() -> bool:
    """Whether nothing should be begun now."""
    return free_bytes() < settings.NASCOPE_MIN_FREE_BYTES or time.monotonic() - _refused < REMEMBERED_SECONDS


def enough() -> bool:
    """Whether what waits for space may go on."""
    return not full() and free_bytes() >= ENOUGH * settings.NASCOPE_MIN_FREE_BYTES


def says_full(error: BaseException) -> bool:
    """Whether `error` comes from a disk, or a database's disk, on which nothing more can be written. It is remembered for `full`."""
    global _refused
    if disk.is_full(error):
        # Of files `free_bytes` knows more: another folder, or a quota, says nothing of what the database can do.
        return True
    found = isinstance(error, Error) and _database_says_so(error)
    if found:
        _refused = time.monotonic()
    return found


def _database_says_so(error: Error) -> bool:
    text = str(error)
    if "disk is full" in text or "No space left" in text or getattr(error.__cause__, "sqlstate", "") == "53100":
        return True
    # SQLite's own files beside the database cannot grow, or not be made: it does not say why.
    troubled = "disk I/O error" in text or "unable to open database file" in text
    return troubled and free_bytes() < settings.NASCOPE_MIN_FREE_BYTES
