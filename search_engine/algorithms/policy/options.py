"""Hyper-parameters that every search with a controller has, and the controller that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from search_engine.base.generators import derive_seed
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, each
from search_engine.spaces.decisions import DecisionList

from ..base import SteadyConfig
from .reinforce import StalenessRule

if TYPE_CHECKING:
    import torch

    from . import network
else:
    torch = lazy_module("torch")
    network = lazy_module("search_engine.algorithms.policy.network")


SEVERAL_OPEN = {"not": [None, 1], "words": "a window above 1"}


class PolicyConfig(SteadyConfig):
    """The LSTM controller and how it learns."""

    works_with: ClassVar[WorksWith] = each(("stale", "stale_after"), {"window": SEVERAL_OPEN})

    hidden: int = Field(default=64, ge=1, le=1024, title="Hidden units", description="Units of each LSTM layer of the controller.")
    layers: int = Field(default=1, ge=1, le=4, title="LSTM layers", description="Layers of the controller. Zoph and Le: 2 of 35 units.")
    learning_rate: float = Field(default=0.01, gt=0, le=1, title="Learning rate", description="Adam's, of the controller.")
    entropy_weight: float = Field(
        default=0.001,
        ge=0,
        le=10,
        title="Entropy weight",
        description="Bonus for an undecided policy (beta): times the sum of its decisions' entropies in nats, in the rewards' unit.",
    )
    gradient_clip: float = Field(
        default=5.0, gt=0, le=1000, title="Gradient clip", description="Largest norm of the controller's gradient; a longer one is scaled."
    )
    temperature: float = Field(
        default=1.0, gt=0, le=100, title="Temperature", description="Divides the logits: above 1 the policy explores more."
    )
    tanh_constant: float = Field(
        default=0.0,
        ge=0,
        le=100,
        title="Tanh constant",
        description="c > 0 replaces a logit z by c tanh(z), so that no choice becomes (almost) certain; 0 = off. ENAS: 1.1 to 2.5.",
    )
    baseline_decay: float = Field(
        default=0.95,
        ge=0,
        lt=1,
        title="Baseline decay",
        description="REINFORCE compares a reward with a moving average of the earlier ones: how much of it an update keeps.",
    )
    stale_after: int = Field(
        default=10,
        ge=0,
        le=1000,
        title="Stale after",
        description="REINFORCE with several open trials: a trial that was proposed more than so many updates of the policy ago is stale.",
    )
    stale: StalenessRule = Field(
        default="clip",
        title="Stale trials",
        description="clip: weighted by how much likelier the policy finds them now, at most by 2; drop: left out of the update.",
    )


def controller_of(decisions: DecisionList, options: PolicyConfig, seed: int) -> network.Controller:
    """A fresh controller on the CPU, where a handful of units is fastest."""
    return network.Controller(
        decisions,
        hidden=options.hidden,
        layers=options.layers,
        temperature=options.temperature,
        tanh_constant=options.tanh_constant,
        generator=torch.Generator().manual_seed(derive_seed(seed, "controller")),
    )
