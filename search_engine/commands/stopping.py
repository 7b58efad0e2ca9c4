"""Stopping in good order: whoever asks (Ctrl-C, a scheduler, a terminal that is closed), the run ends at a checkpoint."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopping:
    """While it is entered, the first of `SIGNALS` makes `asked()` true; a second one acts as it did before, for who cannot wait for the
    unit under way. The main thread's; elsewhere there is nothing to catch, and it never asks.

    >>> import os
    >>> with Stopping() as stopping:
    ...     before = stopping.asked()
    ...     os.kill(os.getpid(), signal.SIGTERM)
    ...     print(before, stopping.asked())
    False True
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, object] = {}

    def asked(self) -> bool:
        return self._asked

    def __enter__(self) -> Stopping:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in SIGNALS:
            before = signal.getsignal(number)
            # nohup ignores SIGHUP: so it stays.
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._ask)
        return self

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        self._restore()

    def _restore(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]
        self._before = {}

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._restore()
