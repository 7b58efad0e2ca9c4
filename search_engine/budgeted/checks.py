"""What a budgeted search refuses before it starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..algorithms.budgeted_supernet import BudgetedSupernetConfig
from ..errors import BadInput
from .costs import AdditiveCost, BlockCosts, CostFunction, CostName, ParallelCost

UNITS: dict[CostName, str] = {"parameters": "parameters", "flops": "FLOPs", "latency": "latency", "parallel": "parallel time"}


def cost_function(space: Any, name: CostName, prices: BlockCosts, processors: int) -> CostFunction:
    """The cost of sets of blocks of `space`, normalised to its super-network."""
    return ParallelCost(prices, space.blocks, processors) if name == "parallel" else AdditiveCost(prices)


def cheapest(space: Any, cost: CostFunction, prices: BlockCosts) -> float:
    """The share of the super-network that the cheapest network costs: one path from input to output."""
    mask = np.zeros((1, len(space.blocks)), dtype=bool)
    mask[0, space.path(list(prices.each))] = True
    return float(cost(mask)[0])


def check(options: BudgetedSupernetConfig, space: Any) -> None:
    """Raise BadInput("options.budget") for a budget below the cheapest path. What is measured is known only once the search has begun."""
    if options.cost == "latency":
        return
    prices = space.prices("parameters" if options.cost == "parameters" else "flops")
    refuse_below(options, cheapest(space, cost_function(space, options.cost, prices, options.processors), prices))


def refuse_below(options: BudgetedSupernetConfig, least: float) -> None:
    """Raise BadInput("options.budget") where no network can cost as little."""
    if options.budget < least:
        message = f"a budget of {options.budget:g} of the super-network's {UNITS[options.cost]} is below the cheapest path, which costs "
        raise BadInput("options.budget", message + f"{least:.4f}; use at least {np.ceil(least * 1000) / 1000:g}")
