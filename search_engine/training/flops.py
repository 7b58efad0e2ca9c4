"""Counting FLOPs without slowing what is counted.

The numbers are those of `torch.utils.flop_counter.FlopCounterMode`, by its own formulas. That counter also finds out which module an
operation belongs to, which makes a counted step several times slower than another; here only the sum is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class FlopCounter(TorchDispatchMode):
    """Adds up, while it is entered, 2 x MACs of every matrix product and convolution, forward and backward.

    >>> import torch
    >>> with FlopCounter() as counter:
    ...     product = torch.ones(2, 3) @ torch.ones(3, 4)
    >>> counter.total
    48
    """

    total: int

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self._kinds: dict[Any, Callable[..., int] | bool] = {}
        """What each operation is: its formula, or whether it consists of other operations."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Nothing is compiled here, and the guard against it takes longer than the rest of the dispatch.
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        kind = self._kinds.get(func)
        if kind is None:
            kind = self._kinds[func] = _formula(func) or func._can_decompose()
        if kind is True:
            with self:
                return func.decompose(*args, **given)
        out = func(*args, **given)
        if kind is not False:
            self.total += kind(*args, **given, out_val=out)
        return out


def _formula(func: Any) -> Callable[..., int] | None:
    """The formula of an operation, in terms of its arguments and of `out_val`, its result; None where it has none."""
    formula = flop_registry.get(func.overloadpacket)
    of_shapes = getattr(formula, "__wrapped__", None)
    if of_shapes is None:
        return formula

    def counted(*args: Any, out_val: Any, **kwargs: Any) -> int:
        out = tuple(map(_shape, out_val)) if isinstance(out_val, tuple) else _shape(out_val)
        named = {name: _shape(value) for name, value in kwargs.items()}
        flops: int = of_shapes(*map(_shape, args), out_shape=out, **named)
        return flops

    # torch's wrapper of such a formula looks for tensors in every argument's parts, which takes longer than the operation.
    return counted


def _shape(value: Any) -> Any:
    return value.shape if isinstance(value, torch.Tensor) else value
