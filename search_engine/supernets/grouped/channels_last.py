"""Depthwise convolutions of large maps by torch's own, channels last in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...training.flops import as_formula
from .layout import Layout
from .products import products
from .taps import Kernel
from .twice import again, asked


def channels_last(
    rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernels: Sequence[Kernel], stride: int, channels: int
) -> list[Tensor]:
    """See `depthwise.depthwise`; one block for each kernel."""
    settings = layout, tuple(kernels), stride, channels
    results: tuple[Tensor, ...] = _AsConvolution.apply(*settings, rows, *weights)  # type: ignore[no-untyped-call]
    return list(results)


def _images(rows: Tensor, layout: Layout) -> Tensor:
    """(R, pixels) -> (B, H, W, R), contiguous. In two steps, each of which moves whole vectors."""
    pixels = rows.t().contiguous().view(layout.height, layout.width, layout.batch, len(rows))
    return pixels.permute(2, 0, 1, 3).contiguous()


def _pixels(images: Tensor) -> Tensor:
    """(B, R, H, W), channels last -> (pixels in the order of a layout, R), contiguous."""
    return images.permute(2, 3, 0, 1).reshape(-1, images.shape[1])


def _spread(images: Tensor, groups: int) -> Tensor:
    """(B, H, W, C) -> (B, H, W, groups x C): the same for every group."""
    return images.unsqueeze(3).expand(*images.shape[:3], groups, images.shape[3]).reshape(*images.shape[:3], -1)


def _convolutions(
    layout: Layout, kernels: Sequence[Kernel], stride: int, channels: int, rows: Tensor, *weights: Tensor
) -> tuple[Tensor, ...]:
    images = _images(rows, layout)
    blocks, begin = [], 0
    for weight, (side, dilation) in zip(weights, kernels, strict=True):
        count = len(weight)
        own = _spread(images, count // channels) if len(rows) == channels else images[..., begin : begin + count].contiguous()
        begin += count
        found = functional.conv2d(own.permute(0, 3, 1, 2), weight, None, stride, dilation * (side // 2), dilation, count)
        blocks.append(_pixels(found).view(-1, count // channels, channels).permute(1, 2, 0))
    return tuple(blocks)


class _AsConvolution(torch.autograd.Function):
    """`_convolutions`, with the input's gradient as a convolution of its own where that can be: torch's backward pass is slower."""

    @staticmethod
    def forward(
        ctx: Any, layout: Layout, kernels: tuple[Kernel, ...], stride: int, channels: int, rows: Tensor, *weights: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(rows, *weights)
        ctx.settings = layout, kernels, stride, channels
        with as_formula(2 * products(weights, layout.strided(stride).pixels)):
            return _convolutions(layout, kernels, stride, channels, rows, *weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        rows, *weights = ctx.saved_tensors
        layout, kernels, stride, channels = ctx.settings
        if torch.is_grad_enabled():
            return None, None, None, None, *again(ctx, gradients, partial(_convolutions, *ctx.settings), [rows, *weights], 4)
        of_rows, *of_weights = asked(ctx, 4)
        with as_formula(2 * products(weights, layout.strided(stride).pixels, of_rows, of_weights)):
            d_rows, d_weights = _gradients(layout, kernels, stride, channels, rows, weights, gradients, of_rows, of_weights)
        return None, None, None, None, d_rows, *d_weights


def _gradients(
    layout: Layout, kernels: tuple[Kernel, ...], stride: int, channels: int, rows: Tensor, weights: Sequence[Tensor],
    gradients: Sequence[Tensor], of_rows: bool, of_weights: Sequence[bool],
) -> tuple[Tensor | None, list[Tensor | None]]:
    """Those of `_convolutions`, where they are asked for."""
    shared, after = len(rows) == channels, layout.strided(stride)
    images = _images(rows, layout) if any(of_weights) or stride > 1 else None
    d_rows = None
    parts: list[Tensor] = []
    d_weights: list[Tensor | None] = []
    begin = 0
    for gradient, weight, (side, dilation), wanted in zip(gradients, weights, kernels, of_weights, strict=True):
        count, padding = len(weight), dilation * (side // 2)
        own = None
        if images is not None:
            own = _spread(images, count // channels) if shared else images[..., begin : begin + count].contiguous()
            own = own.permute(0, 3, 1, 2)
        begin += count
        given = _images(gradient.reshape(count, -1), after).permute(0, 3, 1, 2)
        if of_rows:
            if stride == 1:
                part = functional.conv2d(given, weight.flip(2, 3), None, 1, padding, dilation, count)
            else:
                part = _backward(given, own, weight, stride, padding, dilation, (True, False))[0]
            found = _pixels(part)
            parts.append(found.view(-1, count // channels, channels).sum(dim=1) if shared else found)
        d_weights.append(_backward(given, own, weight, stride, padding, dilation, (False, True))[1] if wanted else None)
    if of_rows:
        d_rows = (torch.stack(parts).sum(dim=0) if shared else torch.cat(parts, dim=1)).t()
    return d_rows, d_weights


def _backward(
    gradient: Tensor, images: Tensor | None, weight: Tensor, stride: int, padding: int, dilation: int, asked: tuple[bool, bool]
) -> tuple[Tensor, Tensor]:
    """torch's own: gradients in the images (B, R, H, W) and in the weight."""
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        gradient, images, weight, None, (stride, stride), (padding, padding), (dilation, dilation), False, (0, 0), len(weight),
        (*asked, False),
    )
    return found[0], found[1]
