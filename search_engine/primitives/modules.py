"""The primitives as torch modules.

Layer for layer as in DARTS (quark0/darts, cnn/operations.py) and NAS-Bench-201 (xautodl, models/cell_operations.py), with three
differences: a strided skip connection also works on odd sizes; zeros are made, not multiplied (0 * inf is not zero); and the batch
normalisation after a pooling belongs to the family (`pool_norm`), so that the super-network and the network derived from it
compute the same function.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .names import PRIMITIVES


@dataclass(frozen=True)
class Style:
    """How a family builds its primitives."""

    affine: bool = True
    """Whether batch normalisation has weights; off in search, where they would compete with the structure weights."""
    running: bool = True
    """Whether batch normalisation keeps running statistics; off in search, where extra forward passes would pollute them."""
    pool_norm: bool = True
    """Whether a pooling is followed by a batch normalisation without weights (DARTS does, NAS-Bench-201 does not)."""

    def norm(self, channels: int, *, affine: bool | None = None) -> nn.Module:
        return nn.BatchNorm2d(channels, affine=self.affine if affine is None else affine, track_running_stats=self.running)


SEARCH = Style(affine=False, running=False)
TRAINED = Style()


class Zero(nn.Module):
    """Zeros of the shape that the other operations of the edge give: (B, C, ceil(H / stride), ceil(W / stride))."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x if self.stride == 1 else x[:, :, :: self.stride, :: self.stride])


class FactorizedReduce(nn.Module):
    """Halve the resolution: two strided 1x1 convolutions side by side, the second on the image shifted by one pixel in both directions.

    (B, C_in, H, W) -> (B, C_out, ceil(H / 2), ceil(W / 2)). On odd sizes the shifted image is completed by a row or column of zeros
    (upstream's version needs even sizes). Raises ValueError for an odd number of output channels.
    """

    def __init__(self, channels_in: int, channels_out: int, style: Style) -> None:
        super().__init__()
        if channels_out % 2:
            raise ValueError(f"a factorised reduction needs an even number of channels, not {channels_out}")
        self.relu = nn.ReLU()
        self.straight = nn.Conv2d(channels_in, channels_out // 2, 1, stride=2, bias=False)
        self.shifted = nn.Conv2d(channels_in, channels_out // 2, 1, stride=2, bias=False)
        self.norm = style.norm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(x)
        height, width = x.shape[-2:]
        shifted = functional.pad(x, (0, width % 2, 0, height % 2))[:, :, 1:, 1:]
        result: Tensor = self.norm(torch.cat([self.straight(x), self.shifted(shifted)], dim=1))
        return result


def relu_conv_norm(channels_in: int, channels_out: int, kernel: int, stride: int, style: Style) -> nn.Sequential:
    """ReLU, convolution without bias, batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False),
        style.norm(channels_out),
    )


def depthwise_separable(
    channels: int, kernel: int, stride: int, dilation: int, style: Style, channels_out: int | None = None
) -> nn.Sequential:
    """ReLU, depthwise convolution, pointwise convolution (to `channels_out`, else to as many channels), batch normalisation."""
    channels_out = channels_out or channels
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(
            channels, channels, kernel, stride=stride, padding=dilation * (kernel // 2), dilation=dilation, groups=channels, bias=False
        ),
        nn.Conv2d(channels, channels_out, 1, bias=False),
        style.norm(channels_out),
    )


def depthwise(channels: int, kernel: int, stride: int, style: Style) -> nn.Sequential:
    """ReLU, depthwise convolution, batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride=stride, padding=kernel // 2, groups=channels, bias=False),
        style.norm(channels),
    )


def _pooling(module: nn.Module, channels: int, style: Style) -> nn.Module:
    return nn.Sequential(module, style.norm(channels, affine=False)) if style.pool_norm else module


def build_primitive(name: str, channels: int, stride: int, style: Style) -> nn.Module:
    """The module of primitive `name`: (B, C, H, W) -> (B, C, ceil(H / stride), ceil(W / stride)).

    `channels` = C, `stride` 1 or 2. Raises KeyError for an unknown name.
    """
    primitive = PRIMITIVES[name]
    kernel = primitive.kernel_of_layer
    if primitive.kind == "zero":
        return Zero(stride)
    if primitive.kind == "identity":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, style)
    if name == "avg_pool_3x3":
        return _pooling(nn.AvgPool2d(kernel, stride=stride, padding=1, count_include_pad=False), channels, style)
    if name == "max_pool_3x3":
        return _pooling(nn.MaxPool2d(kernel, stride=stride, padding=1), channels, style)
    if primitive.family == "separable":
        return nn.Sequential(
            *depthwise_separable(channels, kernel, stride, 1, style), *depthwise_separable(channels, kernel, 1, 1, style)
        )
    if primitive.family == "separable_once":
        return depthwise_separable(channels, kernel, stride, 1, style)
    if primitive.family == "depthwise":
        return depthwise(channels, kernel, stride, style)
    if primitive.family == "dilated":
        return depthwise_separable(channels, kernel, stride, 2, style)
    return relu_conv_norm(channels, channels, kernel, stride, style)
