"""Order of a population under several objectives: non-dominated sorting, then crowding distance (NSGA-II, Deb et al. 2002).

All objectives are maximised. The code published with WANN divides the gaps of the crowding distance by a misplaced expression
(`1 / max - min`); here they are divided by the objective's range in the front.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def fronts(objectives: Array) -> list[Array]:
    """Indices of the non-dominated fronts, best first, of `objectives` (individuals, objectives).

    One individual dominates another if it is nowhere worse and somewhere better.
    """
    no_worse: Array = np.all(objectives[:, None, :] >= objectives[None, :, :], axis=2)
    better: Array = np.any(objectives[:, None, :] > objectives[None, :, :], axis=2)
    dominates: Array = no_worse & better
    remaining = dominates.sum(axis=0)
    left = np.ones(len(objectives), dtype=bool)
    found = []
    while left.any():
        front = np.flatnonzero(left & (remaining == 0))
        found.append(front)
        left[front] = False
        remaining = remaining - dominates[front].sum(axis=0)
    return found


def crowding_distance(objectives: Array) -> Array:
    """(n,) distances within one front (n, objectives): the sum over objectives of the gap between an individual's two neighbours,
    as a share of the range; infinite at both ends. An objective without range adds nothing."""
    count = len(objectives)
    distance = np.zeros(count)
    for column in objectives.T:
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        span = ordered[-1] - ordered[0]
        if span == 0:
            continue
        distance[order[0]] = distance[order[-1]] = np.inf
        distance[order[1:-1]] += (ordered[2:] - ordered[:-2]) / span
    return distance


def rank(objectives: Array) -> Array:
    """Indices of all individuals, best first: by front, then the less crowded first, then by index. `objectives` must be finite."""
    if not np.isfinite(objectives).all():
        raise ValueError("an objective is not a finite number")
    ordered = [front[np.argsort(-crowding_distance(objectives[front]), kind="stable")] for front in fronts(objectives)]
    return np.concatenate(ordered)
