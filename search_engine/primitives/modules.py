"""The primitives as torch modules.

Layer for layer as in DARTS (quark0/darts, cnn/operations.py) and NAS-Bench-201 (xautodl, models/cell_operations.py), with three
differences: a strided skip connection also works on odd sizes; zeros are made, not multiplied (0 * inf is not zero); and the batch
normalisation after a pooling belongs to the family (`pool_norm`), so that the super-network and the network derived from it
compute the same function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .names import PRIMITIVES
from .tabular import OF_TABLES

_LAYERS: dict[int, tuple[Any, Any, Any, Any]] = {
    1: (nn.Conv1d, nn.BatchNorm1d, nn.AvgPool1d, nn.MaxPool1d), 2: (nn.Conv2d, nn.BatchNorm2d, nn.AvgPool2d, nn.MaxPool2d),
}


@dataclass(frozen=True)
class Style:
    """How a family builds its primitives."""

    affine: bool = True
    """Whether batch normalisation has weights; off in search, where they would compete with the structure weights."""
    running: bool = True
    """Whether batch normalisation keeps running statistics; off in search, where extra forward passes would pollute them."""
    pool_norm: bool = True
    """Whether a pooling is followed by a batch normalisation without weights (DARTS does, NAS-Bench-201 does not)."""

    dims: int = 2
    """Along how many dimensions states reach beside their channels: (B, C, H, W) has 2, (B, C, T) has 1."""
    places: int = 0
    """Of tables: how many columns a state (B, C, F) has."""

    def norm(self, channels: int, *, affine: bool | None = None) -> nn.Module:
        layer: nn.Module = _LAYERS[self.dims][1](
            channels, affine=self.affine if affine is None else affine, track_running_stats=self.running
        )
        return layer

    def convolution(self, channels_in: int, channels_out: int, kernel: int, **settings: Any) -> nn.Module:
        """One without bias: normalisation follows, which has its own."""
        layer: nn.Module = _LAYERS[self.dims][0](channels_in, channels_out, kernel, bias=False, **settings)
        return layer

    def pooling(self, kind: str, kernel: int, stride: int) -> nn.Module:
        """`avg` or `max`; padding is not counted."""
        _, _, average, largest = _LAYERS[self.dims]
        layer: nn.Module = (
            average(kernel, stride=stride, padding=kernel // 2, count_include_pad=False) if kind == "avg"
            else largest(kernel, stride=stride, padding=kernel // 2)
        )
        return layer


SEARCH = Style(affine=False, running=False)
TRAINED = Style()


def every(x: Tensor, stride: int) -> Tensor:
    """Every `stride`-th place along all dimensions behind the channels."""
    return x[(slice(None), slice(None), *[slice(None, None, stride)] * (x.dim() - 2))]


class Zero(nn.Module):
    """Zeros of the shape that the other operations of the edge give: (B, C, ceil(H / stride), ceil(W / stride)), or of a series
    (B, C, ceil(T / stride))."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x if self.stride == 1 else every(x, self.stride))


class FactorizedReduce(nn.Module):
    """Halve the resolution: two strided 1x1 convolutions side by side, the second on the image shifted by one pixel in both directions.

    (B, C_in, H, W) -> (B, C_out, ceil(H / 2), ceil(W / 2)), and so along time. On odd sizes the shifted image is completed by a row or
    column of zeros (upstream's version needs even sizes). Raises ValueError for an odd number of output channels.
    """

    def __init__(self, channels_in: int, channels_out: int, style: Style) -> None:
        super().__init__()
        if channels_out % 2:
            raise ValueError(f"a factorised reduction needs an even number of channels, not {channels_out}")
        self.relu = nn.ReLU()
        self.straight = style.convolution(channels_in, channels_out // 2, 1, stride=2)
        self.shifted = style.convolution(channels_in, channels_out // 2, 1, stride=2)
        self.norm = style.norm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(x)
        odd = [side % 2 for side in reversed(x.shape[2:])]
        completed = functional.pad(x, tuple(number for extra in odd for number in (0, extra)))
        shifted = completed[(slice(None), slice(None), *[slice(1, None)] * len(odd))]
        result: Tensor = self.norm(torch.cat([self.straight(x), self.shifted(shifted)], dim=1))
        return result


def relu_conv_norm(channels_in: int, channels_out: int, kernel: int, stride: int, style: Style) -> nn.Sequential:
    """ReLU, convolution without bias, batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        style.convolution(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2),
        style.norm(channels_out),
    )


def depthwise_separable(
    channels: int, kernel: int, stride: int, dilation: int, style: Style, channels_out: int | None = None
) -> nn.Sequential:
    """ReLU, depthwise convolution, pointwise convolution (to `channels_out`, else to as many channels), batch normalisation."""
    channels_out = channels_out or channels
    return nn.Sequential(
        nn.ReLU(),
        style.convolution(
            channels, channels, kernel, stride=stride, padding=dilation * (kernel // 2), dilation=dilation, groups=channels
        ),
        style.convolution(channels, channels_out, 1),
        style.norm(channels_out),
    )


def depthwise(channels: int, kernel: int, stride: int, style: Style) -> nn.Sequential:
    """ReLU, depthwise convolution, batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        style.convolution(channels, channels, kernel, stride=stride, padding=kernel // 2, groups=channels),
        style.norm(channels),
    )


def _pooling(module: nn.Module, channels: int, style: Style) -> nn.Module:
    return nn.Sequential(module, style.norm(channels, affine=False)) if style.pool_norm else module


def build_primitive(name: str, channels: int, stride: int, style: Style) -> nn.Module:
    """The module of primitive `name`: (B, C, H, W) -> (B, C, ceil(H / stride), ceil(W / stride)), of series (B, C, T) -> (B, C,
    ceil(T / stride)), as `style.dims` says.

    `channels` = C, `stride` 1 or 2. Raises KeyError for an unknown name.
    """
    primitive = PRIMITIVES[name]
    if primitive.kind == "table":
        return OF_TABLES[name](channels, style.places, style.norm)
    kernel = primitive.kernel_of_layer
    if primitive.kind == "zero":
        return Zero(stride)
    if primitive.kind == "identity":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, style)
    if primitive.family == "pooling":
        return _pooling(style.pooling(name.partition("_")[0], kernel, stride), channels, style)
    if primitive.family == "separable":
        return nn.Sequential(
            *depthwise_separable(channels, kernel, stride, 1, style), *depthwise_separable(channels, kernel, 1, 1, style)
        )
    if primitive.family == "separable_once":
        return depthwise_separable(channels, kernel, stride, 1, style)
    if primitive.family == "depthwise":
        return depthwise(channels, kernel, stride, style)
    if primitive.family == "dilated":
        return depthwise_separable(channels, kernel, stride, primitive.dilation, style)
    return relu_conv_norm(channels, channels, kernel, stride, style)
