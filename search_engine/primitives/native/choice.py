"""Which arithmetic the depthwise convolutions of a run are computed by.

It is decided when a run first has one to compute, recorded with the run, and kept: a search never changes its arithmetic half way, and one
that goes on elsewhere does so with what it began with, if that is there. torch's own is always there.

The environment decides for new runs: NASCOPE_NATIVE=0 torch's own; 1 the compiled kernel, an error where it cannot be built; auto (default)
the compiled kernel where it can be built. It is no option of a run, whose config must not depend on the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ...base.errors import BadInput
from ...base.quoting import shown

if TYPE_CHECKING:
    from .kernel import Kernel

TORCH = "torch"
"""Name of torch's own arithmetic. The compiled kernel's is `c-<digest of all that decides its bits>`."""


class Choice:
    """The choice of one run. `decided` is None until a convolution asks; then it never changes.

    >>> choice = Choice(TORCH)
    >>> choice.decided, choice.kernel(), choice.decided
    (None, None, 'torch')
    >>> elsewhere = Choice("c-0123456789ab")
    >>> elsewhere.kernel(), elsewhere.decided
    (None, 'torch')
    """

    def __init__(self, recorded: str | None = None) -> None:
        """`recorded`: what the run has used so far."""
        self.decided: str | None = None
        self._recorded = recorded
        self._kernel: Kernel | None = None

    def kernel(self) -> Kernel | None:
        """The compiled kernel to compute with; None = torch's own. Raises BadInput where the environment asks for what is not there."""
        if self.decided is None:
            self._kernel = wanted() if self._recorded is None else available(self._recorded)
            self.decided = TORCH if self._kernel is None else name_of(self._kernel)
        return self._kernel


def kernel() -> Kernel | None:
    """That of this machine. Only here is torch loaded: who merely records a run's choice has no need of it."""
    from .kernel import kernel as own

    return own()


def name_of(found: Kernel) -> str:
    return f"c-{found.identity}"


def wanted() -> Kernel | None:
    """What a new run computes with, as NASCOPE_NATIVE says. Raises BadInput."""
    asked = os.environ.get("NASCOPE_NATIVE", "auto")
    if asked not in ("0", "1", "auto"):
        raise BadInput("NASCOPE_NATIVE", f"{shown(asked)} is none of 0, 1, auto")
    found = None if asked == "0" else kernel()
    if asked == "1" and found is None:
        raise BadInput("NASCOPE_NATIVE", "the compiled kernel cannot be built here (the log says why); use auto or 0")
    return found


def available(recorded: str) -> Kernel | None:
    """The kernel of that name, if it is this machine's; None for torch's own too."""
    found = None if recorded == TORCH else kernel()
    return found if found is not None and name_of(found) == recorded else None


_current: ContextVar[Choice | None] = ContextVar("arithmetic", default=None)


def current() -> Choice:
    """The choice of the run under way; outside of any, what a new run would choose."""
    return _current.get() or Choice()


@contextmanager
def using(choice: Choice) -> Iterator[None]:
    """Compute by that choice in the block."""
    token = _current.set(choice)
    try:
        yield
    finally:
        _current.reset(token)
