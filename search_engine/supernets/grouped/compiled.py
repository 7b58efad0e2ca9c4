"""Depthwise convolutions by the compiled kernel (`primitives.native`), for rows whose maps have the batch innermost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...primitives.native.kernel import Kernel, Shape
from ...training.flops import as_formula
from .products import products
from .twice import again


def compiled(kernel: Kernel, shape: Shape, rows: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """(groups, C, pixels of the result), contiguous, the batch innermost; all tensors float32 on the CPU."""
    result: Tensor = _Compiled.apply(kernel, shape, rows, *weights)  # type: ignore[no-untyped-call]
    return result


def _plain(shape: Shape, rows: Tensor, *weights: Tensor) -> Tensor:
    """The same by operations of torch that can be differentiated."""
    images = rows.view(-1, shape.height, shape.width, shape.batch).permute(3, 0, 1, 2)
    shared, results, begin = len(rows) == shape.channels, [], 0
    for weight, (side, dilation) in zip(weights, shape.kernels, strict=True):
        count = len(weight)
        own = images.repeat(1, count // shape.channels, 1, 1) if shared else images[:, begin : begin + count]
        begin += count
        found = functional.conv2d(own, weight, None, shape.stride, dilation * (side // 2), dilation, count)
        results.append(found.permute(1, 2, 3, 0).reshape(-1, shape.channels, shape.pixels))
    return torch.cat(results)


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
            return None, None, *again(ctx, gradient, lambda *own: _plain(shape, *own), [rows, *weights], 2)
        of_rows, of_weights = ctx.needs_input_grad[2], ctx.needs_input_grad[3:]
        with as_formula(2 * products(weights, shape.pixels, of_rows, of_weights)):
            d_rows, d_weights = kernel.backward(rows, weights, shape, gradient, of_rows, of_weights)
        return None, None, d_rows, *d_weights
