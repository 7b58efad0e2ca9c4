"""How good a surrogate's predictions were: each is kept with the score that came later, which the surrogate had not seen."""

from __future__ import annotations

from collections import deque
from typing import Any

from search_engine.base.ranks import spearman

KEPT = 100


class Calibration:
    """The latest `KEPT` pairs of prediction and score."""

    def __init__(self) -> None:
        self.pairs: deque[tuple[float, float]] = deque(maxlen=KEPT)

    def add(self, predicted: float, observed: float) -> None:
        self.pairs.append((predicted, observed))

    @property
    def predicted(self) -> list[float]:
        return [predicted for predicted, _ in self.pairs]

    @property
    def observed(self) -> list[float]:
        return [observed for _, observed in self.pairs]

    @property
    def spearman(self) -> float | None:
        """Rank correlation of predictions and scores; None for fewer than three pairs or where one side is constant."""
        return spearman(self.predicted, self.observed)

    def state_dict(self) -> list[Any]:
        return [list(pair) for pair in self.pairs]

    def load_state_dict(self, state: list[Any]) -> None:
        self.pairs = deque(((predicted, observed) for predicted, observed in state), maxlen=KEPT)
