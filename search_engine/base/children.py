"""Child processes that do not outlive the process that started them, even if that is killed with a signal that nobody can catch."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_PROGRAM = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, kept by exec
if os.getppid() == int(sys.argv[1]):  # else the parent died before the line above
    os.execv(sys.argv[2], sys.argv[2:])
"""


def ends_with_parent(command: Sequence[str]) -> list[str]:
    """The command (its program as an absolute path), run so that the kernel kills it when the calling thread ends. Linux only; elsewhere
    the command as it is."""
    if sys.platform != "linux":
        return list(command)
    # Not by preexec_fn: that runs Python between fork and exec, where another thread's lock may be held for ever.
    return [sys.executable, "-I", "-S", "-c", _PROGRAM, str(os.getpid()), *command]
