"""Gumbel-Softmax structures: the concrete distribution of an edge's operation, and its hard straight-through form.

With s = softmax(alpha), independent standard Gumbel numbers G and a temperature tau (Maddison, Mnih, Teh 2017; Jang, Gu, Poole 2017),

    gamma = softmax((log s + G) / tau).

At every temperature the strongest operation of a draw is l with probability s_l. The noise belongs inside the quotient: added after the
division by tau it would lose that law. The density on the simplex of K operations is

    (K - 1)! tau^(K-1)  prod_l s_l gamma_l^(-tau-1)  /  (sum_l s_l gamma_l^(-tau))^K.

With s and tau equal to one it is not uniform, and for tau <= 1 / (K - 1) it has no mode inside the simplex.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.lazy import lazy_module
from . import categorical
from .distribution import Parameters, StructureDistribution, Weights, uniform
from .simplex_density import SimplexDensity
from .temperature import TemperedStructure

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:
    torch = lazy_module("torch")
    functional = lazy_module("torch.nn.functional")


class _GumbelLogits(TemperedStructure):
    """Alphas (edges, operations) per group, and perturbed logarithms of their softmax."""

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        generator: torch.Generator | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
        temperature: float = 1.0,
        learn_temperature: bool = False,
    ) -> None:
        """`generator` is a CPU generator for the initial values (None = the global one). Raises ValueError for a temperature <= 0."""
        super().__init__(shapes, device, dtype, temperature)
        for group, shape in self.shapes.items():
            self.learn(group, categorical.initial_logits(shape, generator, self.dtype))
        if learn_temperature:
            self.learn_temperature()

    def _tempered(self, parameters: Parameters | None, generator: torch.Generator | None, draws: tuple[int, ...]) -> Weights:
        """(log s + G) / tau, (*draws, edges, operations) per group. Never infinite: the uniform numbers exclude both ends."""
        temperature = self.temperature_of(parameters)
        result = {}
        for group, alpha in self.logits(parameters).items():
            gumbel = -(-uniform((*draws, *alpha.shape), generator).log()).log()
            result[group] = (alpha.log_softmax(dim=-1) + gumbel.to(device=alpha.device, dtype=alpha.dtype)) / temperature
        return result

    def mean(self, parameters: Parameters | None = None) -> Weights:
        """s: the probability that an operation is the strongest of a draw, at every temperature, and so the expected vertex.

        It is the expected weight itself for the hard form and in the limit of low temperature; at a high temperature the expected weights
        of the concrete form lie closer to the centre and have no closed form.
        """
        return {group: alpha.softmax(dim=-1) for group, alpha in self.logits(parameters).items()}

    def entropy(self, parameters: Parameters | None = None) -> Weights:
        return {group: categorical.entropy(alpha) for group, alpha in self.logits(parameters).items()}


class GumbelSoftmaxStructure(_GumbelLogits, SimplexDensity):
    """The concrete distribution: draws inside the simplex, as in SNAS (Xie, Zheng, Liu, Lin 2019).

    >>> structure = GumbelSoftmaxStructure({"cell": (2, 3)}, torch.Generator().manual_seed(0))
    >>> weights = structure.sample(generator=torch.Generator().manual_seed(1))["cell"]
    >>> bool((weights > 0).all()), bool(torch.allclose(weights.sum(1), torch.ones(2)))
    (True, True)
    """

    def sample_logs(self, parameters: Parameters | None, generator: torch.Generator | None, draws: tuple[int, ...]) -> Weights:
        return {group: value.log_softmax(dim=-1) for group, value in self._tempered(parameters, generator, draws).items()}

    def edge_log_density(self, logs: Mapping[str, torch.Tensor], parameters: Parameters | None) -> Weights:
        temperature = self.temperature_of(parameters)
        result = {}
        for group, alpha in self.logits(parameters).items():
            count = torch.from_numpy(self.choices(group)).to(device=alpha.device, dtype=alpha.dtype)
            # log s_l - tau log gamma_l: the logarithms of the terms of the density's denominator.
            terms = self.kept_logits(group, alpha.log_softmax(dim=-1) - temperature * logs[group])
            constant = torch.lgamma(count) + (count - 1) * temperature.log()
            result[group] = constant + self.sum_kept(group, terms - logs[group]) - count * terms.logsumexp(dim=-1)
        return result


class HardGumbelStructure(_GumbelLogits):
    """One operation per edge, with the gradient of the concrete draw behind it: the straight-through form of GDAS (Dong and Yang 2019).

    A draw's value is exactly one-hot. `log_prob` and `kl` are those of the categorical law, exact; they have gradients in alpha and do
    not depend on the temperature.

    >>> structure = HardGumbelStructure({"cell": (2, 3)}, torch.Generator().manual_seed(0))
    >>> structure.sample(generator=torch.Generator().manual_seed(1))["cell"].sum(1).tolist()
    [1.0, 1.0]
    """

    constraint = "simplex_vertices"
    discrete = True

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        generator: torch.Generator | None = None,
        device: str = "cpu",
        dtype: torch.dtype | None = None,
        temperature: float = 1.0,
        learn_temperature: bool = False,
        chosen_only: bool = False,
    ) -> None:
        """`chosen_only`: only the drawn operation's weight carries a gradient, as where the others are not computed at all."""
        super().__init__(shapes, generator, device, dtype, temperature, learn_temperature)
        self.chosen_only = chosen_only

    def sample(
        self, parameters: Parameters | None = None, generator: torch.Generator | None = None, draws: tuple[int, ...] = ()
    ) -> Weights:
        result = {}
        for group, value in self._tempered(parameters, generator, draws).items():
            soft = value.softmax(dim=-1)
            one_hot = functional.one_hot(soft.argmax(dim=-1), soft.shape[-1]).to(soft.dtype)
            # The difference is exactly zero, so the value stays one-hot to the bit.
            behind = soft - soft.detach()
            result[group] = one_hot + (behind * one_hot if self.chosen_only else behind)
        return result

    def edge_log_prob(self, weights: Mapping[str, torch.Tensor], parameters: Parameters | None = None) -> Weights:
        """Log probability of one operation per edge, given as one-hot rows. Raises ValueError for rows that are not one-hot."""
        return {group: categorical.log_prob(alpha, weights[group], group) for group, alpha in self.logits(parameters).items()}

    def _closed_kl(
        self, prior: StructureDistribution, parameters: Parameters | None, prior_parameters: Parameters | None
    ) -> torch.Tensor | None:
        if not isinstance(prior, HardGumbelStructure):
            return None
        return categorical.total_kl(self.logits(parameters), prior.logits(prior_parameters))
