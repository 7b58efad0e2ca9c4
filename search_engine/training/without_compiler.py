"""Training without torch's compiler in memory.

Nothing here is ever compiled, but torch (2.13) imports its compiler all the same: a second of CPU and 110 MB in every process that trains.
It does so the first time that one of these is called, only to say that the compiler must leave it alone:

- what `torch._disable_dynamo` guards: adding parameters to an optimiser, `zero_grad`, an optimiser's state, and the dispatch of the FLOP
  counter;
- the `step` of every optimiser, which marks where a compiled graph would have to break;
- `torch.use_deterministic_algorithms`, which tells the compiler too (`torch.set_deterministic_debug_mode` does the same for everything
  that is not compiled).

`leave_out` takes the first two guards off. What they guard computes the same, bit for bit. Where the compiler is truly needed (the ONNX
export of a finished model) it is imported as before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.optim.optimizer import Optimizer, _use_grad_for_differentiable
from torch.utils import flop_counter


def _code(function: Any) -> Any:
    return getattr(function, "__code__", None)


def _nothing() -> None: ...


_GUARD = _code(torch._disable_dynamo(_nothing))
_STEP = _code(_use_grad_for_differentiable(_nothing))
"""All functions that one decorator made share one code object: so they are told from others."""


def leave_out() -> None:
    """Take the guards off torch's optimisers and its FLOP counter, once for this process. More often does no harm.

    >>> leave_out()
    >>> torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.1).step()
    """
    guarded: list[type] = [Optimizer, *_all_subclasses(Optimizer), flop_counter._FlopCounterMode]
    for owner in guarded:
        for name, method in list(vars(owner).items()):
            if _code(method) is _GUARD:
                setattr(owner, name, method.__wrapped__)
            elif _code(method) is _STEP:
                setattr(owner, name, _step(method.__wrapped__))


def _all_subclasses(owner: type) -> list[type]:
    children: list[type] = owner.__subclasses__()
    return [*children, *(item for child in children for item in _all_subclasses(child))]


def _step(step: Callable[..., Any]) -> Callable[..., Any]:
    """What torch puts around an optimiser's step, without the marks for the compiler."""

    @functools.wraps(step)
    def without_gradients(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return step(self, *args, **kwargs)

    return without_gradients
