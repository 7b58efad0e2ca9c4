"""Children that end with their parent, also when the parent is killed with a signal that nobody can catch."""

from __future__ import annotations

import os
import threading
import time

VARIABLE = "NASCOPE_PARENT_PID"
_WATCH_SECONDS = 0.5


def die_with_parent() -> None:
    """If this process was started by a supervisor (it says so in the environment), end when that ends.

    A thread watches the parent's pid. On Linux the kernel is faster (search_engine.base.children sees to it at the start of the child);
    elsewhere this is all there is.
    """
    expected = int(os.environ.get(VARIABLE, "0"))
    if not expected:
        return
    if os.getppid() != expected:
        os._exit(1)
    threading.Thread(target=_watch, args=(expected,), name="parent-watch", daemon=True).start()


def _watch(expected: int) -> None:
    while os.getppid() == expected:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)
