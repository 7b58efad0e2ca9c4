"""Architecture search with Gumbel-Softmax structures: SNAS (relaxed) and GDAS (hard).

S. Xie, H. Zheng, C. Liu, L. Lin: SNAS: Stochastic Neural Architecture Search, ICLR 2019 (arXiv 1812.09926).
X. Dong, Y. Yang: Searching for a Robust Neural Architecture in Four GPU Hours, CVPR 2019 (arXiv 1910.04465): GDAS.

On every edge the operation is a random variable with probabilities s = softmax(alpha). A draw of its relaxation at temperature tau is

    gamma = softmax((log s + G) / tau),      G_l = -log(-log U_l),  U_l uniform in (0, 1)

and the loss of the super-network under a draw has a path-wise gradient in alpha. At every temperature the strongest operation of a draw
is l with probability s_l; as tau falls, draws approach the vertices of the simplex, and the super-network the networks derived from it.

    SNAS   one minibatch of training data moves w and alpha together (single level); a resource term may be added:
           L(w, gamma) + lambda log(1 + expected parameters of the cells)
    GDAS   a draw is rounded to one operation per edge, straight through: its value is one-hot, its gradient that of the relaxed draw.
           w moves on one half of the data, then alpha on the other (bilevel); only the drawn operations are computed.

In the published form of GDAS the weights of the operations that were not drawn, all zero, are added to the node bare, which hands each of
them the summed gradient of the node; the authors' later form leaves them out, and so does the default here (`evaluate`).

The uniform numbers exclude both ends, so that no draw is infinite and none needs to be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from search_engine.base.errors import BadInput
from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, each, one_of
from search_engine.primitives.names import PRIMITIVES
from search_engine.spaces.base import SearchSpace
from search_engine.structures import GumbelSoftmaxStructure, HardGumbelStructure, TemperedStructure

from ..base import ONE_FINALIST, AlgorithmEntry, Phase
from .config import BilevelConfig
from .controls import NO_NONE, NO_SKIPS, check_controls
from .search import Order
from .stochastic import StochasticSearch, TemperatureConfig

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")

COST_CHANNELS = 16
"""Width at which the resource term counts an operation's parameters."""


class GumbelSoftmaxConfig(TemperatureConfig, BilevelConfig):
    """Hyper-parameters of Gumbel-Softmax searches."""

    works_with: ClassVar[WorksWith] = {
        "evaluate": {"hard": one_of(True)},
        **each(("estimator", "xi", "structure_data", "train_portion"), {"levels": one_of("bilevel")}),
    }

    epochs: int = Field(
        default=8, ge=1, le=10_000, title="Epochs",
        description="Passes over the data that fit the weights (single level: all training data). With `steps` = 0 this is the horizon of "
        "the search, of its learning rate and of its temperature. SNAS: 150, GDAS: 250.",
    )
    hard: bool = Field(
        default=False, title="One operation per edge",
        description="off: a draw mixes all operations (SNAS). on: a draw is rounded to one operation per edge and only those are computed "
        "(GDAS), which makes a step several times cheaper.",
    )
    levels: Literal["single", "bilevel"] = Field(
        default="single", title="Levels",
        description="single: weights and structure move together on all training data (SNAS). bilevel: the weights on one part, then the "
        "structure on another (GDAS).",
    )
    evaluate: Literal["chosen", "chosen_bare", "all"] = Field(
        default="chosen", title="What a hard draw computes",
        description="chosen: the drawn operations alone (GDAS as its authors later wrote it). chosen_bare: the same value, with the zero "
        "weights of the other operations added to the node, as first published. all: every operation, so that each gets its own "
        "straight-through gradient: several times dearer, but without the bias of the other two, which never see what another operation "
        "would have done. Used where one operation per edge is drawn.",
    )
    resource_weight: float = Field(
        default=0.0, ge=0, le=1000, title="Resource weight λ",
        description="Adds λ log(1 + expected parameters of the cells' operations) to the structure's loss, so that cheap operations are "
        "preferred; 0 = off. SNAS compares several values.",
    )
    temperature_start: float = Field(
        default=1.0, gt=0, le=80, title="First temperature", description="At the first step. SNAS: 1, GDAS: 10.",
    )
    temperature_end: float = Field(
        default=0.1, gt=0, le=80, title="Last temperature",
        description="At the last step of the horizon; unused if constant. SNAS: 0.03 after 150 epochs, GDAS: 0.1 after 250.",
    )


class GumbelSoftmaxSearch(StochasticSearch):
    """The loop on draws of a Gumbel-Softmax structure."""

    title = "Gumbel-Softmax"

    @property
    def order(self) -> Order:
        return "single_level" if self.context.options.levels == "single" else "weights_first"

    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> TemperedStructure:
        """Relaxed or hard. A hard draw also tells the mixed edges what they have to compute."""
        from search_engine.supernets.mixing import evaluate_in

        options: GumbelSoftmaxConfig = self.context.options
        if not options.hard:
            return GumbelSoftmaxStructure(shapes, generator, device)
        evaluate_in(self.network, options.evaluate)
        return HardGumbelStructure(shapes, generator, device, chosen_only=options.evaluate == "chosen")

    def structure_terms(self) -> torch.Tensor | None:
        """SNAS' resource term. It is linear in the draw inside the logarithm, so its expectation is taken of the probabilities."""
        weight = self.context.options.resource_weight
        return weight * torch.log1p(self._parameters()) if weight else None

    def _parameters(self) -> torch.Tensor:
        """Expected parameters of the cells' operations at `COST_CHANNELS` channels, differentiable: a scalar."""
        total = torch.zeros((), device=self.context.device)
        means = self.choice.mean()
        for group in self.report.family:
            costs = [PRIMITIVES[name].parameters(COST_CHANNELS, affine=False) for name in group.operations]
            total = total + (means[group.name] * torch.tensor(costs, dtype=means[group.name].dtype, device=total.device)).sum()
        return total

    def numbers(self) -> dict[str, float]:
        numbers = super().numbers()
        if self.context.options.resource_weight:
            numbers["expected_parameters"] = float(self._parameters().detach())
        return numbers


def _phases(options: GumbelSoftmaxConfig) -> list[Phase]:
    return [GumbelSoftmaxSearch()]


def check(options: GumbelSoftmaxConfig, space: SearchSpace[Any]) -> None:
    """Refuse what the space cannot do. Raises BadInput."""
    check_controls(options, space)
    if options.hard and options.evaluate == "chosen_bare" and "paths" not in space.offers:
        raise BadInput("options.evaluate", f"the space '{space.id}' always computes all its operations; choose 'chosen' or 'all'")
    if options.resource_weight:
        unknown = sorted({name for group in space.family() for name in group.operations} - set(PRIMITIVES))
        if unknown:
            message = f"the parameters of {', '.join(unknown)} are not known; set the resource weight to 0"
            raise BadInput("options.resource_weight", message, code="incompatible")


ENTRY = AlgorithmEntry(
    id="gumbel_softmax",
    title="Gumbel-Softmax",
    family="gradient",
    summary="Draws each edge's operation from a relaxed categorical law of falling temperature; the gradient goes through the draw.",
    source="Xie, Zheng, Liu, Lin: SNAS: Stochastic Neural Architecture Search, ICLR 2019 (arXiv 1812.09926); Dong, Yang: Searching for a "
    "Robust Neural Architecture in Four GPU Hours (GDAS), CVPR 2019 (arXiv 1910.04465)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"supernet"}),
    weighs_classes=True,
    objectives="any",
    config=GumbelSoftmaxConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    lives="a distribution on the simplex",
    idle=(ONE_FINALIST, NO_SKIPS, NO_NONE),
    structure=("family",),
    check="search_engine.algorithms.simplex.gumbel_softmax:check",
    quick={
        "options": {"steps": 3, "batch_size": 16},
        "space_options": {"search_cells": 3, "search_channels": 2},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}},
    },
)
