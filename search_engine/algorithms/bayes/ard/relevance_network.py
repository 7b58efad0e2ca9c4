"""A plain network with Gaussian weights and a learnt prior: what automatic relevance determination trains, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from search_engine.base.generators import derive_seed
from search_engine.spaces.plain_network import PlainNetworkSpace
from search_engine.spaces.tasks import SCORES
from search_engine.supernets.plain_network import PlainNetwork, open_dense
from search_engine.training.batches import DevicePart
from search_engine.training.evaluation import evaluate_on

from ..conversion import bayesian_layers, to_bayesian, to_plain
from ..layers import MeanFieldLayer
from ..likelihood import TaskLikelihood
from ..prior import RelevancePrior, VarianceRule
from ..relevance import density_ratio, kept
from .charts import Removal

Masks = dict[str, np.ndarray[Any, Any]]
CURVE = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
"""Shares of removed weights of the curves."""


class Bound(NamedTuple):
    """Parts of the evidence lower bound at one draw."""

    log_likelihood: torch.Tensor
    """(B,) nats, one per example."""
    divergence: torch.Tensor
    """KL(q || p) of all weights, nats: a scalar."""


class RelevanceNetwork(nn.Module):
    """Posterior, prior and likelihood together. Biases and normalisations are ordinary parameters: they are never removed."""

    def __init__(self, space: PlainNetworkSpace, rule: VarianceRule, *, variance: float = 1.0, init_log_sigma: float = -4.0) -> None:
        """First means come from torch's global generator."""
        super().__init__()
        self._space = space
        self.task = space.task
        plain = PlainNetwork(space.config, space.shape, masked=False)
        self.posterior = to_bayesian(plain, init_log_sigma=init_log_sigma, point_bias=True)
        self.prior = RelevancePrior(self.posterior, rule, variance)
        self.likelihood = TaskLikelihood(self.task)

    @property
    def layers(self) -> dict[str, MeanFieldLayer]:
        """The layers with distributions by the space's names, in the order of computation."""
        found = [layer for _, layer in bayesian_layers(self.posterior)]
        return dict(zip((layer.name for layer in self._space.layers), found, strict=True))

    def forward(self, inputs: torch.Tensor, targets: torch.Tensor) -> Bound:
        return Bound(self.likelihood(self.posterior(inputs), targets), self.prior(self.posterior))

    # ---- what is found

    def rho(self) -> Masks:
        """Density ratio of every weight, by layer."""
        with torch.no_grad():
            found = {name: layer.posteriors()[0] for name, layer in self.layers.items()}
            return {name: density_ratio(item.mu, item.log_sigma).cpu().numpy() for name, item in found.items()}

    def masks(self, threshold: float) -> Masks:
        """True where rho is at most `threshold`: the weights that remain."""
        with torch.no_grad():
            found = {name: layer.posteriors()[0] for name, layer in self.layers.items()}
            return {name: kept(item.mu, item.log_sigma, threshold).cpu().numpy() for name, item in found.items()}

    def importance(self, order: str, seed: int) -> torch.Tensor:
        """(weights,) of all layers one behind the other, on the CPU; the smallest goes first. rho: |mu| / sigma, which falls where rho
        rises and tells apart what rho rounds to 0 or 1. magnitude: |mu|. random: chance, drawn from `seed`."""
        if order == "random":
            generator = torch.Generator().manual_seed(derive_seed(seed, "removal order"))
            return torch.rand(self._space.weights, generator=generator)
        with torch.no_grad():
            found = [layer.posteriors()[0] for layer in self.layers.values()]
            sizes = [(item.mu.abs() if order == "magnitude" else item.mu.abs() * (-item.log_sigma).exp()).flatten() for item in found]
            return torch.cat(sizes).cpu()

    def masks_without(self, count: int, order: str, seed: int) -> Masks:
        """Masks that leave out the `count` least important weights of the whole network (of equal ones those that stand first)."""
        left = torch.ones(self._space.weights, dtype=torch.bool)
        left[self.importance(order, seed).argsort(stable=True)[:count]] = False
        parts = left.split([layer.total for layer in self._space.layers])
        return {layer.name: part.view(layer.shape).numpy() for layer, part in zip(self._space.layers, parts, strict=True)}

    def pruned(self, masks: Mapping[str, Any]) -> PlainNetwork:
        """The network of the mean weights under those masks, on the CPU, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            network = open_dense(self._space)
        means = {name: value.cpu() for name, value in to_plain(self.posterior).state_dict().items()}
        network.load_state_dict({**network.state_dict(), **means})
        network.set_masks(masks)
        return network.eval()

    def scored(self, masks: Mapping[str, Any], part: DevicePart) -> tuple[float, float]:
        """(score, log-likelihood in nats per example) of the mean weights under those masks; `part` lies where the network does."""
        figures = evaluate_on(self.pruned(masks).to(part.device), part, task=self.task)
        return figures[SCORES[self.task]], self.log_likelihood_of(figures["loss"])

    def log_likelihood_of(self, loss: float) -> float:
        """Nats per example, from the task's mean loss and the learnt noise."""
        noise = self.likelihood.noise
        if noise is None:
            return -loss
        deviation, values = float(noise.detach().exp()), self._space.shape.classes
        return -0.5 * values * (loss / deviation**2 + float(np.log(2 * np.pi * deviation**2)))

    def removal_curves(self, part: DevicePart, seed: int) -> list[Removal]:
        """What is left at each share of removed weights, in the three orders."""
        found = []
        for order in ("rho", "magnitude", "random"):
            for share in CURVE:
                score, likelihood = self.scored(self.masks_without(round(share * self._space.weights), order, seed), part)
                found.append(Removal(order, share, score, likelihood))
        return found
