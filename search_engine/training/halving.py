"""The usual pooling, 2x2 side by side, as maxima of pairs: torch's own looks at one pixel after the other, and is slow on small maps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class HalvingMaxPool2d(nn.Module):
    """As `MaxPool2d(2)`, bit for bit, its gradient too: of equal pixels the first one has it."""

    def forward(self, x: Tensor) -> Tensor:
        """(rows, channels, H, W) -> (rows, channels, H // 2, W // 2)."""
        if x.shape[-2] % 2 or x.shape[-1] % 2:
            return F.max_pool2d(x, 2)
        result: Tensor = _Halving.apply(x)  # type: ignore[no-untyped-call]
        return result


def is_halving(module: nn.Module) -> bool:
    """Whether `HalvingMaxPool2d` computes the same."""
    if type(module) is not nn.MaxPool2d or module.return_indices:
        return False
    pairs = [item if isinstance(item, tuple) else (item, item) for item in (module.kernel_size, module.stride)]
    return pairs == [(2, 2)] * 2 and module.padding in (0, (0, 0)) and module.dilation in (1, (1, 1)) and not module.ceil_mode


class _Halving(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        left, right = x.reshape(-1, 2).unbind(1)
        rows = torch.maximum(left, right).view(-1, 2, x.shape[-1] // 2)
        upper, lower = rows.unbind(1)
        ctx.save_for_backward(left >= right, upper >= lower)
        ctx.shape = x.shape
        return torch.maximum(upper, lower).view(*x.shape[:-2], x.shape[-2] // 2, x.shape[-1] // 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        left, upper = ctx.saved_tensors
        gradient = gradient.reshape(-1, ctx.shape[-1] // 2)
        rows = gradient.new_empty(len(gradient), 2, gradient.shape[1])
        _share(gradient, upper, rows)
        pixels = gradient.new_empty(rows.numel(), 2)
        _share(rows.view(-1), left, pixels)
        return pixels.view(ctx.shape)


def _share(gradient: Tensor, to_first: Tensor, pairs: Tensor) -> None:
    """Give the gradient to the first or the second of each pair (place, 2, ...)."""
    first, second = pairs.unbind(1)
    torch.mul(gradient, to_first, out=first)
    torch.sub(gradient, first, out=second)
