"""What a set of blocks costs, as a share of the whole super-network (Veniat and Denoyer 2018, section 3.2).

Additive costs (parameters, FLOPs, latency) are sums over blocks and what every network has (stem and classifier). The parallel cost is
the time that n processors need, a block taking as long as its FLOPs and starting when what it reads is there.

Two figures are told apart. The *sampled* cost counts every block that was drawn: it is what the search optimises, as in the authors'
code, since its gradient is simple. The *pruned* cost counts only blocks on a live path from input to output: it is what the derived
network really costs. A block that was drawn but hangs loose makes the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .blocks import Array, Block

CostName = Literal["parameters", "flops", "latency", "parallel"]
PenaltyName = Literal["hinge", "absolute"]


@dataclass(frozen=True)
class BlockCosts:
    """Prices in the cost's own unit (numbers, FLOPs per example, seconds): of each block, and of what is always there."""

    each: tuple[float, ...]
    fixed: float

    def to_json(self) -> dict[str, Any]:
        return {"each": list(self.each), "fixed": self.fixed}

    @staticmethod
    def from_json(data: dict[str, Any]) -> BlockCosts:
        return BlockCosts(tuple(data["each"]), data["fixed"])


class AdditiveCost:
    """(fixed + sum of the blocks that are there) / (fixed + sum of all)."""

    def __init__(self, prices: BlockCosts) -> None:
        self._each = np.array(prices.each)
        self._fixed = prices.fixed
        self.whole = float(self._each.sum()) + prices.fixed

    def __call__(self, masks: Array) -> Array:
        """bool (B, blocks) -> (B,) shares of the super-network."""
        result: Array = (masks @ self._each + self._fixed) / self.whole
        return result


class ParallelCost:
    """Length of a schedule on n equal processors over that of the whole super-network: blocks in order, each as early as its source is
    complete and a processor is free (list scheduling, Graham 1966). What is always there comes before and after."""

    def __init__(self, prices: BlockCosts, blocks: Sequence[Block], processors: int) -> None:
        self._prices, self._blocks, self._processors = prices, blocks, processors
        self.whole = self._length(np.ones(len(blocks), dtype=bool))

    def __call__(self, masks: Array) -> Array:
        return np.array([self._length(mask) for mask in masks]) / self.whole

    def _length(self, mask: Array) -> float:
        free = [0.0] * self._processors
        complete: dict[int, float] = {}
        end = 0.0
        # By source: when a block is placed, everything into its source has been placed.
        for place in sorted(np.flatnonzero(mask).tolist(), key=lambda place: self._blocks[place].source):
            block, price = self._blocks[place], self._prices.each[place]
            if price == 0:
                # A shortcut is no work: its target waits for its source only.
                complete[block.target] = max(complete.get(block.target, 0.0), complete.get(block.source, 0.0))
                continue
            worker = min(range(self._processors), key=free.__getitem__)
            free[worker] = max(free[worker], complete.get(block.source, 0.0)) + price
            complete[block.target] = max(complete.get(block.target, 0.0), free[worker])
            end = max(end, free[worker])
        return end + self._prices.fixed


CostFunction = AdditiveCost | ParallelCost


def excess(costs: Any, budget: float, penalty: PenaltyName) -> Any:
    """What is penalised of a cost (array or tensor): max(0, C - C0), or |C - C0|."""
    return abs(costs - budget) if penalty == "absolute" else (costs - budget).clip(0)
