"""Differentiating twice through a function whose backward pass is written by hand.

A backward pass that runs with gradients enabled (`create_graph`) has to give gradients that are functions of everything. Then, and only
then, it differentiates the function's plain formula instead: dearer, as differentiating twice is anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ...training.flops import as_formula


def asked(ctx: Any, first: int) -> tuple[bool, ...]:
    """Which gradients the pass under way wants of the function that `ctx` belongs to, in its arguments from `first` on, all of them tensors
    and the only ones.

    `ctx.needs_input_grad` says what could ever be wanted: all weights, also where a second derivative goes on to the structure alone.
    """
    return tuple(
        needed and _wanted(node) for needed, (node, _) in zip(ctx.needs_input_grad[first:], ctx.next_functions, strict=True)
    )


def _wanted(node: Any) -> bool:
    try:
        return bool(torch._C._will_engine_execute_node(node))
    except RuntimeError:
        # Of a leaf torch cannot tell where gradients are returned (`autograd.grad`) rather than added up.
        return True


def again(
    ctx: Any, gradient: Tensor | Sequence[Tensor], formula: Callable[..., Any], inputs: Sequence[Tensor], first: int = 0
) -> list[Tensor | None]:
    """The gradients in `inputs`, which are the arguments `first`, ... of the function that `ctx` belongs to; None where none is asked for.
    `formula(*inputs)` computes its result (or results, with a `gradient` for each) by operations that torch can differentiate."""
    # Views: some inputs may have been computed from others, and only the direct way counts.
    own = [tensor.view_as(tensor) for tensor in inputs]
    needed = asked(ctx, first)
    wanted = [tensor for tensor, flag in zip(own, needed, strict=True) if flag]
    # The result is known already: to compute it once more is no part of what a search is charged.
    with as_formula(0):
        result = formula(*own)
    found = iter(torch.autograd.grad(result, wanted, gradient, create_graph=True, allow_unused=True))
    return [next(found) if flag else None for flag in needed]
