"""Laws with a density on the simplex: drawn and weighed in logarithms.

Near a vertex most weights are smaller than any floating-point number, while their logarithms are ordinary ones. So draws are made as
log gamma, divergences are taken from those, and only the network gets gamma = exp(log gamma).

Densities are with respect to the first K - 1 coordinates (Lebesgue measure), for all laws here: they can be compared with each other.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.lazy import lazy_module
from .distribution import Parameters, StructureDistribution, Weights
from .temperature import TemperedStructure

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

LEAST_WEIGHT = 1e-6
"""Weights that arrive as plain numbers are lifted to this before their logarithm: a rounded zero has no density."""


class SimplexDensity(TemperedStructure):
    """`sample_logs` and `edge_log_density` are what a law of this kind defines."""

    constraint = "simplex"
    discrete = False

    @abstractmethod
    def sample_logs(self, parameters: Parameters | None, generator: torch.Generator | None, draws: tuple[int, ...]) -> Weights:
        """log gamma, (*draws, edges, operations) per group, differentiable in the parameters."""

    @abstractmethod
    def edge_log_density(self, logs: Mapping[str, torch.Tensor], parameters: Parameters | None) -> Weights:
        """(..., edges) per group, from log gamma (..., edges, operations)."""

    def sample(
        self, parameters: Parameters | None = None, generator: torch.Generator | None = None, draws: tuple[int, ...] = ()
    ) -> Weights:
        return {group: logs.exp() for group, logs in self.sample_logs(parameters, generator, draws).items()}

    def edge_log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> Weights:
        """The log density in nats. Weights below `LEAST_WEIGHT` count as that."""
        return self.edge_log_density({group: weights[group].clamp_min(LEAST_WEIGHT).log() for group in self.groups}, parameters)

    def _sampled_kl(
        self, prior: StructureDistribution, samples: int, generator: torch.Generator | None, parameters: Parameters | None,
        prior_parameters: Parameters | None,
    ) -> torch.Tensor:
        if not isinstance(prior, SimplexDensity):
            return super()._sampled_kl(prior, samples, generator, parameters, prior_parameters)
        logs = self.sample_logs(parameters, generator, (samples,))
        own = self.edge_log_density(logs, parameters)
        theirs = prior.edge_log_density(logs, prior_parameters)
        return torch.stack([(own[group] - theirs[group]).sum(dim=-1).mean() for group in self.groups]).sum()
