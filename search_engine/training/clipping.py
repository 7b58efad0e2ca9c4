"""Clipping gradients to a norm, without the questions that torch's own function asks of every tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def clip_to_norm(weights: Sequence[nn.Parameter], largest: float) -> None:
    """Scale the gradients together so that their norm is at most `largest`; bit for bit `torch.nn.utils.clip_grad_norm_`.

    They lie on one device and have one type. Weights without a gradient count for nothing.
    """
    gradients = [item.grad for item in weights if item.grad is not None]
    if not gradients:
        return
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, torch.clamp(largest / (norm + 1e-6), max=1.0))
