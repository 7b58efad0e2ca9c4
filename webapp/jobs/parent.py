"""Children that end with their parent, also when the parent is killed with a signal that nobody can catch."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

VARIABLE = "NASCOPE_PARENT_PID"
_PR_SET_PDEATHSIG = 1
_WATCH_SECONDS = 0.5


def die_with_parent() -> None:
    """If this process was started by a supervisor (it says so in the environment), end when that ends.

    On Linux the kernel does it (prctl); a thread that watches the parent's pid does it everywhere, and closes the gap of a parent that
    died before this call.
    """
    expected = int(os.environ.get(VARIABLE, "0"))
    if not expected:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != expected:
        os._exit(1)
    threading.Thread(target=_watch, args=(expected,), name="parent-watch", daemon=True).start()


def _watch(expected: int) -> None:
    while os.getppid() == expected:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)
