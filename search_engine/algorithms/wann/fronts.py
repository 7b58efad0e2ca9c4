"""Fitness against connections: the first front of a generation, of a few generations over the whole search, as a chart.

A front has who is dominated by nobody: nobody else is as fit with fewer connections, or fitter with as many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search_engine.events import Chart, series

from .ranking import Array, fronts

MOST = 7
"""Generations whose fronts are kept."""

Front = list[list[float]]
"""[connections, fitness], fewer connections first, each number of them once."""


def first_front(connections: Array, fitness: Array) -> Front:
    """Of a population's columns.

    >>> first_front(np.array([3, 5, 4, 5]), np.array([-2.0, -1.0, -2.5, -1.0]))
    [[3, -2.0], [5, -1.0]]
    """
    best = fronts(np.stack([-connections.astype(np.float64), fitness], axis=1))[0]
    return [list(point) for point in sorted({int(connections[place]): float(fitness[place]) for place in best}.items())]


def front_chart(shown: Sequence[tuple[int, Front]], y_title: str) -> Chart:
    """Fronts by generation."""
    return Chart(
        name="fronts", title="Fitness against connections: first fronts over the generations", x_title="connections", y_title=y_title,
        series=[series(f"generation {number}", *zip(*points, strict=True)) for number, points in shown],
        note="On its front nobody is as fit with fewer connections, or fitter with as many. Each generation has a batch of its own, so "
        "lines of two generations also differ by their examples.",
    )
