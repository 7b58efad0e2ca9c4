"""Monte Carlo estimates of the terms of L and Q at one point of all parameters.

An estimate is a pure function of the point: the same noise seed gives the same draws of weights and structure (common random numbers),
which the estimators of a two-level gradient rely on, and no generator has a state that a checkpoint would have to keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from search_engine.base.generators import derive_seed
from search_engine.structures.distribution import StructureDistribution
from search_engine.structures.simplex_density import SimplexDensity

from ..bayes.divergence import gaussian_kl
from ..bayes.layers import Posterior
from .model import Place, VariationalModel
from .objective import Terms

STRUCTURE_DRAWS = 16
"""Draws for the divergences between laws of the structure: they need no pass of the network, so they may be more than the samples."""

LEAST_LOG_DEVIATION = -4.0
"""Floor of log (gamma_l / sqrt(a_i)): a weight under a vanishing structure weight would otherwise have a prior without width."""

LEAST_LOG_GAMMA = -30.0


@dataclass(frozen=True)
class Point:
    """All parameters, each a list of tensors in the order of what owns them."""

    model: Sequence[Tensor]
    """Of the model: means and log deviations of the weights, point estimates, the likelihood's noise."""
    structure: Sequence[Tensor]
    """Of q(Gamma): logits s_q, temperature; or the deterministic structure's."""
    precision: Sequence[Tensor]
    """log a, per posterior: of its shape, or a scalar for the whole tensor."""
    prior: Sequence[Tensor]
    """Of p(Gamma|h): the logits s."""


@dataclass(frozen=True)
class Hyperprior:
    """Inverse gamma on the prior's variances 1/a: shape 0 = none."""

    shape: float = 0.0
    scale: float = 1.0

    def log_density(self, log_precisions: Sequence[Tensor], device: str) -> Tensor:
        """log p(h), summed over the variances; nats."""
        total = torch.zeros((), device=device)
        if self.shape == 0:
            return total
        shape = torch.tensor(self.shape)
        constant = float(shape * torch.tensor(self.scale).log() - torch.lgamma(shape))
        for log_a in log_precisions:
            # v = 1/a:  l1 log l2 - log Gamma(l1) - (l1 + 1) log v - l2 / v
            total = total + (constant + (self.shape + 1) * log_a - self.scale * log_a.exp()).sum()
        return total


class Estimate:
    """The terms as a function of a point and a batch.

    `prior` and `others` (the p'_i) are None and empty where the structure is deterministic.
    """

    def __init__(
        self, model: VariationalModel, structure: StructureDistribution, prior: SimplexDensity | None,
        others: Sequence[SimplexDensity], samples: int, hyperprior: Hyperprior, device: str,
    ) -> None:
        self.model, self.structure, self.prior, self.others = model, structure, prior, list(others)
        self.hyperprior = hyperprior
        self.device = device
        self.names = [name for name, _ in model.named_parameters()]
        random = bool(model.posterior_names) or isinstance(structure, SimplexDensity)
        self.samples = samples if random else 1
        """Passes of the network for one estimate: one where nothing is drawn."""
        self.outputs: Tensor | None = None
        """Mean outputs over the samples of the last call, detached."""

    def __call__(self, point: Point, inputs: Tensor, targets: Tensor, *, scale: float, noise: int, gamma_in_prior: bool) -> Terms:
        """`scale` = size of the data set / size of the batch. Without `gamma_in_prior` the prior of the weights is N(0, 1/a)."""
        logs = self._log_gammas(point, noise)
        parameters = dict(zip(self.names, point.model, strict=True))
        likelihood = kl_weights = torch.zeros((), device=self.device)
        outputs: Tensor | float = 0.0
        with global_noise(derive_seed(noise, "weights"), self.device):
            for draw in range(self.samples):
                gamma = self._gamma(point, logs, draw)
                values = torch.func.functional_call(self.model, parameters, (inputs, targets, gamma))
                likelihood = likelihood + scale * values.log_likelihoods.sum() / self.samples
                outputs = outputs + values.outputs.detach() / self.samples
                log_gamma = self._log_gamma(gamma, logs, draw) if gamma_in_prior else None
                divergence = weights_divergence(values.posteriors, point.precision, self.model.places, log_gamma)
                kl_weights = kl_weights + divergence / self.samples
        assert isinstance(outputs, Tensor)
        self.outputs = outputs
        return Terms(
            log_likelihood=likelihood, kl_weights=kl_weights, kl_structure=self._structure_divergence(point, noise),
            struct=self.struct_terms(point, noise), log_hyperprior=self.hyperprior.log_density(point.precision, self.device),
        )

    def _log_gammas(self, point: Point, noise: int) -> Mapping[str, Tensor] | None:
        """log Gamma of all samples, (samples, edges, operations) per group; None where the structure is deterministic."""
        if not isinstance(self.structure, SimplexDensity):
            return None
        generator = torch.Generator().manual_seed(derive_seed(noise, "structure"))
        return self.structure.sample_logs(point.structure, generator, (self.samples,))

    def _gamma(self, point: Point, logs: Mapping[str, Tensor] | None, draw: int) -> dict[str, Tensor]:
        if logs is None:
            return self.structure.sample(point.structure)
        return {group: value[draw].exp() for group, value in logs.items()}

    def _log_gamma(self, gamma: Mapping[str, Tensor], logs: Mapping[str, Tensor] | None, draw: int) -> dict[str, Tensor]:
        if logs is None:
            # Real weights may be negative: the prior's deviation is |gamma| / sqrt(a).
            least = float(torch.tensor(LEAST_LOG_GAMMA).exp())
            return {group: value.abs().clamp_min(least).log() for group, value in gamma.items()}
        return {group: value[draw].clamp_min(LEAST_LOG_GAMMA) for group, value in logs.items()}

    def _structure_divergence(self, point: Point, noise: int) -> Tensor:
        if self.prior is None:
            return torch.zeros((), device=self.device)
        generator = torch.Generator().manual_seed(derive_seed(noise, "divergence"))
        return self.structure.kl(
            self.prior, samples=STRUCTURE_DRAWS, generator=generator, parameters=point.structure, prior_parameters=point.prior
        )

    def struct_terms(self, point: Point, noise: int, draws: int = STRUCTURE_DRAWS) -> tuple[Tensor, ...]:
        """KL(p(Gamma|h) || p'_i) for each i, on common draws."""
        if self.prior is None:
            return ()
        return tuple(
            self.prior.kl(
                other, samples=draws, generator=torch.Generator().manual_seed(derive_seed(noise, "struct")), parameters=point.prior
            )
            for other in self.others
        )


def weights_divergence(
    found: Sequence[Posterior], log_precisions: Sequence[Tensor], places: Sequence[Place | None], log_gamma: Mapping[str, Tensor] | None
) -> Tensor:
    """KL(q(w) || prod N(0, gamma_l^2 / a_i)) in nats, for one draw of the structure:

        1/2 sum_i ( gamma_l^-2 a_i (mu_i^2 + sigma_i^2) - 1 + log gamma_l^2 - log(a_i sigma_i^2) )

    `log_gamma` None = without structure weights in the prior.
    """
    total = torch.zeros((), device=log_precisions[0].device if log_precisions else "cpu")
    for posterior, log_a, place in zip(found, log_precisions, places, strict=True):
        log_deviation = -0.5 * log_a
        if log_gamma is not None and place is not None:
            group, edge, operation = place
            log_deviation = log_deviation + log_gamma[group][edge, operation]
        log_deviation = log_deviation.clamp_min(LEAST_LOG_DEVIATION)
        total = total + gaussian_kl(posterior.mu, posterior.log_sigma, log_variance=2 * log_deviation)
    return total


@contextmanager
def global_noise(seed: int, device: str) -> Iterator[None]:
    """Inside the block torch's global generators start from `seed`; afterwards they stand as before."""
    devices = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
