"""A super-network as a list of blocks between nodes, and which blocks matter once some are left out.

Node 0 is the input, the last node the output; blocks stand in topological order of their sources. A set of blocks is a row of booleans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Block:
    """One candidate operation from node `source` to node `target` > source; `stochastic` ones may be left out."""

    source: int
    target: int
    operation: str
    stochastic: bool = True


def live(blocks: Sequence[Block], masks: Array, nodes: int) -> Array:
    """Which of the present blocks lie on a path of present blocks from input to output: bool (B, blocks), from bool (B, blocks)."""
    reached = np.zeros((len(masks), nodes), dtype=bool)
    reaching = np.zeros_like(reached)
    reached[:, 0] = reaching[:, -1] = True
    # Nodes are numbered in topological order, so one sweep each way settles everything.
    for place in sorted(range(len(blocks)), key=lambda place: blocks[place].target):
        reached[:, blocks[place].target] |= masks[:, place] & reached[:, blocks[place].source]
    for place in sorted(range(len(blocks)), key=lambda place: -blocks[place].source):
        reaching[:, blocks[place].source] |= masks[:, place] & reaching[:, blocks[place].target]
    sources, targets = [block.source for block in blocks], [block.target for block in blocks]
    return np.asarray(masks & reached[:, sources] & reaching[:, targets])


def cheapest_path(blocks: Sequence[Block], prices: Sequence[float], nodes: int) -> list[int] | None:
    """The blocks of the path from input to output with the least sum of prices (none negative), in order; None where there is no path.

    Of equally cheap ones the path whose blocks stand first.
    """
    least = [0.0] + [float("inf")] * (nodes - 1)
    last: list[int | None] = [None] * nodes
    for place in sorted(range(len(blocks)), key=lambda place: (blocks[place].target, place)):
        block = blocks[place]
        total = least[block.source] + prices[place]
        if total < least[block.target]:
            least[block.target], last[block.target] = total, place
    path: list[int] = []
    node = nodes - 1
    while node:
        before = last[node]
        if before is None:
            return None
        path.append(before)
        node = blocks[before].source
    return path[::-1]
