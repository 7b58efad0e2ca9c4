"""Architecture search with logit-normal structures: the softmax of Gaussian logits.

O. Y. Bakhteev, lecture slides on probabilistic structure selection (2019), name the law beside Gumbel-Softmax and Dirichlet; the
logistic-normal law itself is that of J. Aitchison and S. M. Shen, Biometrika 1980.

    gamma = softmax((mu + sigma Z) / tau),      Z standard normal
    min over (mu, log sigma) of   E L_val(w*(mu, sigma), gamma) + kl_weight KL(q(gamma) || p(gamma))

Draws are reparameterised by Z. The prior p has mean logits zero and the initial spread. q and p are Gaussian in the K - 1 log ratios
log(gamma_l / gamma_K), so that the divergence is exact, also where all K logits are learned (one more than the law needs). With
`pinned` the last logit is fixed at zero, the identifiable form. The genome is derived from the mean of gamma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from search_engine.base.lazy import lazy_module
from search_engine.base.works_with import WorksWith
from search_engine.structures import LogitNormalStructure
from search_engine.structures.logit_normal import Reading
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


class LogitNormalConfig(TemperatureConfig, BilevelConfig):
    """Hyper-parameters of logit-normal searches."""

    works_with: ClassVar[WorksWith] = {"spread_is": {"spread": {"not": [1.0], "words": "a spread other than 1, which is its own square"}}}

    spread: float = Field(
        default=1.0, gt=0, le=100, title="Initial spread of the logits", description="Of every logit, at the start and in the prior.",
    )
    spread_is: Reading = Field(
        default="standard_deviation", title="What the spread is", description="The standard deviation of a logit, or its variance.",
    )
    pinned: bool = Field(
        default=False, title="Last logit pinned",
        description="off: every operation has a mean and a spread. on: the last operation's logit is zero and the others are relative to "
        "it, the identifiable form.",
    )
    kl_weight: float = Field(
        default=1e-3, ge=0, le=1000, title="Weight of the divergence",
        description="Multiplies the divergence from the prior, summed over edges; 0 = no prior.",
    )
    structure_weight_decay: float = Field(
        default=0.0, ge=0, le=1, title="Weight decay of the structure",
        description="L2 penalty on means and logarithms of the spreads; the prior does the same with a meaning.",
    )
    temperature_schedule: ScheduleName = Field(
        default="constant", title="Temperature schedule",
        description="How the temperature, which divides the logits, goes from its first to its last value over the horizon. constant: the "
        "learned spread alone decides how close draws come to the vertices.",
    )


class LogitNormalSearch(StochasticSearch):
    """The loop on logit-normal draws: the structure first, as in DARTS."""

    title = "Logit-normal"
    choice: LogitNormalStructure

    @property
    def order(self) -> Order:
        return "structure_first"

    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> LogitNormalStructure:
        """The structure, and the prior beside it: the same law with all means zero."""
        options: LogitNormalConfig = self.context.options
        made, self.prior = (
            LogitNormalStructure(
                shapes, generator, device, spread=options.spread, reading=options.spread_is, pinned=options.pinned,
            )
            for _ in range(2)
        )
        with torch.no_grad():
            for name, value in self.prior.named().items():
                value.requires_grad_(False)
                if name.endswith(".mu"):
                    value.zero_()
        return made

    def _divergence(self) -> torch.Tensor:
        """KL(q || p) in nats. The prior is over the same operations at the same temperature: it follows what happens to the structure."""
        self.prior.temperature = self.choice.temperature
        self.prior.kept = self.choice.kept
        return self.choice.kl(self.prior)

    def structure_terms(self) -> torch.Tensor | None:
        """kl_weight KL(q || p)."""
        weight = self.context.options.kl_weight
        return weight * self._divergence() if weight else None

    def numbers(self) -> dict[str, float]:
        """Beside the temperature the mean spread of the logits and the divergence from the prior, per edge in nats."""
        edges = sum(shape[0] for shape in self.choice.shapes.values())
        with torch.no_grad():
            sigmas = torch.cat([value.exp().flatten() for name, value in self.choice.named().items() if name.endswith(".log_sigma")])
            return {
                **super().numbers(), "spread": float(sigmas.mean()), "kl_per_edge": max(float(self._divergence()), 0.0) / edges,
            }


def _phases(options: LogitNormalConfig) -> list[Phase]:
    return [LogitNormalSearch()]


ENTRY = AlgorithmEntry(
    id="logit_normal",
    title="Logit-normal",
    family="gradient",
    summary="Gives every operation a Gaussian logit and learns its mean and its spread through the draws.",
    source="Bakhteev, lecture slides 2019; Aitchison, Shen: Logistic-normal distributions, Biometrika 67(2), 1980",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"supernet"}),
    weighs_classes=True,
    objectives="any",
    config=LogitNormalConfig,
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
