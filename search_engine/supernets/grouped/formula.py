"""Depthwise convolutions by torch's own, which can be differentiated any number of times: what all other ways to compute them must give."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from .layout import Layout
from .taps import Kernel


def convolutions(
    layout: Layout, kernels: Sequence[Kernel], stride: int, channels: int, rows: Tensor, weights: Sequence[Tensor]
) -> list[Tensor]:
    """One block (groups_i, C, pixels of the result) for each kernel; arguments as `depthwise.depthwise` has them."""
    state, after, shared = layout.state(rows), layout.strided(stride), len(rows) == channels
    blocks, begin = [], 0
    for weight, (side, dilation) in zip(weights, kernels, strict=True):
        count = len(weight)
        own = state.repeat(1, count // channels, 1, 1) if shared else state[:, begin : begin + count]
        begin += count
        found = functional.conv2d(own, weight, None, stride, dilation * (side // 2), dilation, count)
        blocks.append(after.rows(found).view(-1, channels, after.pixels))
    return blocks
