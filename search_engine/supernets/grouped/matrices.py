"""Depthwise convolutions of small maps as one matrix per channel, (pixels out, pixels in), that stands for a whole map."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ...training.flops import as_formula
from .formula import convolutions
from .layout import Layout
from .products import products
from .taps import Kernel, by_dilation, of_maps, of_one_size, of_own_sizes
from .twice import again, asked


def by_matrices(
    rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernels: Sequence[Kernel], stride: int, channels: int
) -> list[Tensor]:
    """See `depthwise.depthwise`; one block."""
    result: Tensor = _AsMatrix.apply(layout, tuple(kernels), stride, channels, rows, *weights)  # type: ignore[no-untyped-call]
    return [result]


def _matrices(layout: Layout, kernels: Sequence[Kernel], stride: int, channels: int, weights: Sequence[Tensor]) -> Tensor:
    """(C, groups, pixels out, pixels in)"""
    parts = []
    for dilation, side, members in by_dilation(kernels):
        taps = of_maps(layout.height, layout.width, (side, dilation), stride, weights[0].dtype, weights[0].device)
        filters = of_one_size([weights[place] for place in members], side).view(-1, channels, side * side).transpose(0, 1)
        parts.append((filters.reshape(-1, side * side) @ taps).view(channels, -1, taps.shape[1]))
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
    return torch.cat(convolutions(layout, kernels, stride, channels, rows, weights))


class _AsMatrix(torch.autograd.Function):
    """`_plain`. The matrices are made again for the backward pass."""

    @staticmethod
    def forward(
        ctx: Any, layout: Layout, kernels: tuple[Kernel, ...], stride: int, channels: int, rows: Tensor, *weights: Tensor
    ) -> Tensor:
        ctx.settings = layout, kernels, stride, channels
        with as_formula(2 * products(weights, layout.strided(stride).pixels)):
            matrices = _matrices(layout, kernels, stride, channels, weights)
            # Kept where they take no more memory than what they give.
            keep = layout.height * layout.width <= layout.batch
            ctx.save_for_backward(matrices if keep else None, rows, *weights)
            return _product(rows, matrices, layout.batch)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        matrices, rows, *weights = ctx.saved_tensors
        layout, kernels, stride, channels = ctx.settings
        if torch.is_grad_enabled():
            return None, None, None, None, *again(ctx, gradient, partial(_plain, *ctx.settings), [rows, *weights], 4)
        of_rows, *of_weights = asked(ctx, 4)
        with as_formula(2 * products(weights, layout.strided(stride).pixels, of_rows, of_weights)):
            d_rows, d_weights = _gradients(layout, kernels, stride, channels, rows, weights, gradient, matrices, of_rows, of_weights)
        return None, None, None, None, d_rows, *d_weights


def _gradients(
    layout: Layout, kernels: tuple[Kernel, ...], stride: int, channels: int, rows: Tensor, weights: Sequence[Tensor],
    gradient: Tensor, matrices: Tensor | None, of_rows: bool, of_weights: Sequence[bool],
) -> tuple[Tensor | None, list[Tensor | None]]:
    """Those of `_plain`, where they are asked for; `matrices` = None: they are made again."""
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
    if of_rows:
        if matrices is None:
            matrices = _matrices(layout, kernels, stride, channels, weights)
        if shared:
            matrices = matrices.view(channels, -1, inside)
        else:
            matrices = matrices.transpose(0, 1).reshape(groups * channels, -1, inside)
        d_rows = torch.bmm(matrices.transpose(1, 2), gradient).view_as(rows)
    d_weights: list[Tensor | None] = [None] * len(weights)
    if any(of_weights):
        d_matrices = torch.bmm(gradient, own.transpose(1, 2))
        d_matrices = d_matrices.view(channels, groups, -1) if shared else d_matrices.view(groups, channels, -1).transpose(0, 1)
        begin = 0
        for dilation, side, members in by_dilation(kernels):
            taps = of_maps(layout.height, layout.width, (side, dilation), stride, rows.dtype, rows.device)
            own_weights = [weights[place] for place in members]
            count = sum(map(len, own_weights)) // channels
            own_matrices = d_matrices[:, begin : begin + count]
            begin += count
            found = torch.matmul(own_matrices, taps.t()).transpose(0, 1).reshape(-1, 1, side, side)
            for place, part in zip(members, of_own_sizes(found, own_weights), strict=True):
                d_weights[place] = part
    return d_rows, d_weights
