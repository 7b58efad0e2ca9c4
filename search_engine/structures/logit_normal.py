"""The logit-normal structure: the softmax of Gaussian logits (Bakhteev, lecture slides 2019).

    gamma = softmax(x / tau),      x_l ~ N(mu_l, sigma_l^2) independently

gamma depends only on differences of logits. With all K of them free (`pinned` = False) the law has more parameters than it needs; the
pinned form fixes x_K = 0 and has K - 1 of each. Densities and divergences are taken of the K - 1 ratios log(gamma_l / gamma_K), which are
jointly Gaussian in both forms, so both are exact: mean (mu_l - mu_K) / tau, covariance (diag(sigma_l^2) + sigma_K^2) / tau^2. (The
divergence of the K independent logits themselves would only bound that of gamma from above.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from ..base.lazy import lazy_module
from . import categorical
from .distribution import Parameters, StructureDistribution, Weights, uniform
from .simplex_density import SimplexDensity

if TYPE_CHECKING:
    import torch
    from torch.distributions import MultivariateNormal
    from torch.nn import functional
else:
    torch = lazy_module("torch")
    functional = lazy_module("torch.nn.functional")

Reading = Literal["standard_deviation", "variance"]

MEAN_POINTS = 512
"""Quasi-random points of the expected weights; their error is below 0.003."""


@dataclass(frozen=True)
class RatioBlock:
    """Edges (rows, (n, 1)), their operations to choose from (columns, (n, k)) and the law of the k - 1 ratios of each."""

    rows: torch.Tensor
    columns: torch.Tensor
    law: MultivariateNormal


class LogitNormalStructure(SimplexDensity):
    """Per group `mu` and `log_sigma`, (edges, operations) each, or one column less where the last logit is pinned to zero.

    >>> structure = LogitNormalStructure({"cell": (2, 3)}, torch.Generator().manual_seed(0))
    >>> weights = structure.sample(generator=torch.Generator().manual_seed(1))["cell"]
    >>> bool((weights > 0).all()), bool(torch.allclose(weights.sum(1), torch.ones(2)))
    (True, True)
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        generator: torch.Generator | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
        temperature: float = 1.0,
        learn_temperature: bool = False,
        spread: float = 1.0,
        reading: Reading = "standard_deviation",
        pinned: bool = False,
    ) -> None:
        """`spread` is the initial standard deviation of every logit, or its variance, as `reading` says.

        `generator` is a CPU generator for the initial values (None = the global one). Raises ValueError for a temperature or a spread <= 0.
        """
        super().__init__(shapes, device, dtype, temperature)
        if not spread > 0:
            raise ValueError(f"the spread of the logits must be positive, not {spread}")
        self.pinned = pinned
        log_sigma = math.log(spread) * (1.0 if reading == "standard_deviation" else 0.5)
        for group, (edges, operations) in self.shapes.items():
            free = operations - 1 if pinned else operations
            self.learn(f"{group}.mu", categorical.initial_logits((edges, free), generator, self.dtype))
            self.learn(f"{group}.log_sigma", torch.full((edges, free), log_sigma, dtype=self.dtype))
        if learn_temperature:
            self.learn_temperature()

    def moments(self, parameters: Parameters | None = None) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Per group the logits' means and standard deviations, (edges, operations) each; a pinned logit has 0 and 0."""
        named = self.named(parameters)
        result = {}
        for group in self.groups:
            mu, sigma = named[f"{group}.mu"], named[f"{group}.log_sigma"].exp()
            result[group] = (functional.pad(mu, (0, 1)), functional.pad(sigma, (0, 1))) if self.pinned else (mu, sigma)
        return result

    def sample_logs(self, parameters: Parameters | None, generator: torch.Generator | None, draws: tuple[int, ...]) -> Weights:
        temperature = self.temperature_of(parameters)
        result = {}
        for group, (mu, sigma) in self.moments(parameters).items():
            noise = torch.special.ndtri(uniform((*draws, *mu.shape), generator)).to(device=mu.device, dtype=mu.dtype)
            result[group] = self.kept_logits(group, (mu + sigma * noise) / temperature).log_softmax(dim=-1)
        return result

    def ratios(self, parameters: Parameters | None = None) -> dict[str, list[RatioBlock]]:
        """Per group the Gaussian laws (float64) of log(gamma_l / gamma_K), l < K, where K is an edge's last operation to choose from. Edges
        with equally many are one block; those with a single one have no ratio."""
        temperature = self.temperature_of(parameters)
        result: dict[str, list[RatioBlock]] = {}
        for group, (mu, sigma) in self.moments(parameters).items():
            result[group] = []
            for rows, columns in self._blocks(group):
                # Variances of very different size lose the covariance its definiteness in single precision.
                mean, spread = mu[rows, columns].double(), sigma[rows, columns].double().square()
                covariance = (torch.diag_embed(spread[:, :-1]) + spread[:, -1:].unsqueeze(-1)) / temperature.square()
                law = torch.distributions.MultivariateNormal((mean[:, :-1] - mean[:, -1:]) / temperature, covariance_matrix=covariance)
                result[group].append(RatioBlock(rows, columns, law))
        return result

    def _blocks(self, group: str) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """(rows (n, 1), columns (n, k)) of the edges with k > 1 operations to choose from, for every such k."""
        edges, operations = self.shapes[group]
        kept = self.kept.get(group, torch.ones(edges, operations, dtype=torch.bool, device=self.device))
        counts = kept.sum(dim=1)
        result = []
        for count in sorted(set(counts.tolist()) - {1}):
            rows = (counts == count).nonzero()
            result.append((rows, kept[rows[:, 0]].nonzero()[:, 1].reshape(len(rows), count)))
        return result

    def edge_log_density(self, logs: Mapping[str, torch.Tensor], parameters: Parameters | None) -> Weights:
        result = {}
        for group, blocks in self.ratios(parameters).items():
            value = logs[group]
            density = value.new_zeros(value.shape[:-1])
            for block in blocks:
                chosen = value[..., block.rows, block.columns]
                # The ratios' derivative in gamma_1 .. gamma_{K-1} has the determinant 1 / prod gamma_l.
                part = block.law.log_prob((chosen[..., :-1] - chosen[..., -1:]).double()) - chosen.sum(dim=-1)
                density = density.index_copy(-1, block.rows[:, 0], part.to(density.dtype))
            result[group] = density
        return result

    def mean(self, parameters: Parameters | None = None) -> Weights:
        """By `MEAN_POINTS` fixed quasi-random points, the same for every edge: there is no closed form."""
        temperature = self.temperature_of(parameters)
        result = {}
        for group, (mu, sigma) in self.moments(parameters).items():
            points = _normal_points(mu.shape[-1]).to(device=mu.device, dtype=mu.dtype)
            result[group] = self.kept_logits(group, (mu + sigma * points.unsqueeze(1)) / temperature).softmax(dim=-1).mean(dim=0)
        return result

    def entropy(self, parameters: Parameters | None = None) -> Weights:
        """Of the mean, read as probabilities of the operations: what the derived network is chosen by."""
        return {group: categorical.entropy_of(mean) for group, mean in self.mean(parameters).items()}

    def _closed_kl(
        self, prior: StructureDistribution, parameters: Parameters | None, prior_parameters: Parameters | None
    ) -> torch.Tensor | None:
        if not isinstance(prior, LogitNormalStructure):
            return None
        theirs = prior.ratios(prior_parameters)
        total = torch.zeros((), dtype=self.dtype, device=self.device)
        for group, blocks in self.ratios(parameters).items():
            for ours, other in zip(blocks, theirs[group], strict=True):
                total = total + torch.distributions.kl_divergence(ours.law, other.law).sum().to(total.dtype)
        return total


@lru_cache(maxsize=16)
def _normal_points(dimension: int) -> torch.Tensor:
    """(points, dimension): scrambled Sobol points through the normal quantile function, always the same ones."""
    points = torch.quasirandom.SobolEngine(dimension, scramble=True, seed=0).draw(MEAN_POINTS, dtype=torch.float64)
    normal: torch.Tensor = torch.special.ndtri(points.clamp(1e-9, 1 - 1e-9))
    return normal
