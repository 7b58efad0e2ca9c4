"""Batch normalisation without weights, of rows: each channel by the mean and the (biased) variance of its pixels in the batch.

Ioffe and Szegedy 2015, algorithm 1, without its last line; what `nn.BatchNorm2d(affine=False, track_running_stats=False)` computes. A
row is centred before its squares are summed, so that a large mean costs no digits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

EPSILON = 1e-5
"""What is added to a variance: torch's default."""


def centre_(rows: Tensor) -> Tensor:
    """Take the mean off every row (the last dimension), in place; returns the factor 1 / sqrt(variance + EPSILON) per row, (..., 1)."""
    rows.sub_(rows.sum(dim=-1, keepdim=True), alpha=1 / rows.shape[-1])
    return factor(rows)


def factor(centred: Tensor) -> Tensor:
    """1 / sqrt(variance + EPSILON) of centred rows, (..., 1)."""
    # The norm is torch's fastest sum of squares on a CPU; numbers enter where they cost no operation of their own.
    pixels = centred.shape[-1]
    length = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
    return length.square_().add_(pixels * EPSILON).rsqrt_().mul_(pixels**0.5)


def plain(rows: Tensor) -> Tensor:
    """The formula, differentiable any number of times."""
    centred = rows - rows.mean(dim=-1, keepdim=True)
    return centred * (centred.square().mean(dim=-1, keepdim=True) + EPSILON).rsqrt()


def normalised(rows: Tensor) -> Tensor:
    """Rows (..., pixels) with mean 0 and variance 1."""
    result: Tensor = _Normalised.apply(rows)[0]  # type: ignore[no-untyped-call]
    return result


class _Normalised(torch.autograd.Function):
    """Gives the factor beside the rows: both gradients are formulas in these two results, which makes them differentiable again."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> tuple[Tensor, Tensor]:
        found = torch.sub(rows, rows.sum(dim=-1, keepdim=True), alpha=1 / rows.shape[-1])
        scale = factor(found)
        found.mul_(scale)
        ctx.save_for_backward(found, scale)
        ctx.set_materialize_grads(False)
        return found, scale

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None, of_scale: Tensor | None) -> Tensor | None:  # type: ignore[override]
        found, scale = ctx.saved_tensors
        result = None
        if gradient is not None:
            along = (gradient * found).mean(dim=-1, keepdim=True)
            result = scale * (gradient - gradient.mean(dim=-1, keepdim=True) - found * along)
        if of_scale is not None:
            other = -of_scale * scale.square() * found / found.shape[-1]
            result = other if result is None else result + other
        return result
