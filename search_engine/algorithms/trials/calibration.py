"""How good a surrogate's predictions were: each is kept with the score that came later, which the surrogate had not seen."""

from __future__ import annotations

from collections import deque
from typing import Any

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
        if len(self.pairs) < 3:
            return None
        first, second = _ranks(self.predicted), _ranks(self.observed)
        mean = (len(first) - 1) / 2
        products = sum((a - mean) * (b - mean) for a, b in zip(first, second, strict=True))
        squares = [sum((rank - mean) ** 2 for rank in ranks) for ranks in (first, second)]
        return products / (squares[0] * squares[1]) ** 0.5 if all(squares) else None

    def state_dict(self) -> list[Any]:
        return [list(pair) for pair in self.pairs]

    def load_state_dict(self, state: list[Any]) -> None:
        self.pairs = deque(((predicted, observed) for predicted, observed in state), maxlen=KEPT)


def _ranks(values: list[float]) -> list[float]:
    """Ranks from 0; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop < len(order) and values[order[stop]] == values[order[start]]:
            stop += 1
        for place in order[start:stop]:
            ranks[place] = (start + stop - 1) / 2
        start = stop
    return ranks
