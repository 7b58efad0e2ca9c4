"""Fitness against connections: the first front of a generation, of a few generations over the whole search, as a chart.

A front has who is dominated by nobody: nobody else is as fit with fewer connections, or fitter with as many. So that a long search says no
more than a short one, at most MOST generations are kept, at equal distances: where there would be more, every second one is dropped and the
distance doubles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from search_engine.events import Chart, series

from .ranking import Array, fronts

MOST = 7

Front = list[tuple[int, float]]
"""(connections, fitness), fewer connections first, each number of them once."""


def first_front(connections: Array, fitness: Array) -> Front:
    """Of a population's columns.

    >>> first_front(np.array([3, 5, 4, 5]), np.array([-2.0, -1.0, -2.5, -1.0]))
    [(3, -2.0), (5, -1.0)]
    """
    best = fronts(np.stack([-connections.astype(np.float64), fitness], axis=1))[0]
    return sorted({int(connections[place]): float(fitness[place]) for place in best}.items())


class FrontHistory:
    """The fronts that are kept, by generation, in order.

    >>> history = FrontHistory()
    >>> for generation in range(20):
    ...     history.add(generation, [(1, -1.0)])
    >>> [generation for generation, _ in history.kept], history.every
    ([0, 4, 8, 12, 16], 4)
    """

    def __init__(self) -> None:
        self.kept: list[tuple[int, Front]] = []
        self.every = 1
        """Generations from one that is kept to the next."""

    def due(self, generation: int) -> bool:
        return generation % self.every == 0

    def add(self, generation: int, front: Front) -> None:
        """Keep it, where it is due."""
        if not self.due(generation):
            return
        self.kept.append((generation, front))
        if len(self.kept) > MOST:
            self.every *= 2
            self.kept = [item for item in self.kept if self.due(item[0])]

    def chart(self, generation: int, front: Front, y_title: str) -> Chart:
        """The kept ones, and that of a `generation`, which is the newest."""
        shown = [*(item for item in self.kept if item[0] < generation), (generation, front)]
        return Chart(
            name="fronts", title="Fitness against connections: first fronts over the generations", x_title="connections", y_title=y_title,
            series=[series(f"generation {number}", *zip(*points, strict=True)) for number, points in shown],
            note="On its front nobody is as fit with fewer connections, or fitter with as many. Each generation has a batch of its own, so "
            "lines of two generations also differ by their examples.",
        )

    def state_dict(self) -> dict[str, Any]:
        return {"every": self.every, "kept": [[generation, [list(point) for point in front]] for generation, front in self.kept]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.every = state["every"]
        self.kept = [(generation, [(edges, fitness) for edges, fitness in front]) for generation, front in state["kept"]]
