"""The softmax structure of DARTS (Liu, Simonyan, Yang 2019, equation 2): gamma = softmax(alpha) on every edge.

It is the degenerate distribution of its family: every draw is its mean, a point inside the simplex. Read as a law over the
simplex's vertices, gamma is the categorical distribution of each edge's operation; entropy, log probability and divergence are that
law's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.lazy import lazy_module
from . import categorical
from .distribution import Parameters, StructureDistribution, Weights

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class SoftmaxStructure(StructureDistribution):
    """Alphas (edges, operations) per group; weights are their row-wise softmax.

    >>> structure = SoftmaxStructure({"cell": (2, 3)}, torch.Generator().manual_seed(0))
    >>> weights = structure.sample()["cell"]
    >>> weights.shape, bool(torch.allclose(weights.sum(1), torch.ones(2)))
    (torch.Size([2, 3]), True)
    """

    constraint = "simplex"
    discrete = True

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        generator: torch.Generator | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> None:
        """`generator` is a CPU generator for the initial values (None = the global one): equal on every device."""
        super().__init__(shapes, device, dtype)
        for group, shape in self.shapes.items():
            self.learn(group, categorical.initial_logits(shape, generator, self.dtype))

    def logits(self, parameters: Parameters | None = None) -> Weights:
        """The alphas, those of dropped operations at minus infinity."""
        return {group: self.kept_logits(group, alpha) for group, alpha in self.named(parameters).items()}

    def sample(
        self, parameters: Parameters | None = None, generator: torch.Generator | None = None, draws: tuple[int, ...] = ()
    ) -> Weights:
        weights = self.mean(parameters)
        return {group: value.expand(*draws, *value.shape) for group, value in weights.items()} if draws else weights

    def mean(self, parameters: Parameters | None = None) -> Weights:
        return {group: alpha.softmax(dim=-1) for group, alpha in self.logits(parameters).items()}

    def entropy(self, parameters: Parameters | None = None) -> Weights:
        return {group: categorical.entropy(alpha) for group, alpha in self.logits(parameters).items()}

    def edge_log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> Weights:
        """Log probability of one operation per edge, given as one-hot rows. Raises ValueError for rows that are not one-hot."""
        return {group: categorical.log_prob(alpha, weights[group], group) for group, alpha in self.logits(parameters).items()}

    def _closed_kl(
        self, prior: StructureDistribution, parameters: Parameters | None, prior_parameters: Parameters | None
    ) -> torch.Tensor | None:
        if not isinstance(prior, SoftmaxStructure):
            return None
        return categorical.total_kl(self.logits(parameters), prior.logits(prior_parameters))
