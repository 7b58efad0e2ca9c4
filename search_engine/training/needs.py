"""What a computation needs while it runs: the bytes that its tensors take at their peak, and its FLOPs.

Both are counted, not measured: bytes storage by storage, from the operation that makes it to the moment when nobody refers to it any more;
FLOPs by `FlopCounter`. So they are equal on every machine, and a backward pass has the peak that it has. Work space inside a kernel is not
seen, nor is what is no tensor.
"""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from .flops import FlopCounter


class TooMuch(BaseException):
    """What is counted has reached a limit. No Exception: what is under way must not take it for a failure of its own."""


class Needs(TorchDispatchMode):
    """Counts while it is active; entered by `counting`."""

    def __init__(self, bytes_limit: float, flops_limit: float, operations_limit: float) -> None:
        super().__init__()
        self.now = 0
        """Bytes that are held now, of what was made since counting began."""
        self.peak = 0
        """The most that was held at once since the last `part`."""
        self.cut = False
        """Whether a limit was reached: the figures are then lower bounds."""
        self._limits = (bytes_limit, flops_limit, operations_limit)
        self._operations = 0
        self._counter = FlopCounter()
        self._before = 0.0
        self._held: dict[int, tuple[Any, int]] = {}
        self.course = array("q", [0])
        """Bytes that were held after each operation since the last `part`."""

    @property
    def flops(self) -> float:
        """FLOPs (2 x MACs) since the last `part`."""
        return float(self._counter.total) - self._before

    def part(self) -> None:
        """Count anew from here; what is held stays held."""
        self.peak, self._before = self.now, float(self._counter.total)
        self.course = array("q", [self.now])

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Otherwise torch imports its compiler, only to say that it must leave this mode alone.
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for item in made if isinstance(made, tuple | list) else (made,):
            if isinstance(item, torch.Tensor):
                self._hold(item)
        self.course.append(self.now)
        self._operations += 1
        if self.now > self._limits[0] or self.flops > self._limits[1] or self._operations > self._limits[2]:
            self.cut = True
            raise TooMuch
        return made

    def _hold(self, tensor: torch.Tensor) -> None:
        # A storage's Python object lives as long as the storage itself.
        storage = tensor.untyped_storage()
        key = id(storage)
        if key not in self._held:
            self._held[key] = (weakref.ref(storage, lambda _: self._release(key)), size := storage.nbytes())
            self.now += size
            self.peak = max(self.peak, self.now)

    def _release(self, key: int) -> None:
        self.now -= self._held.pop(key)[1]


@contextmanager
def counting(
    bytes_limit: float = float("inf"), flops_limit: float = float("inf"), operations_limit: float = float("inf")
) -> Iterator[Needs]:
    """Count what happens in the block, which ends quietly at the operation that passes a limit (`cut` says so).

    >>> with counting() as needs:
    ...     product = torch.zeros(1000, 1000) @ torch.zeros(1000, 1000)
    ...     del product
    >>> needs.peak, needs.now, needs.flops
    (12000000, 0, 2000000000.0)
    """
    needs = Needs(bytes_limit, flops_limit, operations_limit)
    with needs._counter, needs:
        try:
            yield needs
        except TooMuch:
            return
