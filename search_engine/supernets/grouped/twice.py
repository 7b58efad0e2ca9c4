"""Differentiating twice through a function whose backward pass is written by hand.

A backward pass that runs with gradients enabled (`create_graph`) has to give gradients that are functions of everything. Then, and only
then, it differentiates the function's plain formula instead: dearer, as differentiating twice is anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def again(
    ctx: Any, gradient: Tensor | Sequence[Tensor], formula: Callable[..., Any], inputs: Sequence[Tensor], first: int = 0
) -> list[Tensor | None]:
    """The gradients in `inputs`, which are the arguments `first`, ... of the function that `ctx` belongs to; None where none is asked for.
    `formula(*inputs)` computes its result (or results, with a `gradient` for each) by operations that torch can differentiate."""
    # Views: some inputs may have been computed from others, and only the direct way counts.
    own = [tensor.view_as(tensor) for tensor in inputs]
    asked = [bool(ctx.needs_input_grad[first + place]) for place in range(len(inputs))]
    wanted = [tensor for tensor, needed in zip(own, asked, strict=True) if needed]
    found = iter(torch.autograd.grad(formula(*own), wanted, gradient, create_graph=True, allow_unused=True))
    return [next(found) if needed else None for needed in asked]
