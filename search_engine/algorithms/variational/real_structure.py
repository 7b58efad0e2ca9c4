"""Structure weights that are any real numbers: the amplitudes of a sum of functions (Gridasov 2019).

A degenerate distribution, like the softmax structure: every draw is its mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from search_engine.base.lazy import lazy_module
from search_engine.structures.distribution import Parameters, StructureDistribution, Weights

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class RealStructure(StructureDistribution):
    """gamma = alpha, (edges, operations) per group."""

    constraint = "real"
    discrete = True

    def __init__(
        self, shapes: Mapping[str, tuple[int, int]], start: float, device: str = "cpu", dtype: torch.dtype | None = None
    ) -> None:
        """Every weight begins at `start`."""
        super().__init__(shapes, device, dtype)
        for group, shape in self.shapes.items():
            self.learn(group, torch.full(shape, start, dtype=torch.float64))

    def sample(
        self, parameters: Parameters | None = None, generator: torch.Generator | None = None, draws: tuple[int, ...] = ()
    ) -> Weights:
        return {group: alpha.expand(*draws, *alpha.shape) for group, alpha in self.named(parameters).items()}

    def mean(self, parameters: Parameters | None = None) -> Weights:
        return self.sample(parameters)

    def entropy(self, parameters: Parameters | None = None) -> Weights:
        """That of each function's share in the sum of the weights' sizes."""
        result = {}
        for group, alpha in self.named(parameters).items():
            sizes = alpha.abs()
            share = sizes / sizes.sum(dim=-1, keepdim=True).clamp_min(torch.finfo(alpha.dtype).tiny)
            result[group] = -torch.special.xlogy(share, share).sum(dim=-1)
        return result

    def edge_log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> Weights:
        """0 for its own weights, minus infinity for any others."""
        result = {}
        for group, alpha in self.named(parameters).items():
            equal = (weights[group] == alpha).all(dim=-1)
            result[group] = torch.where(equal, 0.0, float("-inf")).to(alpha.dtype)
        return result
