"""Budgeted super-networks: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from typing import Any

from ..base import ONE_FINALIST, AlgorithmEntry, Phase
from .checks import cheapest, cost_function, refuse_below
from .search import BudgetedSupernet, BudgetedSupernetConfig


def _phases(options: BudgetedSupernetConfig) -> list[Phase]:
    return [BudgetedSupernet()]


def check(options: BudgetedSupernetConfig, space: Any) -> None:
    """Raise BadInput("options.budget") for a budget below the cheapest path. What is measured is known only once the search has begun."""
    if options.cost == "latency":
        return
    prices = space.prices("parameters" if options.cost == "parameters" else "flops")
    least = cheapest(space, cost_function(space, options.cost, prices, options.processors), prices)
    refuse_below(options.budget, options.cost, least)


ENTRY = AlgorithmEntry(
    id="budgeted_supernet",
    title="Budgeted super-network",
    family="gradient",
    summary="Every block of a super-network is there by chance; the loss and what it costs above a budget move the chances. The probable "
    "blocks are the network.",
    source="Veniat and Denoyer: Learning Time/Memory-Efficient Deep Architectures with Budgeted Super Networks, CVPR 2018 (arXiv "
    "1706.00046)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"blocks"}),
    no_space_for=dict.fromkeys(
        ("vector", "series"), "The blocks that it drops are convolutions between maps of an image at several resolutions."
    ),
    config=BudgetedSupernetConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    lives="cube vertices, sampled",
    idle=(ONE_FINALIST,),
    structure=("family", "charts"),
    finale="The network of the probable blocks is trained from scratch by the house's recipe, beside a random network within the same "
    "budget trained in the same way: the claim is which blocks are worth their cost.",
    check="search_engine.algorithms.budgeted_supernet:check",
    quick={
        "options": {"epochs": 1, "warm_up_epochs": 0, "batch_size": 256},
        "space_options": {"columns": 2, "scales": 2, "channels": 4},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128}},
    },
)
