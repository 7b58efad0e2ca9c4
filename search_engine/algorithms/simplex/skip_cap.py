"""The limit of skip connections in what is derived (P-DARTS: Chen et al. 2019, section 3.3, "architecture refinement").

While the derived normal cell has more than M skip connections, the weight of its weakest one is set to zero and the cell is derived
again. P-DARTS takes M = 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from search_engine.events import Cost, FamilyGroup, Notice
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome

from .habits.skip_counter import is_skip
from .loop import Listener

Array = np.ndarray[Any, Any]


def capped(
    weights: dict[str, Array], limit: int, family: list[FamilyGroup], space: SearchSpace[Any], derive: Callable[[dict[str, Array]], Genome]
) -> tuple[Genome, int]:
    """(the derived genome with at most `limit` skip connections in its normal cell, how many skips were taken away).

    A skip whose edge has no other operation of positive weight stays: nothing dropped may come back. Counts in the group `normal`
    where there is one, else in the first group.
    """
    group = next((item for item in family if item.name == "normal"), family[0])
    rows = {edge: row for row, edge in enumerate(group.edges)}
    table = weights[group.name].copy()
    others = [column for column, name in enumerate(group.operations) if name != "none" and not is_skip(name)]
    taken = 0
    while True:
        genome = derive({**weights, group.name: table})
        skips = [
            (rows[edge.source, edge.target], group.operations.index(edge.operation))
            for edge in space.drawings(genome)[group.name].edges
            if edge.operation is not None and is_skip(edge.operation)
        ]
        removable = [(row, column) for row, column in skips if (table[row, others] > 0).any()]
        if len(skips) <= limit or not removable:
            return genome, taken
        table[min(removable, key=lambda place: table[place])] = 0.0
        taken += 1


class SkipCap(Listener):
    """Keeps what is derived to the limit, and says at the end of the search what that took away."""

    name = "skip_cap"

    def derived(self, genome: Genome, weights: dict[str, Array]) -> Genome:
        return self._capped(weights)[0] if self.loop.options.skip_cap else genome

    def after_step(self) -> Cost:
        loop, limit = self.loop, self.loop.options.skip_cap
        if limit and loop.finished:
            _, taken = self._capped(loop.alpha.numpy())
            if taken:
                message = f"The derived cell had more than {limit} skip connections: the {taken} weakest gave way to other operations."
                values = {"taken": float(taken), "limit": float(limit)}
                loop.context.emit(Notice(name=self.name, message=message, step=loop.done, values=values), loop.done)
        return Cost()

    def _capped(self, weights: dict[str, Array]) -> tuple[Genome, int]:
        loop = self.loop
        return capped(weights, loop.options.skip_cap, loop.report.family, loop.context.space, loop.derive)
