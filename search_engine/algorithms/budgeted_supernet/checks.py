"""What a budgeted search refuses before it starts."""

from __future__ import annotations

from typing import Any

import numpy as np

from search_engine.base.errors import BadInput
from search_engine.spaces.block_costs.costs import AdditiveCost, BlockCosts, CostFunction, CostName, ParallelCost

UNITS: dict[CostName, str] = {"parameters": "parameters", "flops": "FLOPs", "latency": "latency", "parallel": "parallel time"}


def cost_function(space: Any, name: CostName, prices: BlockCosts, processors: int) -> CostFunction:
    """The cost of sets of blocks of `space`, normalised to its super-network."""
    return ParallelCost(prices, space.blocks, processors) if name == "parallel" else AdditiveCost(prices)


def cheapest(space: Any, cost: CostFunction, prices: BlockCosts) -> float:
    """The share of the super-network that the cheapest network costs: one path from input to output."""
    mask = np.zeros((1, len(space.blocks)), dtype=bool)
    mask[0, space.path(list(prices.each))] = True
    return float(cost(mask)[0])


def refuse_below(budget: float, cost: CostName, least: float) -> None:
    """Raise BadInput("options.budget") where no network can cost as little."""
    if budget < least:
        message = f"a budget of {budget:g} of the super-network's {UNITS[cost]} is below the cheapest path, which costs "
        raise BadInput("options.budget", message + f"{least:.4f}; use at least {np.ceil(least * 1000) / 1000:g}")
