"""The softmax structure of DARTS (Liu, Simonyan, Yang 2019, equation 2): gamma = softmax(alpha) on every edge.

It is the degenerate distribution of its family: every draw is its mean, a point inside the simplex. Read as a law over the
simplex's vertices, gamma is the categorical distribution of each edge's operation; entropy and log probability are that law's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..lazy import lazy_module
from .constraints import constraint
from .distribution import StructureDistribution, Weights

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

INITIAL_SCALE = 1e-3
"""Standard deviation of the initial alphas: nearly uniform weights with ties broken, as in the authors' code."""


class SoftmaxStructure(StructureDistribution):
    """Alphas (edges, operations) per group; weights are their row-wise softmax."""

    constraint = "simplex"

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        generator: torch.Generator | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> None:
        """`generator` is a CPU generator for the initial values (None = the global one): equal on every device."""
        super().__init__(shapes, device, dtype)
        for shape in self.shapes.values():
            start = INITIAL_SCALE * torch.randn(shape, generator=generator, dtype=self.dtype)
            self.parameters.append(start.to(device).requires_grad_(True))

    def sample(self, parameters: Sequence[torch.Tensor] | None = None, generator: torch.Generator | None = None) -> Weights:
        alphas = self.parameters if parameters is None else parameters
        return {group: alpha.softmax(dim=-1) for group, alpha in zip(self.groups, alphas, strict=True)}

    def mean(self) -> Weights:
        return self.sample()

    def entropy(self) -> Weights:
        logs = {group: alpha.log_softmax(dim=-1) for group, alpha in zip(self.groups, self.parameters, strict=True)}
        return {group: -(log.exp() * log).sum(dim=-1) for group, log in logs.items()}

    def log_prob(self, weights: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Log probability of one operation per edge, given as one-hot rows. Raises ValueError for rows that are not one-hot."""
        total = torch.zeros((), dtype=self.dtype, device=self.device)
        for group, alpha in zip(self.groups, self.parameters, strict=True):
            choice = weights[group]
            if not constraint("simplex_vertices").contains(choice.detach().cpu().numpy()):
                raise ValueError(f"the weights of '{group}' are not one operation per edge")
            total = total + (alpha.log_softmax(dim=-1) * choice).sum()
        return total
