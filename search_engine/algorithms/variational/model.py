"""A super-network whose weights have a distribution, its likelihood, and which operation every weight belongs to."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_engine.events import FamilyGroup
from search_engine.spaces.base import SearchSpace
from search_engine.supernets.mixing import CellPlan

from ..bayes.conversion import posteriors, to_bayesian
from ..bayes.layers import Posterior

Place = tuple[str, int, int]
"""(group, edge, operation) of the structure weight that stands before an operation."""


class Values(NamedTuple):
    """What one pass of the model gives."""

    log_likelihoods: Tensor
    """log p(y_i | x_i, w, Gamma) per example, (B,), nats."""
    posteriors: list[Posterior]
    """q of every tensor with a distribution, in the order of `VariationalModel.posterior_names`."""
    outputs: Tensor


class VariationalModel(nn.Module):
    """Super-network, mean-field posterior, likelihood.

    With `gaussian` every linear and convolutional layer gets independent normal weights (local reparameterisation); what is left (the
    weights of normalisations) are point estimates without a prior. Without it all weights are point estimates.

    The likelihood is categorical for classes and normal for real targets, with one standard deviation for all: learned as a logarithm,
    or fixed. With the fixed deviation sqrt(1/2) minus the log likelihood is the squared error and a constant.
    """

    log_noise: Tensor | None

    def __init__(
        self, space: SearchSpace[Any], network: nn.Module, *, gaussian: bool, init_log_sigma: float, sigma_floor: float, noise: float,
        learn_noise: bool,
    ) -> None:
        super().__init__()
        self.task = space.task
        # Before the exchange: the twins keep the names.
        places = operation_places(network, space.family())
        if gaussian:
            network = to_bayesian(network, init_log_sigma=init_log_sigma, log_sigma_floor=sigma_floor)
        self.network = network
        if self.task == "classification":
            self.log_noise = None
        elif learn_noise:
            self.log_noise = nn.Parameter(torch.tensor(math.log(noise)))
        else:
            self.register_buffer("log_noise", torch.tensor(math.log(noise)))
        self.posterior_names = [name for name, _ in posteriors(self.network)]
        self.places = [_place_of(name, places) for name in self.posterior_names]
        """Per posterior the structure weight before its operation, or None where nothing is chosen (stem, classifier)."""

    def forward(self, inputs: Tensor, targets: Tensor, gamma: dict[str, Tensor]) -> Values:
        """Inputs (B, ...), targets (B,) or (B, values), gamma per group (edges, operations). In training mode one draw of the weights
        per example, in evaluation mode the mean weights."""
        outputs = self.network(inputs, gamma)
        # Views: a leaf that leaves a module as its output disturbs torch's counting of operations.
        found = [
            Posterior(item.name, item.mu.view_as(item.mu), item.log_sigma.view_as(item.log_sigma)) for _, item in posteriors(self.network)
        ]
        return Values(self._log_likelihoods(outputs.float(), targets), found, outputs)

    def _log_likelihoods(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.task == "classification":
            return -F.cross_entropy(outputs, targets, reduction="none")
        assert self.log_noise is not None
        errors = (outputs.flatten(1) - targets.flatten(1)).square()
        each = -0.5 * errors * (-2 * self.log_noise).exp() - self.log_noise - 0.5 * math.log(2 * math.pi)
        return each.sum(dim=1)


class AtGamma(nn.Module):
    """The model's network with the structure held at `gamma`, for scoring: inputs -> outputs."""

    def __init__(self, model: VariationalModel, gamma: dict[str, Tensor]) -> None:
        super().__init__()
        self.network = model.network
        self.gamma = gamma

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.network(inputs, self.gamma)
        return outputs


def operation_places(network: nn.Module, family: list[FamilyGroup]) -> dict[str, Place]:
    """Module name of every operation of a super-network -> its place.

    A network may say it itself (a method of this name); otherwise the mixed edges are found by their plan, and their group by the
    enclosing cell where the family has several. An empty answer means that no weight stands under a structure weight.
    """
    own = getattr(network, "operation_places", None)
    if own is not None:
        return dict(own())
    found: dict[str, Place] = {}
    for name, module in network.named_modules():
        plan = getattr(module, "plan", None)
        if not isinstance(plan, CellPlan):
            continue
        group = family[0].name if len(family) == 1 else _group_of(network, name)
        columns = {operation: column for column, operation in enumerate(plan.operations)}
        for row, edge in enumerate(plan.edges):
            for operation in edge.operations:
                found[f"{name}.operations.{edge.source}-{edge.target}.{operation}"] = (group, row, columns[operation])
    return found


def _group_of(network: nn.Module, name: str) -> str:
    """Normal or reduction: what the cell around a set of mixed edges is."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        reduction = getattr(network.get_submodule(".".join(parts[:length])), "reduction", None)
        if reduction is not None:
            return "reduction" if reduction else "normal"
    raise ValueError(f"the mixed edges '{name}' lie in no cell, and the family has several groups")


def _place_of(name: str, places: dict[str, Place]) -> Place | None:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        place = places.get(".".join(parts[:length]))
        if place is not None:
            return place
    return None
