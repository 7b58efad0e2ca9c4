"""The Dirichlet structure (DrNAS: Chen, Wang, Cheng, Tang, Hsieh 2021), with implicitly reparameterised draws.

    gamma ~ Dir(beta),      beta = tau (elu(alpha) + 1)        or        beta = tau K softmax(alpha)

The first form with tau = 1 is DrNAS'; the second is the Dirichlet prior Dir(s, lambda_temp) of Bakhteev's lecture slides (2019) with s of
mean one. In both the temperature works against that of a Gumbel-Softmax: small concentrations live at the vertices, beta = 1 is the
uniform law on the simplex, large ones concentrate at the mean.

A draw is a normalised vector of gamma variables. Their gradient is implicit (`gamma`), and a generator's state decides them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from ..base.lazy import lazy_module
from . import categorical
from .distribution import Parameters, StructureDistribution, Weights, uniform
from .simplex_density import SimplexDensity

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:
    torch = lazy_module("torch")
    functional = lazy_module("torch.nn.functional")

Form = Literal["elu", "scaled_softmax"]

LEAST_CONCENTRATION = 1e-3
"""elu(alpha) + 1 approaches zero as alpha falls, where neither draws nor densities are finite."""


class DirichletStructure(SimplexDensity):
    """Alphas (edges, operations) per group; concentrations as above.

    >>> structure = DirichletStructure({"cell": (2, 3)}, torch.Generator().manual_seed(0))
    >>> weights = structure.sample(generator=torch.Generator().manual_seed(1))["cell"]
    >>> bool((weights > 0).all()), bool(torch.allclose(weights.sum(1), torch.ones(2)))
    (True, True)
    """

    twice_differentiable = False

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        generator: torch.Generator | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
        temperature: float = 1.0,
        learn_temperature: bool = False,
        form: Form = "elu",
    ) -> None:
        """`generator` is a CPU generator for the initial values (None = the global one). Raises ValueError for a temperature <= 0."""
        super().__init__(shapes, device, dtype, temperature)
        self.form = form
        for group, shape in self.shapes.items():
            self.learn(group, categorical.initial_logits(shape, generator, self.dtype))
        if learn_temperature:
            self.learn_temperature()

    def concentrations(self, parameters: Parameters | None = None) -> Weights:
        """beta (edges, operations) per group, at least `LEAST_CONCENTRATION`."""
        temperature = self.temperature_of(parameters)
        result = {}
        for group, alpha in self.of_groups(parameters).items():
            if self.form == "elu":
                relative = functional.elu(alpha) + 1
            else:
                count = torch.from_numpy(self.choices(group)).to(device=alpha.device, dtype=alpha.dtype)
                relative = count.unsqueeze(-1) * self.kept_logits(group, alpha).softmax(dim=-1)
            result[group] = (temperature * relative).clamp_min(LEAST_CONCENTRATION)
        return result

    def sample_logs(self, parameters: Parameters | None, generator: torch.Generator | None, draws: tuple[int, ...]) -> Weights:
        from .gamma import log_gamma_draw

        result = {}
        for group, beta in self.concentrations(parameters).items():
            shape = (*draws, *beta.shape)
            first, second = uniform(shape, generator), uniform(shape, generator)
            # What is left of a Dirichlet vector without some of its places, renormalised, is Dirichlet again.
            logs = self.kept_logits(group, log_gamma_draw(beta.expand(shape), first, second))
            result[group] = logs.log_softmax(dim=-1).to(beta.dtype)
        return result

    def edge_log_density(self, logs: Mapping[str, torch.Tensor], parameters: Parameters | None) -> Weights:
        return {
            group: torch.lgamma(self.sum_kept(group, beta)) + self.sum_kept(group, (beta - 1) * logs[group] - torch.lgamma(beta))
            for group, beta in self.concentrations(parameters).items()
        }

    def mean(self, parameters: Parameters | None = None) -> Weights:
        return {
            group: self.renormalised(group, beta / beta.sum(dim=-1, keepdim=True))
            for group, beta in self.concentrations(parameters).items()
        }

    def entropy(self, parameters: Parameters | None = None) -> Weights:
        """Of the mean, read as probabilities of the operations: what the derived network is chosen by."""
        return {group: categorical.entropy_of(mean) for group, mean in self.mean(parameters).items()}

    def _closed_kl(
        self, prior: StructureDistribution, parameters: Parameters | None, prior_parameters: Parameters | None
    ) -> torch.Tensor | None:
        if not isinstance(prior, DirichletStructure):
            return None
        return self._kl_from(prior.concentrations(prior_parameters), parameters)

    def kl_from_uniform(self, parameters: Parameters | None = None) -> torch.Tensor:
        """KL(self || Dir(1, ..., 1)), summed over edges: the anchor of DrNAS (section 3.3). A scalar, in nats."""
        return self._kl_from({group: torch.ones_like(beta) for group, beta in self.concentrations(parameters).items()}, parameters)

    def _kl_from(self, prior: Weights, parameters: Parameters | None) -> torch.Tensor:
        """KL(self || Dir(prior)), over the operations that are left."""
        parts = []
        for group, ours in self.concentrations(parameters).items():
            theirs = prior[group]
            total = self.sum_kept(group, ours)
            terms = torch.lgamma(theirs) - torch.lgamma(ours)
            terms = terms + (ours - theirs) * (torch.digamma(ours) - torch.digamma(total).unsqueeze(-1))
            divergence = torch.lgamma(total) - torch.lgamma(self.sum_kept(group, theirs)) + self.sum_kept(group, terms)
            parts.append(divergence.sum())
        return torch.stack(parts).sum()
