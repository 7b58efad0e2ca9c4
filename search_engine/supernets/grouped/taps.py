"""The filters of depthwise convolutions as what computes them needs them: of one size, and as products with lines of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

import torch
from torch import Tensor
from torch.nn import functional

Kernel = tuple[int, int]
"""(side, dilation)"""


def by_dilation(kernels: Sequence[Kernel]) -> list[tuple[int, int, list[int]]]:
    """(dilation, largest side, places): consecutive kernels of one dilation."""
    found = [(dilation, list(places)) for dilation, places in groupby(range(len(kernels)), key=lambda place: kernels[place][1])]
    return [(dilation, max(kernels[place][0] for place in places), places) for dilation, places in found]


def of_one_size(weights: Sequence[Tensor], side: int) -> Tensor:
    """Filters (R_i, 1, side_i, side_i), sides odd and at most `side`, as (sum of R_i, 1, side, side): a smaller kernel of the same dilation
    is a larger one with a border of zeros."""
    own = [
        weight if weight.shape[-1] == side else functional.pad(weight, [(side - weight.shape[-1]) // 2] * 4) for weight in weights
    ]
    return own[0] if len(own) == 1 else torch.cat(own)


def of_own_sizes(joined: Tensor, weights: Sequence[Tensor]) -> list[Tensor]:
    """Undo `of_one_size`: the parts of `joined` with the shapes of `weights`."""
    side, parts = joined.shape[-1], []
    for weight, part in zip(weights, joined.split([len(weight) for weight in weights]), strict=True):
        border = (side - weight.shape[-1]) // 2
        parts.append(part[:, :, border : side - border, border : side - border] if border else part)
    return parts


@lru_cache(maxsize=256)
def of_maps(height: int, width: int, kernel: Kernel, stride: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(side x side, pixels out x pixels in), zeros and ones: which weight stands between which two pixels of a map."""
    vertical, horizontal = (_line(pixels, kernel, stride).to(dtype) for pixels in (height, width))
    return torch.einsum("ayr,bxc->abyxrc", vertical, horizontal).reshape(kernel[0] ** 2, -1).to(device)


@lru_cache(maxsize=256)
def of_columns(height: int, kernel: Kernel, stride: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(side x side, height out x side x height in), zeros and ones: which weight stands between a pixel and one of a column beside it, the
    columns ordered as the kernel sees them from left to right."""
    side = kernel[0]
    table = torch.einsum("ayr,bc->abycr", _line(height, kernel, stride).to(dtype), torch.eye(side, dtype=dtype))
    return table.reshape(side**2, -1).to(device)


def _line(pixels: int, kernel: Kernel, stride: int) -> Tensor:
    """(side, pixels out, pixels in) along one direction: whether a weight stands between two pixels."""
    side, dilation = kernel
    seen = torch.arange(-(-pixels // stride)) * stride + (torch.arange(side)[:, None] - side // 2) * dilation
    return seen[:, :, None] == torch.arange(pixels)
