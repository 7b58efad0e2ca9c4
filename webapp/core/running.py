"""Whether `manage.py up` serves this home just now, and at which address."""

from __future__ import annotations

import fcntl
from pathlib import Path

from django.conf import settings

LONGEST = 300
"""Bytes of an address."""


def lock_path() -> Path:
    """The file that `up` keeps locked as long as it lives, with its address inside."""
    return Path(settings.NASCOPE_HOME) / "supervisor.lock"


def address() -> str | None:
    """`http://127.0.0.1:8000`, for a browser of this machine; None where nobody serves this home, or it is still starting."""
    try:
        with lock_path().open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(LONGEST).strip() or None
    except OSError:
        pass
    return None
