"""All depthwise convolutions that read one state, or a stack of states, at once.

`depthwise` is the one place where their arithmetic is chosen. Another implementation (a compiled kernel) can take the place of a branch of
it. It must give

- the same result to rounding, in float32 and float64, for any batch, any map (odd sides too), stride 1 and 2, odd kernels, any dilation;
- the gradients in the input and in every weight, and none where `requires_grad` is off;
- a second derivative, since the exact architecture gradient and the largest eigenvalue of the Hessian differentiate twice: a backward
  pass that runs with gradients enabled has to be differentiable itself (the branches here then differentiate `_plain`);
- equal bits in equal calls, whatever was computed before.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...primitives.native.kernel import Shape
from . import choices
from .compiled import compiled
from .layout import Layout
from .twice import again

Kernel = tuple[int, int]
"""(side, dilation)"""


def depthwise(rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernels: Sequence[Kernel], stride: int, channels: int) -> list[Tensor]:
    """Depthwise convolutions with padding `dilation * (side // 2)`, one for each group of C = `channels` channels.

    `rows` (R, pixels) lie as `layout` says. With R = C every group reads all of it; else R = groups x C, and every group reads its own
    part. `weights[i]` is (groups_i x C, 1, side, side), one group after the other; `kernels[i]` is that of all of its groups.

    Returns the groups in order, in one or several blocks (groups, C, pixels of the result), pixels in the order that `layout` has. They are
    made to be multiplied: each group is a matrix as it lies, either way round; nothing else is promised of their strides.
    """
    kernel = choices.compiled(layout.batch) if layout.batch_last else None
    if kernel is not None and rows.dtype == torch.float32 and not rows.is_cuda:
        shape = Shape(layout.height, layout.width, layout.batch, channels, stride, tuple(kernels))
        return [compiled(kernel, shape, rows, weights)]
    if layout.batch_last and choices.as_matrix(layout.height, layout.width):
        result: Tensor = _AsMatrix.apply(layout, tuple(kernels), stride, channels, rows, *weights)  # type: ignore[no-untyped-call]
        return [result]
    return _as_convolution(rows, layout, weights, kernels, stride, channels)


# ---- large maps: a convolution, channels last


def _as_convolution(
    rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernels: Sequence[Kernel], stride: int, channels: int
) -> list[Tensor]:
    images = layout.state(rows)
    shared = len(rows) == channels
    if shared:
        images = images.contiguous(memory_format=torch.channels_last)
    blocks, begin = [], 0
    for weight, (side, dilation) in zip(weights, kernels, strict=True):
        count = len(weight)
        own = images.repeat(1, count // channels, 1, 1) if shared else images[:, begin : begin + count]
        begin += count
        own = own.contiguous(memory_format=torch.channels_last)
        found = functional.conv2d(own, weight, None, stride, dilation * (side // 2), dilation, count)
        if layout.batch_last:
            blocks.append(found.permute(1, 2, 3, 0).reshape(count // channels, channels, -1))
        else:
            # Channels last is a matrix (pixels, groups x C) as it lies.
            blocks.append(found.permute(0, 2, 3, 1).reshape(-1, count // channels, channels).permute(1, 2, 0))
    return blocks


# ---- small maps: one matrix per channel


@lru_cache(maxsize=256)
def _taps(height: int, width: int, kernel: Kernel, stride: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(side x side, pixels out x pixels in), zeros and ones: which weight stands between which two pixels."""
    side, dilation = kernel
    down, right = -(-height // stride), -(-width // stride)
    taps = torch.zeros(side, side, down, right, height, width, dtype=dtype)
    for a in range(side):
        for b in range(side):
            for y in range(down):
                for x in range(right):
                    row, column = y * stride + (a - side // 2) * dilation, x * stride + (b - side // 2) * dilation
                    if 0 <= row < height and 0 <= column < width:
                        taps[a, b, y, x, row, column] = 1
    return taps.view(side * side, -1).to(device)


def _matrices(layout: Layout, kernels: Sequence[Kernel], stride: int, channels: int, weights: Sequence[Tensor]) -> Tensor:
    """(C, groups, pixels out, pixels in)"""
    parts = []
    for kernel, weight in zip(kernels, weights, strict=True):
        taps = _taps(layout.height, layout.width, kernel, stride, weight.dtype, weight.device)
        by_channel = weight.view(-1, channels, taps.shape[0]).transpose(0, 1)
        parts.append((by_channel.reshape(-1, taps.shape[0]) @ taps).view(channels, -1, taps.shape[1]))
    matrices = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
    return matrices.view(channels, matrices.shape[1], -1, layout.height * layout.width)


def _product(rows: Tensor, matrices: Tensor, batch: int) -> Tensor:
    """(R, pixels in x B), (C, groups, pixels out, pixels in) -> (groups, C, pixels out x B)"""
    channels, groups, outside, inside = matrices.shape
    if len(rows) == channels:
        found = torch.bmm(matrices.view(channels, groups * outside, inside), rows.view(channels, inside, batch))
        return found.view(channels, groups, -1).transpose(0, 1)
    own = matrices.transpose(0, 1).reshape(groups * channels, outside, inside)
    return torch.bmm(own, rows.view(groups * channels, inside, batch)).view(groups, channels, -1)


def _plain(layout: Layout, kernels: Sequence[Kernel], stride: int, channels: int, rows: Tensor, *weights: Tensor) -> Tensor:
    return _product(rows, _matrices(layout, kernels, stride, channels, weights), layout.batch)


class _AsMatrix(torch.autograd.Function):
    """`_plain`, with a backward pass that makes the matrices again instead of keeping them."""

    @staticmethod
    def forward(
        ctx: Any, layout: Layout, kernels: tuple[Kernel, ...], stride: int, channels: int, rows: Tensor, *weights: Tensor
    ) -> Tensor:
        ctx.save_for_backward(rows, *weights)
        ctx.settings = layout, kernels, stride, channels
        return _plain(layout, kernels, stride, channels, rows, *weights)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        rows, *weights = ctx.saved_tensors
        layout, kernels, stride, channels = ctx.settings
        if torch.is_grad_enabled():
            return None, None, None, None, *again(ctx, gradient, partial(_plain, *ctx.settings), [rows, *weights], 4)
        groups = gradient.shape[0]
        shared = len(rows) == channels
        inside, batch = layout.height * layout.width, layout.batch
        # The order of the matrices' own batch: by channel where the groups share their input.
        if shared:
            gradient = gradient.transpose(0, 1).reshape(channels, -1, batch)
        else:
            gradient = gradient.reshape(groups * channels, -1, batch)
        own = rows.view(-1, inside, batch)
        d_rows = None
        if ctx.needs_input_grad[4]:
            matrices = _matrices(layout, kernels, stride, channels, weights)
            if shared:
                matrices = matrices.view(channels, -1, inside)
            else:
                matrices = matrices.transpose(0, 1).reshape(groups * channels, -1, inside)
            d_rows = torch.bmm(matrices.transpose(1, 2), gradient).view_as(rows)
        d_weights: list[Tensor | None] = [None] * len(weights)
        if any(ctx.needs_input_grad[5:]):
            d_matrices = torch.bmm(gradient, own.transpose(1, 2))
            d_matrices = d_matrices.view(channels, groups, -1) if shared else d_matrices.view(groups, channels, -1).transpose(0, 1)
            begin = 0
            for place, (kernel, weight) in enumerate(zip(kernels, weights, strict=True)):
                taps = _taps(layout.height, layout.width, kernel, stride, weight.dtype, weight.device)
                count = len(weight) // channels
                part = d_matrices[:, begin : begin + count]
                begin += count
                d_weights[place] = torch.matmul(part, taps.t()).transpose(0, 1).reshape(weight.shape)
        return None, None, None, None, d_rows, *d_weights
