"""Counting FLOPs without slowing what is counted.

The numbers are those of `torch.utils.flop_counter.FlopCounterMode`, by its own formulas, but for the gradient in the weights of a
convolution by groups, where torch counts products between groups too, which nobody computes (a depthwise convolution of 64 channels comes
out 64 times too dear), and for the second derivative of a convolution, of which torch computes more than is asked for.

That counter sees every operation in Python and finds out which module it belongs to: a counted step takes several times as long as another.
Here only the operations that have a formula come to Python, through a key of torch's dispatcher that is switched on while counting, as
autocast does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry

_KEY = "TESTING_ONLY_GenericMode"
"""A key that no tensor has and that nothing else in torch uses; it comes before autograd and the transforms."""


class FlopCounter:
    """Adds up, while it is entered, 2 x MACs of every matrix product and convolution of this thread, forward and backward.

    Counters may be entered inside one another, but not by two threads at a time.

    >>> import torch
    >>> with FlopCounter() as counter:
    ...     product = torch.ones(2, 3) @ torch.ones(3, 4)
    >>> counter.total
    48
    """

    total: int

    def __init__(self) -> None:
        self.total = 0

    def __enter__(self) -> FlopCounter:
        self._guard = torch._C._IncludeDispatchKeyGuard(_key())
        self._guard.__enter__()
        _ENTERED.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _ENTERED.remove(self)
        self._guard.__exit__(*error)


@contextmanager
def as_formula(flops: int) -> Iterator[None]:
    """What is computed inside counts as `flops`, in whatever way it is computed: by a kernel of its own that no counter sees, or by
    products with many zeros. Free where nobody counts.

    >>> import torch
    >>> with FlopCounter() as counter, as_formula(7):
    ...     product = torch.ones(2, 3) @ torch.ones(3, 4)
    >>> counter.total
    7
    """
    if not _ENTERED:
        yield
        return
    with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(_key())):
        yield
    for counter in _ENTERED:
        counter.total += flops


# Not one list per thread: autograd computes gradients on a GPU in a thread of its own, to which it hands the key on.
_ENTERED: list[FlopCounter] = []
_LIBRARIES: list[torch.library.Library] = []
"""What they registered would be gone with them."""


@lru_cache(maxsize=1)
def _key() -> Any:
    """The key, with every operation of the registry counted at it and all others passing through."""
    key = torch._C._dispatch_key_parse(_KEY)
    others, counted = torch.library.Library("_", "IMPL", _KEY), torch.library.Library("aten", "IMPL", _KEY)
    others.fallback(torch.library.fallthrough_kernel)
    for packet in flop_registry:
        if isinstance(packet, torch._ops.OpOverloadPacket):
            for name in packet.overloads():
                counted.impl(getattr(packet, name), _counting(getattr(packet, name), key))
    twice = torch.ops.aten._convolution_double_backward.default
    counted.impl(twice, _counting(twice, key))
    _LIBRARIES.extend([others, counted])
    return key


def _counting(operation: Any, key: Any) -> Callable[..., Any]:
    formula, without = _formula(operation), torch._C.DispatchKeySet(key)

    def kernel(*args: Any, **kwargs: Any) -> Any:
        # What the operation is made of does not count again.
        with torch._C._ExcludeDispatchKeyGuard(without):
            out = operation(*args, **kwargs)
        flops = formula(*args, **kwargs, out_val=out)
        for counter in _ENTERED:
            counter.total += flops
        return out

    return kernel


def _formula(operation: Any) -> Callable[..., int]:
    """The formula of an operation, in terms of its arguments and of `out_val`, its result."""
    if operation.overloadpacket is torch.ops.aten.convolution_backward:
        return _of_convolution_backward
    if operation.overloadpacket is torch.ops.aten._convolution_double_backward:
        return _of_convolution_double_backward
    formula: Callable[..., int] = flop_registry[operation.overloadpacket]
    of_shapes = getattr(formula, "__wrapped__", None)
    if of_shapes is None:
        return formula

    def by_shapes(*args: Any, out_val: Any, **kwargs: Any) -> int:
        out = tuple(map(_shape, out_val)) if isinstance(out_val, tuple) else _shape(out_val)
        named = {name: _shape(value) for name, value in kwargs.items()}
        flops: int = of_shapes(*map(_shape, args), out_shape=out, **named)
        return flops

    # torch's wrapper of such a formula looks for tensors in every argument's parts, which takes longer than the operation.
    return by_shapes


def _of_convolution_backward(
    gradient: torch.Tensor, inputs: torch.Tensor, weight: torch.Tensor, *settings: Any, out_val: Any, **named: Any
) -> int:
    """Each gradient that is wanted takes as many products as the convolution itself: every weight once per pixel of the maps that it
    steps over, which are the gradient's, or the inputs' where the convolution is transposed."""
    transposed, wanted = settings[4], settings[-1] if "output_mask" not in named else named["output_mask"]
    maps = inputs if transposed else gradient
    products = maps.shape[0] * weight.numel() * maps.shape[2:].numel()
    return 2 * products * (bool(wanted[0]) + bool(wanted[1]))


def _of_convolution_double_backward(
    of_input: torch.Tensor | None, of_weight: torch.Tensor | None, of_bias: torch.Tensor | None, gradient: torch.Tensor,
    weight: torch.Tensor, inputs: torch.Tensor, *settings: Any, out_val: Any, **named: Any,
) -> int:  # fmt: skip
    """The derivatives of both gradients of a convolution, (of_input, of_weight) being what comes to them: each is a product of three, so
    that what comes to it goes on to two, each as dear as the convolution itself. torch computes some that nobody wants; these are not
    counted."""
    transposed, wanted = settings[3], settings[-1] if "output_mask" not in named else named["output_mask"]
    maps = inputs if transposed else gradient
    of_gradient, of_inputs, of_weights = map(bool, wanted)
    passes = (of_input is not None) * (of_gradient + of_weights) + (of_weight is not None) * (of_gradient + of_inputs)
    return 2 * maps.shape[0] * weight.numel() * maps.shape[2:].numel() * passes


def _shape(value: Any) -> Any:
    return value.shape if isinstance(value, torch.Tensor) else value
