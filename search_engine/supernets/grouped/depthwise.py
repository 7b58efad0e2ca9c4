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
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...primitives.native.kernel import Shape
from ...training.flops import as_formula
from . import choices
from .compiled import compiled
from .layout import Layout
from .products import products
from .twice import again

Kernel = tuple[int, int]
"""(side, dilation)"""


def depthwise(
    rows: Tensor, layout: Layout, weights: Sequence[Tensor], kernels: Sequence[Kernel], stride: int, channels: int
) -> list[Tensor]:
    """Depthwise convolutions with padding `dilation * (side // 2)`, one for each group of C = `channels` channels.

    `rows` (R, pixels) lie as `layout` says. With R = C every group reads all of it; else R = groups x C, and every group reads its own
    part. `weights[i]` is (groups_i x C, 1, side, side), one group after the other; `kernels[i]` is that of all of its groups.

    Returns the groups in order, in one or several blocks (groups, C, pixels of the result), pixels in the order of `layout`. They are made
    to be multiplied: each group is a matrix as it lies, either way round; nothing else is promised of their strides.
    """
    kernel = choices.compiled(layout.batch) if rows.dtype == torch.float32 and not rows.is_cuda else None
    if kernel is not None:
        shape = Shape(layout.height, layout.width, layout.batch, channels, stride, tuple(kernels))
        return [compiled(kernel, shape, rows, weights)]
    settings = layout, tuple(kernels), stride, channels
    if choices.as_matrix(layout.height, layout.width):
        result: Tensor = _AsMatrix.apply(*settings, rows, *weights)  # type: ignore[no-untyped-call]
        return [result]
    results: tuple[Tensor, ...] = _AsConvolution.apply(*settings, rows, *weights)  # type: ignore[no-untyped-call]
    return list(results)


# ---- large maps: a convolution, channels last


def _channels_last(rows: Tensor, layout: Layout) -> Tensor:
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
    images = _channels_last(rows, layout)
    blocks, begin = [], 0
    for weight, (side, dilation) in zip(weights, kernels, strict=True):
        count = len(weight)
        own = _spread(images, count // channels) if len(rows) == channels else images[..., begin : begin + count].contiguous()
        begin += count
        found = functional.conv2d(own.permute(0, 3, 1, 2), weight, None, stride, dilation * (side // 2), dilation, count)
        blocks.append(_pixels(found).view(-1, count // channels, channels).permute(1, 2, 0))
    return tuple(blocks)


class _AsConvolution(torch.autograd.Function):
    """`_convolutions`, with gradients by faster ways than torch's backward pass of a convolution where `choices` says so."""

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
        of_rows, of_weights = ctx.needs_input_grad[4], ctx.needs_input_grad[5:]
        with as_formula(2 * products(weights, layout.strided(stride).pixels, of_rows, of_weights)):
            d_rows, d_weights = _convolution_gradients(layout, kernels, stride, channels, rows, weights, gradients, of_rows, of_weights)
        return None, None, None, None, d_rows, *d_weights


def _convolution_gradients(
    layout: Layout, kernels: tuple[Kernel, ...], stride: int, channels: int, rows: Tensor, weights: Sequence[Tensor],
    gradients: Sequence[Tensor], of_rows: bool, of_weights: Sequence[bool],
) -> tuple[Tensor | None, list[Tensor | None]]:
    """Those of `_convolutions`, where they are asked for."""
    shared, after = len(rows) == channels, layout.strided(stride)
    images = _channels_last(rows, layout) if any(of_weights) or stride > 1 else None
    d_rows = None
    parts: list[Tensor] = []
    d_weights: list[Tensor | None] = []
    begin = 0
    for gradient, weight, (side, dilation), asked in zip(gradients, weights, kernels, of_weights, strict=True):
        count, padding = len(weight), dilation * (side // 2)
        own = None
        if images is not None:
            own = _spread(images, count // channels) if shared else images[..., begin : begin + count].contiguous()
            own = own.permute(0, 3, 1, 2)
        begin += count
        across = gradient.reshape(count, -1)
        given = _channels_last(across, after).permute(0, 3, 1, 2)
        if of_rows:
            if stride == 1:
                part = functional.conv2d(given, weight.flip(2, 3), None, 1, padding, dilation, count)
            else:
                part = _convolution_backward(given, own, weight, stride, padding, dilation, (True, False))[0]
            found = _pixels(part)
            parts.append(found.view(-1, count // channels, channels).sum(dim=1) if shared else found)
        if not asked:
            d_weights.append(None)
        elif shared and stride == 1 and choices.by_taps(layout.height, layout.width, side, dilation):
            d_weights.append(_by_taps(across, rows, layout, side, dilation).view_as(weight))
        else:
            d_weights.append(_convolution_backward(given, own, weight, stride, padding, dilation, (False, True))[1])
    if of_rows:
        d_rows = (torch.stack(parts).sum(dim=0) if shared else torch.cat(parts, dim=1)).t()
    return d_rows, d_weights


def _convolution_backward(
    gradient: Tensor, images: Tensor | None, weight: Tensor, stride: int, padding: int, dilation: int, asked: tuple[bool, bool]
) -> tuple[Tensor, Tensor]:
    """torch's own: gradients in the images (B, R, H, W) and in the weight."""
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        gradient, images, weight, None, (stride, stride), (padding, padding), (dilation, dilation), False, (0, 0), len(weight),
        (*asked, False),
    )
    return found[0], found[1]


def _by_taps(gradient: Tensor, rows: Tensor, layout: Layout, side: int, dilation: int) -> Tensor:
    """The gradient in the weights of groups that share the `rows` (C, pixels), stride 1: gradient (groups x C, pixels) ->
    (groups, C, side x side)."""
    channels, width = len(rows), dilation * (side // 2)
    padded = functional.pad(layout.maps(rows), (0, 0, width, width, width, width))
    taps = [
        padded[:, down : down + layout.height, right : right + layout.width]
        for down in range(0, 2 * width + 1, dilation)
        for right in range(0, 2 * width + 1, dilation)
    ]
    seen = torch.stack(taps, dim=1).view(channels, side * side, -1)
    return torch.bmm(gradient.view(-1, channels, gradient.shape[1]).transpose(0, 1), seen.transpose(1, 2)).transpose(0, 1).contiguous()


# ---- small maps: one matrix per channel


@lru_cache(maxsize=256)
def _taps(height: int, width: int, kernel: Kernel, stride: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(side x side, pixels out x pixels in), zeros and ones: which weight stands between which two pixels."""
    vertical, horizontal = (_line(pixels, kernel, stride).to(dtype) for pixels in (height, width))
    return torch.einsum("ayr,bxc->abyxrc", vertical, horizontal).reshape(kernel[0] ** 2, -1).to(device)


def _line(pixels: int, kernel: Kernel, stride: int) -> Tensor:
    """(side, pixels out, pixels in) along one direction: whether a weight stands between two pixels."""
    side, dilation = kernel
    seen = torch.arange(-(-pixels // stride)) * stride + (torch.arange(side)[:, None] - side // 2) * dilation
    return seen[:, :, None] == torch.arange(pixels)


def _matrices(layout: Layout, kernels: Sequence[Kernel], stride: int, channels: int, weights: Sequence[Tensor]) -> Tensor:
    """(C, groups, pixels out, pixels in)"""
    parts = []
    for dilation, members in _by_dilation(kernels):
        side = max(kernels[place][0] for place in members)
        taps = _taps(layout.height, layout.width, (side, dilation), stride, weights[0].dtype, weights[0].device)
        # A smaller kernel of the same dilation is a larger one with a border of zeros.
        own = [
            weights[place] if kernels[place][0] == side else functional.pad(weights[place], [(side - kernels[place][0]) // 2] * 4)
            for place in members
        ]
        by_channel = (own[0] if len(own) == 1 else torch.cat(own)).view(-1, channels, side * side).transpose(0, 1)
        parts.append((by_channel.reshape(-1, side * side) @ taps).view(channels, -1, taps.shape[1]))
    matrices = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
    return matrices.view(channels, matrices.shape[1], -1, layout.height * layout.width)


def _by_dilation(kernels: Sequence[Kernel]) -> list[tuple[int, list[int]]]:
    """(dilation, places): consecutive kernels of one dilation."""
    return [(dilation, list(places)) for dilation, places in groupby(range(len(kernels)), key=lambda place: kernels[place][1])]


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
    """`_plain`. Matrices that are small beside the result are kept for the backward pass, large ones are made again."""

    @staticmethod
    def forward(
        ctx: Any, layout: Layout, kernels: tuple[Kernel, ...], stride: int, channels: int, rows: Tensor, *weights: Tensor
    ) -> Tensor:
        ctx.settings = layout, kernels, stride, channels
        with as_formula(2 * products(weights, layout.strided(stride).pixels)):
            matrices = _matrices(layout, kernels, stride, channels, weights)
            keep = choices.keep_matrices(layout.height, layout.width, layout.batch)
            ctx.save_for_backward(matrices if keep else None, rows, *weights)
            return _product(rows, matrices, layout.batch)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        matrices, rows, *weights = ctx.saved_tensors
        layout, kernels, stride, channels = ctx.settings
        if torch.is_grad_enabled():
            return None, None, None, None, *again(ctx, gradient, partial(_plain, *ctx.settings), [rows, *weights], 4)
        of_rows, of_weights = ctx.needs_input_grad[4], ctx.needs_input_grad[5:]
        with as_formula(2 * products(weights, layout.strided(stride).pixels, of_rows, of_weights)):
            d_rows, d_weights = _matrix_gradients(
                layout, kernels, stride, channels, rows, weights, gradient, matrices, of_rows, of_weights
            )
        return None, None, None, None, d_rows, *d_weights


def _matrix_gradients(
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
        for dilation, members in _by_dilation(kernels):
            side = max(kernels[place][0] for place in members)
            taps = _taps(layout.height, layout.width, (side, dilation), stride, rows.dtype, rows.device)
            count = sum(len(weights[place]) for place in members) // channels
            own_matrices = d_matrices[:, begin : begin + count]
            begin += count
            found = torch.matmul(own_matrices, taps.t()).transpose(0, 1).reshape(-1, 1, side, side)
            for place, part in zip(members, found.split([len(weights[place]) for place in members]), strict=True):
                border = (side - kernels[place][0]) // 2
                d_weights[place] = part[:, :, border : side - border, border : side - border]
    return d_rows, d_weights
