"""Where the weights of one edge may live: the four constraint sets of the structure formalism.

A family f(x) = agg(<gamma, g(x)>) is a valid model for every gamma in [0, 1]^K; searches differ in the subset they move in
(Bakhteev and Strijov 2020): the simplex (weights sum to one), its vertices (one operation), the cube (each operation for itself) and
its vertices (any subset of operations).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Weights = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ConstraintSet:
    """A set of weight vectors of length K. `contains` and `sample` treat the last axis as one vector."""

    id: str
    contains: Callable[[Weights, float], bool]
    """(weights (..., K), tolerance) -> whether every vector is in the set."""
    sample: Callable[[np.random.Generator, tuple[int, ...]], Weights]
    """(generator, shape (..., K)) -> uniform draws from the set, float64."""


def _in_cube(weights: Weights, tolerance: float) -> bool:
    return bool(np.all((weights >= -tolerance) & (weights <= 1 + tolerance)))


def _on_corners(weights: Weights, tolerance: float) -> bool:
    return bool(np.all(np.minimum(np.abs(weights), np.abs(weights - 1)) <= tolerance))


def _sums_to_one(weights: Weights, tolerance: float) -> bool:
    return bool(np.all(np.abs(weights.sum(-1) - 1) <= tolerance * weights.shape[-1]))


def _sample_simplex(rng: np.random.Generator, shape: tuple[int, ...]) -> Weights:
    # The flat Dirichlet distribution is uniform on the simplex.
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


def _sample_simplex_vertices(rng: np.random.Generator, shape: tuple[int, ...]) -> Weights:
    return np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]


def _sample_cube(rng: np.random.Generator, shape: tuple[int, ...]) -> Weights:
    return rng.random(shape)


def _sample_cube_vertices(rng: np.random.Generator, shape: tuple[int, ...]) -> Weights:
    return rng.integers(2, size=shape).astype(np.float64)


CONSTRAINTS: dict[str, ConstraintSet] = {
    item.id: item
    for item in (
        ConstraintSet("simplex", lambda weights, tolerance: _in_cube(weights, tolerance) and _sums_to_one(weights, tolerance), _sample_simplex),
        ConstraintSet(
            "simplex_vertices", lambda weights, tolerance: _on_corners(weights, tolerance) and _sums_to_one(weights, tolerance), _sample_simplex_vertices,
        ),
        ConstraintSet("cube", _in_cube, _sample_cube),
        ConstraintSet("cube_vertices", _on_corners, _sample_cube_vertices),
    )
}
"""By the names that `FamilyGroup.constraint` uses."""
