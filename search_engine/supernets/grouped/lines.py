"""Depthwise convolutions as products along columns.

A kernel has `side` columns. Each of them, applied to whole columns of a map, is a product with a small matrix (height out, height in) whose
entries are the weights of that column of the kernel. A map's pixels lie (H, W, B), so the columns of all images beside each other are the
rows of one large matrix as it lies, (H, W x B), and a step to the right is a step of B numbers: nothing has to be rearranged.

A product costs height / side times what the convolution does, at several times its speed: no other form is as fast for maps between
8x8 and 32x32 (`choices`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...training.flops import as_formula
from .formula import convolutions
from .layout import Layout
from .products import products
from .taps import Kernel, by_dilation, of_columns, of_one_size, of_own_sizes
from .twice import again, asked


def by_lines(
    rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernels: Sequence[Kernel], stride: int, channels: int
) -> list[Tensor]:
    """See `depthwise.depthwise`; one block for each dilation. Where groups do not share their input the stride is 1."""
    results: tuple[Tensor, ...] = _AsLines.apply(layout, tuple(kernels), stride, channels, rows, *weights)  # type: ignore[no-untyped-call]
    return list(results)


def _plain(layout: Layout, kernels: Sequence[Kernel], stride: int, channels: int, rows: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
    blocks = convolutions(layout, kernels, stride, channels, rows, weights)
    return tuple(torch.cat([blocks[place] for place in members]) for _, _, members in by_dilation(kernels))


class _AsLines(torch.autograd.Function):
    """`_plain`. The matrices are small: they are made again for the backward pass, as is what was padded."""

    @staticmethod
    def forward(
        ctx: Any, layout: Layout, kernels: tuple[Kernel, ...], stride: int, channels: int, rows: Tensor, *weights: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(rows, *weights)
        ctx.settings = layout, kernels, stride, channels
        results, begin = [], 0
        with as_formula(2 * products(weights, layout.strided(stride).pixels)):
            for dilation, side, members in by_dilation(kernels):
                own = [weights[place] for place in members]
                if len(rows) == channels:
                    results.append(_of_shared(rows, layout, own, (side, dilation), stride))
                else:
                    count = sum(map(len, own))
                    found = _of_own(rows[begin : begin + count], layout, own, (side, dilation))
                    results.append(found.view(-1, channels, layout.pixels))
                    begin += count
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        rows, *weights = ctx.saved_tensors
        layout, kernels, stride, channels = ctx.settings
        if torch.is_grad_enabled():
            return None, None, None, None, *again(ctx, gradients, partial(_plain, *ctx.settings), [rows, *weights], 4)
        of_rows, *of_weights = asked(ctx, 4)
        shared = len(rows) == channels
        d_rows: list[Tensor] = []
        d_weights: list[Tensor | None] = []
        begin = 0
        with as_formula(2 * products(weights, layout.strided(stride).pixels, of_rows, of_weights)):
            for gradient, (dilation, side, members) in zip(gradients, by_dilation(kernels), strict=True):
                own, kernel = [weights[place] for place in members], (side, dilation)
                wanted = any(of_weights[place] for place in members)
                if shared:
                    part, d_joined = _shared_gradients(gradient, rows, layout, own, kernel, stride, of_rows, wanted)
                else:
                    count = sum(map(len, own))
                    part, d_joined = _own_gradients(
                        gradient.reshape(count, -1), rows[begin : begin + count], layout, own, kernel, of_rows, wanted
                    )
                    begin += count
                d_rows += [] if part is None else [part]
                d_weights += [None] * len(own) if d_joined is None else of_own_sizes(d_joined, own)
        if not d_rows:
            return None, None, None, None, None, *d_weights
        if not shared:
            return None, None, None, None, torch.cat(d_rows) if len(d_rows) > 1 else d_rows[0], *d_weights
        total = d_rows[0]
        for part in d_rows[1:]:
            total += part
        return None, None, None, None, total, *d_weights


def _columns(layout: Layout, kernel: Kernel, stride: int, like: Tensor) -> Tensor:
    return of_columns(layout.height, kernel, stride, like.dtype, like.device)


# ---- all groups read the same maps


def _beside(rows: Tensor, layout: Layout, kernel: Kernel, stride: int) -> Tensor:
    """(C, side x H, W' x B): for each column of a kernel the maps as it sees them, zeros outside."""
    side, dilation = kernel
    after, margin = layout.strided(stride), dilation * (side // 2)
    padded = functional.pad(layout.maps(rows), (0, 0, margin, margin))
    channel, line, pixel, _ = padded.stride()
    seen = padded.as_strided(
        (len(rows), side, layout.height, after.width, layout.batch), (channel, dilation * pixel, line, stride * pixel, 1)
    )
    return seen.reshape(len(rows), side * layout.height, -1)


def _of_shared(rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernel: Kernel, stride: int) -> Tensor:
    """(groups, C, pixels of the result), in memory (C, groups, ...)."""
    channels = len(rows)
    matrices = _by_channel(weights, layout, kernel, stride, channels)
    found = torch.bmm(matrices, _beside(rows, layout, kernel, stride))
    return found.view(channels, -1, layout.strided(stride).pixels).transpose(0, 1)


def _by_channel(weights: Sequence[Tensor], layout: Layout, kernel: Kernel, stride: int, channels: int) -> Tensor:
    """(C, groups x height out, side x height in)"""
    side = kernel[0]
    filters = of_one_size(weights, side).view(-1, channels, side * side).transpose(0, 1).reshape(-1, side * side)
    return torch.mm(filters, _columns(layout, kernel, stride, filters)).view(channels, -1, side * layout.height)


def _shared_gradients(
    gradient: Tensor, rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernel: Kernel, stride: int, of_rows: bool, of_weights: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Of `_of_shared`: in the rows, and in the weights of one size; None where they are not asked for."""
    (side, dilation), channels, after = kernel, len(rows), layout.strided(stride)
    lines = gradient.transpose(0, 1).reshape(channels, -1, after.width * layout.batch)
    d_weights = d_rows = None
    if of_weights:
        d_matrices = torch.bmm(lines, _beside(rows, layout, kernel, stride).transpose(1, 2))
        table = _columns(layout, kernel, stride, rows)
        d_filters = torch.mm(d_matrices.view(-1, table.shape[1]), table.t())
        d_weights = d_filters.view(channels, -1, side * side).transpose(0, 1).reshape(-1, 1, side, side)
    if of_rows:
        beside = torch.bmm(_by_channel(weights, layout, kernel, stride, channels).transpose(1, 2), lines)
        seen = beside.view(channels, side, layout.height, after.width, layout.batch)
        margin, reach = dilation * (side // 2), stride * (after.width - 1) + 1
        padded = rows.new_zeros(channels, layout.height, layout.width + 2 * margin, layout.batch)
        for column in range(side):
            padded[:, :, column * dilation : column * dilation + reach : stride].add_(seen[:, column])
        d_rows = padded[:, :, margin : margin + layout.width].reshape(channels, -1)
    return d_rows, d_weights


# ---- every group reads its own maps; stride 1


def _padded(rows: Tensor, layout: Layout, margin: int) -> Tensor:
    """(R, H, (W + 2 margin) x B)"""
    return functional.pad(layout.maps(rows), (0, 0, margin, margin)).view(len(rows), layout.height, -1)


def _reached(weights: Sequence[Tensor], side: int) -> list[tuple[int, int, int]]:
    """(column, first row, end of the rows) of a kernel of that side, the middle one first, which reaches all: the outer columns belong to
    the rows with the larger kernels."""
    found = []
    for column in sorted(range(side), key=lambda column: abs(column - side // 2)):
        ends, end = [], 0
        for weight in weights:
            begin, end = end, end + len(weight)
            if abs(column - side // 2) <= weight.shape[-1] // 2:
                ends += [begin, end]
        found.append((column, min(ends), max(ends)))
    return found


def _by_row(weights: Sequence[Tensor], layout: Layout, kernel: Kernel) -> Tensor:
    """(R, height out, side, height in)"""
    side = kernel[0]
    filters = of_one_size(weights, side).view(-1, side * side)
    return torch.mm(filters, _columns(layout, kernel, 1, filters)).view(-1, layout.height, side, layout.height)


def _of_own(rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernel: Kernel) -> Tensor:
    """(R, H, W x B)"""
    side, dilation = kernel
    length, step = layout.width * layout.batch, dilation * layout.batch
    matrices, padded = _by_row(weights, layout, kernel), _padded(rows, layout, dilation * (side // 2))
    total = rows.new_empty(len(rows), layout.height, length)
    for number, (column, begin, end) in enumerate(_reached(weights, side)):
        seen = padded[begin:end, :, column * step : column * step + length]
        own = total[begin:end]
        torch.baddbmm(own, matrices[begin:end, :, column], seen, beta=int(number > 0), out=own)
    return total


def _own_gradients(
    gradient: Tensor, rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernel: Kernel, of_rows: bool, of_weights: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Of `_of_own`: in the rows, and in the weights of one size; None where they are not asked for."""
    side, dilation = kernel
    length, step = layout.width * layout.batch, dilation * layout.batch
    # What a pixel gave to the right comes back from the left.
    padded = _padded(gradient, layout, dilation * (side // 2))
    matrices = _by_row(weights, layout, kernel) if of_rows else None
    total = rows.new_empty(len(rows), layout.height, length) if of_rows else None
    d_matrices = rows.new_zeros(side, len(rows), layout.height, layout.height) if of_weights else None
    lines = rows.view(len(rows), layout.height, length).transpose(1, 2)
    for number, (column, begin, end) in enumerate(_reached(weights, side)):
        back = (side - 1 - column) * step
        given = padded[begin:end, :, back : back + length]
        if total is not None and matrices is not None:
            own = total[begin:end]
            torch.baddbmm(own, matrices[begin:end, :, column].transpose(1, 2), given, beta=int(number > 0), out=own)
        if d_matrices is not None:
            torch.bmm(given, lines[begin:end], out=d_matrices[column, begin:end])
    if d_matrices is None:
        return None if total is None else total.view_as(rows), None
    table = _columns(layout, kernel, 1, rows)
    d_filters = torch.mm(d_matrices.permute(1, 2, 0, 3).reshape(len(rows), -1), table.t())
    return None if total is None else total.view_as(rows), d_filters.view(-1, 1, side, side)
