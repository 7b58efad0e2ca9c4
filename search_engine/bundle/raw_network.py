"""A network with its preprocessing inside: from inputs as the user has them to logits or values."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class RawNetwork(nn.Module):
    """(raw / scale - mean) / std per channel, as float32, then `network`. The same operations in the same order as
    `training.batches.Normaliser`, so equal bits."""

    def __init__(self, network: nn.Module, scale: float, mean: Sequence[float], std: Sequence[float], dimensions: int) -> None:
        """`dimensions` are those of a batch of raw inputs."""
        super().__init__()
        self.mean: torch.Tensor
        self.std: torch.Tensor
        shape = (1, -1, *([1] * (dimensions - 2)))
        self.network = network
        self.scale = scale
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(shape))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(shape))

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        """Raw inputs (B, ...) of any type of number -> what the network gives."""
        result: torch.Tensor = self.network((raw.to(torch.float32) / self.scale - self.mean) / self.std)
        return result
