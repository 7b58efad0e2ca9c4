"""Convolutions that join all channels, of all edges of a source at once.

A row of a kernel is one product: its weights with the maps as the columns of the kernel see them, under one another. The maps beside each
other for every column are made once for all rows of the kernel, since a step down is a step of one line in them; for every tap they would
take `side` times the memory.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...training.flops import as_formula
from .layout import Layout
from .products import products
from .twice import again, asked


def dense(rows: Tensor, layout: Layout, weight: Tensor, stride: int) -> Tensor:
    """rows (C, pixels), weight (R, C, side, side), side odd -> (R, pixels of the result), with padding side // 2."""
    if weight.shape[-1] == 1 and stride == 1:
        return torch.mm(weight.flatten(1), rows)
    result: Tensor = _Dense.apply(layout, stride, rows, weight)  # type: ignore[no-untyped-call]
    return result


def _plain(layout: Layout, stride: int, rows: Tensor, weight: Tensor) -> Tensor:
    return layout.strided(stride).rows(functional.conv2d(layout.state(rows), weight, None, stride, weight.shape[-1] // 2))


class _Dense(torch.autograd.Function):
    """`_plain`. What was copied is copied again for the backward pass."""

    @staticmethod
    def forward(ctx: Any, layout: Layout, stride: int, rows: Tensor, weight: Tensor) -> Tensor:
        ctx.settings = layout, stride
        ctx.save_for_backward(rows, weight)
        lines, pixels = _Lines(layout, weight.shape[-1], stride), layout.strided(stride).pixels
        with as_formula(2 * products([weight], pixels)):
            beside, total = lines.beside(rows), rows.new_empty(len(weight), pixels)
            for row, own in enumerate(_by_row(weight)):
                torch.addmm(total, own, lines.seen(beside, row), beta=int(row > 0), out=total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        layout, stride = ctx.settings
        rows, weight = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, None, *again(ctx, gradient, partial(_plain, *ctx.settings), [rows, weight], 2)
        of_rows, of_weight = asked(ctx, 2)
        side, channels = weight.shape[-1], len(rows)
        lines = _Lines(layout, side, stride)
        d_rows = d_weight = None
        with as_formula(2 * products([weight], layout.strided(stride).pixels, of_rows, [of_weight])):
            if of_weight:
                beside = lines.beside(rows)
                parts = [torch.mm(gradient, lines.seen(beside, row).t()) for row in range(side)]
                d_weight = torch.stack(parts).view(side, len(weight), side, channels).permute(1, 3, 0, 2)
            if of_rows:
                back = rows.new_zeros(side * channels, stride, lines.steps * lines.line)
                for row, own in enumerate(_by_row(weight)):
                    place = lines.seen(back, row)
                    torch.addmm(place, own.t(), gradient, out=place)
                d_rows = lines.added(back, channels)
        return None, None, d_rows, d_weight


def _by_row(weight: Tensor) -> Tensor:
    """(R, C, side, side) -> (side, R, side x C): the rows of the kernel, each with its columns one after the other."""
    return weight.permute(2, 0, 3, 1).reshape(weight.shape[-1], len(weight), -1)


class _Lines:
    """Maps beside each other, (side x C, stride, steps x line): for every column of a kernel the lines of the padded maps as it sees them,
    at stride 2 those of even and of odd number for themselves."""

    def __init__(self, layout: Layout, side: int, stride: int) -> None:
        self.layout, self.after, self.side, self.stride, self.margin = layout, layout.strided(stride), side, stride, side // 2
        self.line = self.after.width * layout.batch
        self.steps = self.after.height + (side - 1) // stride
        """How many lines of one kind there are."""

    def _views(self, padded: Tensor) -> Tensor:
        """(side, C, stride, steps, W', B) of padded maps."""
        channel, line, pixel, _ = padded.stride()
        size = (self.side, len(padded), self.stride, self.steps, self.after.width, self.layout.batch)
        return padded.as_strided(size, (pixel, channel, line, self.stride * line, self.stride * pixel, 1))

    def beside(self, rows: Tensor) -> Tensor:
        below = self.stride * self.steps - self.layout.height - self.margin
        padded = functional.pad(self.layout.maps(rows), (0, 0, self.margin, self.margin, self.margin, below))
        return self._views(padded).reshape(self.side * len(rows), self.stride, -1)

    def seen(self, beside: Tensor, row: int) -> Tensor:
        """(side x C, pixels of the result): what a row of the kernel sees of them, as a view."""
        begin = row // self.stride * self.line
        return beside[:, row % self.stride, begin : begin + self.after.pixels]

    def added(self, beside: Tensor, channels: int) -> Tensor:
        """The transpose of `beside`: (C, pixels), each pixel the sum over where it stands."""
        height, width = self.stride * self.steps, self.layout.width + 2 * self.margin
        padded = beside.new_zeros(channels, max(height, self.margin + self.layout.height), width, self.layout.batch)
        parts = beside.view(self.side, channels, self.stride, self.steps, self.after.width, self.layout.batch)
        for place, part in zip(self._views(padded), parts, strict=True):
            place.add_(part)
        inner = padded[:, self.margin : self.margin + self.layout.height, self.margin : self.margin + self.layout.width]
        return inner.reshape(channels, -1)
