"""Dropout on skip connections (P-DARTS: Chen et al. 2019, section 3.3): what needs no training must not win because it needs none.

Only unstrided skips drop values: a strided one is a convolution that learns.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .mixing import PerEdge


class SkipDropout(nn.Module):
    """The identity with a share `rate` of its values set to zero and the others scaled by 1 / (1 - rate).

    `generator` (on the values' device) draws the zeros: whoever needs common random numbers sets it before each pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rate = 0.0
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        return x if self.rate == 0 else x * self.kept(x.shape, x.device) / (1 - self.rate)

    def kept(self, shape: Sequence[int], device: torch.device) -> Tensor:
        """A fresh draw of which values stay: true or false, of that shape."""
        return torch.rand(tuple(shape), generator=self.generator, device=device) >= self.rate


def install_skip_dropout(network: nn.Module) -> list[SkipDropout]:
    """Put a `SkipDropout` in the place of every unstrided skip connection of the network's mixed edges. It has no parameters, so names
    and order of the network's stay as they are."""
    placed = []
    for mixing in network.modules():
        if isinstance(mixing, PerEdge):
            for operations in mixing.operations.values():
                for name, operation in list(operations.items()):  # type: ignore[operator]
                    if isinstance(operation, nn.Identity):
                        operations[name] = SkipDropout()  # type: ignore[operator, index]
                        placed.append(operations[name])  # type: ignore[index]
    return placed
