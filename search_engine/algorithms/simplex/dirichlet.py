"""DrNAS: architecture search in the Dirichlet law of the mixing weights.

X. Chen, R. Wang, M. Cheng, X. Tang, C.-J. Hsieh: DrNAS: Dirichlet Neural Architecture Search, ICLR 2021 (arXiv 2006.10355).

The weights of an edge's operations are drawn from a Dirichlet law whose concentrations are learned:

    gamma ~ Dir(beta),   beta = elu(alpha) + 1
    min over alpha of   E L_val(w*(alpha), gamma) + reg_scale KL(Dir(beta) || Dir(1, ..., 1))

The draw has an implicitly reparameterised gradient in beta. The Dirichlet law is uniform at beta = 1; the anchor keeps it from
collapsing to a point early (the authors' default is an L2 penalty on alpha in its place). The order of a step is DARTS': alpha on one half
of the data, then w on the other. Half-way every edge keeps its strongest operations only (of seven, 4); of a Dirichlet vector that loses
places the rest, renormalised, is Dirichlet again. The genome is derived from the mean beta / sum(beta).

Where it departs from the authors' code: concentrations are at least 0.001 (elu(alpha) + 1 reaches zero, where draws are not numbers), and
the derivation follows the space's rule for `none`. The other form of the concentrations, lambda_temp s with s of mean one, is the
Dirichlet law of Bakhteev's lecture slides (2019); there a temperature schedule moves lambda_temp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith, one_of
from search_engine.structures import DirichletStructure
from search_engine.structures.temperature import ScheduleName

from ..base import ONE_FINALIST, AlgorithmEntry, Phase
from .config import BilevelConfig
from .controls import NO_NONE, NO_SKIPS
from .search import Order
from .stochastic import StochasticSearch, TemperatureConfig

if TYPE_CHECKING:
    import torch
else:
    torch = lazy_module("torch")


class DirichletConfig(TemperatureConfig, BilevelConfig):
    """Hyper-parameters of DrNAS. The paper's: two stages of 25 epochs, Adam 0.0006 for alpha, SGD from 0.1 to 0 for the weights."""

    works_with: ClassVar[WorksWith] = {
        "kl_weight": {"regulariser": one_of("kl")}, "structure_weight_decay": {"regulariser": one_of("l2")},
    }

    concentrations: Literal["elu", "scaled_softmax"] = Field(
        default="elu", title="Concentrations",
        description="elu: temperature × (elu(α) + 1), with temperature 1 the paper's. scaled_softmax: temperature × K × softmax(α), whose "
        "mean does not depend on the temperature.",
    )
    regulariser: Literal["kl", "l2", "none"] = Field(
        default="kl", title="Regulariser of the structure",
        description="kl: the divergence from the uniform law Dir(1, …, 1), weighted. l2: the weight decay of the structure instead (the "
        "authors' default). none: neither.",
    )
    kl_weight: float = Field(
        default=1e-3, ge=0, le=1000, title="Weight of the divergence",
        description="Multiplies the divergence from Dir(1, …, 1), summed over edges. Used with the regulariser kl. Paper: 0.001.",
    )
    structure_weight_decay: float = Field(
        default=1e-3, ge=0, le=1, title="Weight decay of the structure",
        description="L2 penalty on alpha, pulling concentrations towards 1. Used with the regulariser l2. DrNAS: 0.001.",
    )
    temperature_schedule: ScheduleName = Field(
        default="constant", title="Temperature schedule",
        description="The temperature multiplies the concentrations: below one draws move to the vertices, above one to the mean. DrNAS has "
        "none (constant 1).",
    )

    # ---- the two stages of DrNAS
    shrink_stages: int = Field(
        default=2, ge=1, le=4, title="Stages of shrinking",
        description="The search is cut into this many stages of equal length; after each, every edge loses its weakest operations, and the "
        "warm-up of the structure begins anew. 1 = no shrinking. DrNAS: 2 (7 operations, then 4).",
    )
    shrink_restart: bool = Field(
        default=False, title="Each stage starts afresh",
        description="on: weights, structure and learning rate begin anew in every stage (P-DARTS). off: they go on from where they are, "
        "only the dropped operations are gone (DrNAS).",
    )
    shrink_keeps_none: bool = Field(
        default=False, title="`none` stays to the end",
        description="on: `none` is dropped at the very end only (P-DARTS). off: it falls as any other operation does, where it is "
        "the weakest (DrNAS).",
    )


class DirichletSearch(StochasticSearch):
    """The loop on Dirichlet draws."""

    title = "DrNAS"
    choice: DirichletStructure

    @property
    def order(self) -> Order:
        return "structure_first"

    def create(self) -> None:
        super().create()
        options: DirichletConfig = self.context.options
        if options.regulariser != "l2":
            for group in self.alpha_optimizer.param_groups:
                group["weight_decay"] = 0.0

    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> DirichletStructure:
        return DirichletStructure(shapes, generator, device, form=self.context.options.concentrations)

    def structure_terms(self) -> torch.Tensor | None:
        """reg_scale KL(Dir(beta) || Dir(1, ..., 1))."""
        options: DirichletConfig = self.context.options
        return options.kl_weight * self.choice.kl_from_uniform() if options.regulariser == "kl" and options.kl_weight else None

    def numbers(self) -> dict[str, float]:
        """Beside the temperature the divergence from the uniform law, per edge in nats."""
        edges = sum(shape[0] for shape in self.choice.shapes.values())
        with torch.no_grad():
            return {**super().numbers(), "kl_per_edge": float(self.choice.kl_from_uniform()) / edges}


def _phases(options: DirichletConfig) -> list[Phase]:
    return [DirichletSearch()]


ENTRY = AlgorithmEntry(
    id="dirichlet",
    title="Dirichlet (DrNAS)",
    family="gradient",
    summary="Learns the Dirichlet law from which each edge's mixing weights are drawn, held near the uniform law by a divergence.",
    source="Chen, Wang, Cheng, Tang, Hsieh: DrNAS: Dirichlet Neural Architecture Search, ICLR 2021 (arXiv 2006.10355)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"supernet"}),
    weighs_classes=True,
    objectives="any",
    config=DirichletConfig,
    phases=_phases,
    check="search_engine.algorithms.simplex.controls:check_controls",
    budgets=frozenset({"samples", "flops", "seconds"}),
    lives="a distribution on the simplex",
    idle=(ONE_FINALIST, NO_SKIPS, NO_NONE),
    structure=("family",),
    quick={
        "options": {"steps": 3, "batch_size": 16},
        "space_options": {"search_cells": 3, "search_channels": 2},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}},
    },
)
