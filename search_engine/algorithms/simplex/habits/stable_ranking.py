"""Stop when the ranking of the operations no longer changes (DARTS+, Liang et al. 2019, criterion 1*).

Compared is, edge by edge, the order of the learnable operations by weight. Skips, pooling and zero are left out: their weights go on
growing when the operations that learn have long been decided.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from search_engine.events import Notice
from search_engine.primitives.names import PRIMITIVES

from .base import EpochView, Firing, Habit


def is_learnable(operation: str) -> bool:
    """Whether an operation has weights. Operations that are not of the house (a third party's) count as learnable."""
    return operation not in PRIMITIVES or PRIMITIVES[operation].kind in ("convolution", "table")


class StableRanking(Habit):
    """Ends the search after `epochs` epochs in a row with one ranking on every edge."""

    name = "stable_ranking"

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.ranking: dict[str, list[list[int]]] = {}
        self.unchanged = 0

    def after_epoch(self, view: EpochView) -> Firing | None:
        ranking = {}
        for group, weights in view.weights.items():
            columns = [index for index, name in enumerate(view.operations[group]) if is_learnable(name)]
            ranking[group] = np.argsort(-weights[:, columns], axis=1, kind="stable").tolist()
        self.unchanged = self.unchanged + 1 if ranking == self.ranking else 0
        self.ranking = ranking
        # Equality, not >=: an algorithm that goes on regardless hears it once.
        if self.unchanged != self.epochs:
            return None
        message = f"The ranking of the learnable operations has not changed for {self.epochs} epochs: the search stops."
        return Firing(Notice(name=self.name, message=message, step=view.step, values={"epochs": float(self.epochs)}), stop="stable ranking")

    def state_dict(self) -> dict[str, Any]:
        return {"ranking": self.ranking, "unchanged": self.unchanged}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.ranking = state["ranking"]
        self.unchanged = state["unchanged"]
