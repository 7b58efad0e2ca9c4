"""Depthwise convolutions by the compiled kernel (`primitives.native`), for rows whose maps have the batch innermost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ...primitives.native.kernel import Kernel, Shape
from ...training.flops import as_formula
from .formula import convolutions
from .layout import Layout
from .products import products
from .twice import again, asked


def compiled(kernel: Kernel, shape: Shape, rows: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """(groups, C, pixels of the result), contiguous, the batch innermost; all tensors float32 on the CPU."""
    result: Tensor = _Compiled.apply(kernel, shape, rows, *weights)  # type: ignore[no-untyped-call]
    return result


def _plain(shape: Shape, rows: Tensor, *weights: Tensor) -> Tensor:
    layout = Layout(shape.batch, shape.height, shape.width)
    return torch.cat(convolutions(layout, shape.kernels, shape.stride, shape.channels, rows, weights))


class _Compiled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernel: Kernel, shape: Shape, rows: Tensor, *weights: Tensor) -> Tensor:
        ctx.save_for_backward(rows, *weights)
        ctx.settings = kernel, shape
        with as_formula(2 * products(weights, shape.pixels)):
            return kernel.forward(rows, weights, shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        rows, *weights = ctx.saved_tensors
        kernel, shape = ctx.settings
        if torch.is_grad_enabled():
            return None, None, *again(ctx, gradient, partial(_plain, shape), [rows, *weights], 2)
        of_rows, *of_weights = asked(ctx, 2)
        with as_formula(2 * products(weights, shape.pixels, of_rows, of_weights)):
            d_rows, d_weights = kernel.backward(rows, weights, shape, gradient, of_rows, of_weights)
        return None, None, d_rows, *d_weights
