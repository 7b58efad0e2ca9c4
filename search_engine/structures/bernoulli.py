"""Bernoulli structures: every operation of an edge is kept or left out by itself, so several may be kept, or none.

With p = sigmoid(alpha), a standard logistic number L and a temperature tau (Maddison, Mnih, Teh 2017, appendix B),

    gamma = sigmoid((alpha + L) / tau)

is the binary concrete relaxation inside the cube; at every temperature gamma > 1/2 with probability p. Its hard form rounds, with the
gradient of the relaxed draw behind it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.lazy import lazy_module
from .categorical import INITIAL_SCALE
from .constraints import constraint
from .distribution import Parameters, StructureDistribution, Weights, uniform
from .temperature import TemperedStructure

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:
    torch = lazy_module("torch")
    functional = lazy_module("torch.nn.functional")

LEAST_DISTANCE = 1e-6
"""Weights that arrive as plain numbers keep this distance from 0 and 1 before their density is taken."""


class _BernoulliLogits(TemperedStructure):
    """Alphas (edges, operations) per group: logits of the probabilities that operations are kept."""

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        generator: torch.Generator | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
        temperature: float = 1.0,
        learn_temperature: bool = False,
        probability: float = 0.5,
    ) -> None:
        """Every operation is kept with about `probability` at the start, ties broken.

        `generator` is a CPU generator for the initial values (None = the global one). Raises ValueError for a temperature <= 0 and for a
        probability outside (0, 1).
        """
        super().__init__(shapes, device, dtype, temperature)
        if not 0 < probability < 1:
            raise ValueError(f"the initial probability must lie inside (0, 1), not {probability}")
        centre = math.log(probability / (1 - probability))
        for group, shape in self.shapes.items():
            self.learn(group, centre + INITIAL_SCALE * torch.randn(shape, generator=generator, dtype=self.dtype))
        if learn_temperature:
            self.learn_temperature()

    def sample_logits(self, parameters: Parameters | None, generator: torch.Generator | None, draws: tuple[int, ...]) -> Weights:
        """(alpha + L) / tau, (*draws, edges, operations) per group."""
        temperature = self.temperature_of(parameters)
        result = {}
        for group, alpha in self.logits(parameters).items():
            numbers = uniform((*draws, *alpha.shape), generator)
            logistic = numbers.log() - torch.log1p(-numbers)
            result[group] = (alpha + logistic.to(device=alpha.device, dtype=alpha.dtype)) / temperature
        return result

    def mean(self, parameters: Parameters | None = None) -> Weights:
        """p: the probability that an operation is kept, at every temperature; the expected weight itself for the hard form."""
        return {group: alpha.sigmoid() for group, alpha in self.logits(parameters).items()}

    def entropy(self, parameters: Parameters | None = None) -> Weights:
        """Summed over an edge's operations, which are independent."""
        return {
            group: self.sum_kept(group, functional.softplus(alpha) - alpha * alpha.sigmoid())
            for group, alpha in self.of_groups(parameters).items()
        }

    def largest_entropy(self, choices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return choices * math.log(2)


class RelaxedBernoulliStructure(_BernoulliLogits):
    """Draws inside the cube.

    >>> structure = RelaxedBernoulliStructure({"blocks": (4, 1)}, torch.Generator().manual_seed(0))
    >>> weights = structure.sample(generator=torch.Generator().manual_seed(1))["blocks"]
    >>> bool(((weights > 0) & (weights < 1)).all())
    True
    """

    constraint = "cube"
    discrete = False

    def sample(
        self, parameters: Parameters | None = None, generator: torch.Generator | None = None, draws: tuple[int, ...] = ()
    ) -> Weights:
        return {group: value.sigmoid() for group, value in self.sample_logits(parameters, generator, draws).items()}

    def edge_log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> Weights:
        """The log density in nats. Weights closer than `LEAST_DISTANCE` to 0 or 1 count as being there."""
        inside = {group: weights[group].clamp(LEAST_DISTANCE, 1 - LEAST_DISTANCE) for group in self.groups}
        return self.edge_log_density({group: torch.logit(value) for group, value in inside.items()}, parameters)

    def edge_log_density(self, logits: Mapping[str, torch.Tensor], parameters: Parameters | None) -> Weights:
        """(..., edges) per group, from logit(gamma) (..., edges, operations)."""
        temperature = self.temperature_of(parameters)
        result = {}
        for group, alpha in self.of_groups(parameters).items():
            value = logits[group]
            distance = alpha - temperature * value
            # -log gamma - log(1 - gamma): the derivative of the logit.
            stretch = functional.softplus(value) + functional.softplus(-value)
            result[group] = self.sum_kept(group, temperature.log() + distance - 2 * functional.softplus(distance) + stretch)
        return result

    def _sampled_kl(
        self, prior: StructureDistribution, samples: int, generator: torch.Generator | None, parameters: Parameters | None,
        prior_parameters: Parameters | None,
    ) -> torch.Tensor:
        if not isinstance(prior, RelaxedBernoulliStructure):
            return super()._sampled_kl(prior, samples, generator, parameters, prior_parameters)
        logits = self.sample_logits(parameters, generator, (samples,))
        own, theirs = self.edge_log_density(logits, parameters), prior.edge_log_density(logits, prior_parameters)
        return torch.stack([(own[group] - theirs[group]).sum(dim=-1).mean() for group in self.groups]).sum()


class HardBernoulliStructure(_BernoulliLogits):
    """Draws at the vertices of the cube, exactly 0 or 1, straight-through. `log_prob` and `kl` are exact.

    >>> structure = HardBernoulliStructure({"blocks": (4, 1)}, torch.Generator().manual_seed(0))
    >>> set(structure.sample(generator=torch.Generator().manual_seed(1))["blocks"].flatten().tolist()) <= {0.0, 1.0}
    True
    """

    constraint = "cube_vertices"
    discrete = True

    def sample(
        self, parameters: Parameters | None = None, generator: torch.Generator | None = None, draws: tuple[int, ...] = ()
    ) -> Weights:
        result = {}
        for group, value in self.sample_logits(parameters, generator, draws).items():
            soft = value.sigmoid()
            result[group] = (value > 0).to(soft.dtype) + (soft - soft.detach())
        return result

    def edge_log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> Weights:
        """Log probability of kept (1) and left out (0) operations. Raises ValueError for other values."""
        result = {}
        for group, alpha in self.of_groups(parameters).items():
            kept = weights[group]
            if not constraint(self.constraint).contains(kept.detach().cpu().numpy()):
                raise ValueError(f"the weights of '{group}' are not all 0 or 1")
            result[group] = self.sum_kept(group, kept * alpha - functional.softplus(alpha))
        return result

    def _closed_kl(
        self, prior: StructureDistribution, parameters: Parameters | None, prior_parameters: Parameters | None
    ) -> torch.Tensor | None:
        if not isinstance(prior, HardBernoulliStructure):
            return None
        theirs = prior.of_groups(prior_parameters)
        parts = []
        for group, alpha in self.of_groups(parameters).items():
            other = theirs[group]
            terms = alpha.sigmoid() * (alpha - other) - functional.softplus(alpha) + functional.softplus(other)
            parts.append(self.sum_kept(group, terms).sum())
        return torch.stack(parts).sum()
