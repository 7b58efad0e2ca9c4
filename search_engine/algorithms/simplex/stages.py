"""Progressive shrinking (P-DARTS: Chen et al. 2019; DrNAS: Chen et al. 2021): a search in stages that lose their weakest operations.

Stages have equal lengths. Between two stages every edge keeps its strongest operations: of eight, 5, then 3, then 2 (P-DARTS drops
3, 2 and 2 of them), of DrNAS' seven 4; another number of operations shrinks in proportion. What is dropped has weight zero from then on,
so frames keep their shape and nothing derived contains it.

Where each stage starts afresh (P-DARTS), weights, structure, optimisers and learning rate begin anew, and the super-network may be
deeper; otherwise (DrNAS) all go on. P-DARTS' authors let `none` fall as early as any other operation where it is the weakest;
`shrink_keeps_none` holds it until the end, as their text says.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from search_engine.events import FamilyGroup

from .controls import SimplexControlsConfig

Array = np.ndarray[Any, Any]
Kept = dict[str, Array]
"""Per group a bool array (edges, operations)."""

DROPPED_SHARES = (0.0, 3 / 8, 5 / 8, 6 / 8)
"""Which part of the operations is gone in each stage. P-DARTS' three stages begin with 8, 5 and 3 of 8."""

DECAY = 0.2
"""Skip dropout falls by exp(-DECAY) an epoch once the structure moves (P-DARTS, `scale_factor`)."""


class Stages:
    """Where the stages of one search begin, and what each of them is; knows no state but the options and the horizon.

    >>> plan = Stages(SimplexControlsConfig(shrink_stages=3, shrink_cells=(5, 11, 17)), horizon=75, per_epoch=1)
    >>> [(plan.start(stage), plan.length(stage), plan.cells(stage)) for stage in range(plan.count)]
    [(0, 25, 5), (25, 25, 11), (50, 25, 17)]
    """

    def __init__(self, options: SimplexControlsConfig, horizon: int, per_epoch: int) -> None:
        """`horizon` and `per_epoch` in steps."""
        self.options = options
        self.count = min(options.shrink_stages, horizon)
        self._bounds = [round(horizon * stage / self.count) for stage in range(self.count + 1)]
        self._per_epoch = per_epoch

    def start(self, stage: int) -> int:
        """Its first step."""
        return self._bounds[stage]

    def length(self, stage: int) -> int:
        """Its steps."""
        return self._bounds[stage + 1] - self._bounds[stage]

    def cells(self, stage: int) -> int:
        """Depth of its super-network, 0 = the space's own."""
        return self.options.shrink_cells[stage] if self.options.shrink_cells else 0

    def partial_channels(self, stage: int) -> int:
        """K of its super-network."""
        given = self.options.shrink_partial_channels
        return given[stage] if given else self.options.partial_channels

    def skip_dropout(self, stage: int, step: int) -> float:
        """The rate at step `step` (from 0) of the stage."""
        start = self.options.skip_dropout[stage] if self.options.skip_dropout else 0.0
        epochs = math.ceil(self.length(stage) / self._per_epoch)
        epoch, warm = step // self._per_epoch, self.options.warm_up_epochs
        # The warm-up's line aims at zero at the end of the whole stage, as the authors' does; the structure's start lifts it again.
        return start * (epochs - epoch - 1) / epochs if epoch < warm else start * math.exp(-DECAY * (epoch - warm))


def kept_count(operations: int, stage: int) -> int:
    """How many of so many operations an edge has in stage `stage` (from 0); at least two, or all where there are fewer."""
    return max(operations - round(DROPPED_SHARES[stage] * operations), min(2, operations))


def shrink(weights: dict[str, Array], family: list[FamilyGroup], kept: Kept, stage: int, keep_none: bool) -> Kept:
    """What stage `stage` keeps: per edge the strongest of what was kept so far, always two or more, so never `none` alone.

    `weights`: per group the mean weights (edges, operations). With `keep_none`, `none` keeps its place. Ties go to the first.
    """
    result = {}
    for group in family:
        table, before = weights[group.name], kept[group.name]
        none = group.operations.index("none") if "none" in group.operations else None
        count = kept_count(len(group.operations), stage)
        after = np.zeros_like(before)
        for row in range(len(before)):
            # The weights compare within an edge, so the edge's own (edge normalisation) does not matter.
            ranked = sorted((int(column) for column in np.flatnonzero(before[row])), key=table[row].__getitem__, reverse=True)
            if keep_none and none is not None and before[row, none]:
                ranked = [none, *(column for column in ranked if column != none)]
            after[row, ranked[:count]] = True
        result[group.name] = after
    return result


def everything(family: list[FamilyGroup]) -> Kept:
    """All operations on all edges."""
    return {group.name: np.ones((len(group.edges), len(group.operations)), dtype=bool) for group in family}
