"""The four sets in which the weight vector of one edge may lie.

With K operations on an edge: the cube [0, 1]^K, its vertices {0, 1}^K (any subset of operations), the simplex (weights that sum to
one) and its vertices (exactly one operation). A family is a valid model for every point of the cube, so the other three are its
subsets; an algorithm is known by the set in which its structure lives and by the projection that ends in a genome.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ConstraintSet:
    """One of the sets; `name` is what `FamilyGroup.constraint` says.

    >>> constraint("simplex").contains(np.array([[0.2, 0.8]])), constraint("simplex_vertices").contains(np.array([[0.2, 0.8]]))
    (True, False)
    """

    name: str
    on_simplex: bool
    """Whether each edge's weights sum to one."""
    discrete: bool
    """Whether each weight is 0 or 1."""

    def contains(self, weights: Array, tolerance: float = 1e-6) -> bool:
        """Whether every row of `weights` (edges, operations) lies in the set, up to `tolerance`."""
        values = np.asarray(weights, dtype=np.float64)
        if not np.isfinite(values).all() or (values < -tolerance).any() or (values > 1 + tolerance).any():
            return False
        if self.on_simplex and (np.abs(values.sum(axis=-1) - 1) > tolerance).any():
            return False
        return not self.discrete or bool((np.abs(values - values.round()) <= tolerance).all())

    def sample(self, edges: int, operations: int, rng: np.random.Generator) -> Array:
        """A uniformly random point for every edge: float64 (edges, operations)."""
        return _SAMPLERS[self.name](edges, operations, rng)


def _cube(edges: int, operations: int, rng: np.random.Generator) -> Array:
    return rng.random((edges, operations))


def _cube_vertices(edges: int, operations: int, rng: np.random.Generator) -> Array:
    return rng.integers(0, 2, (edges, operations)).astype(np.float64)


def _simplex(edges: int, operations: int, rng: np.random.Generator) -> Array:
    return rng.dirichlet(np.ones(operations), size=edges)


def _simplex_vertices(edges: int, operations: int, rng: np.random.Generator) -> Array:
    return np.eye(operations)[rng.integers(0, operations, edges)]


_SAMPLERS: dict[str, Callable[[int, int, np.random.Generator], Array]] = {
    "simplex": _simplex,
    "simplex_vertices": _simplex_vertices,
    "cube": _cube,
    "cube_vertices": _cube_vertices,
}

CONSTRAINTS: dict[str, ConstraintSet] = {
    item.name: item
    for item in (
        ConstraintSet("simplex", on_simplex=True, discrete=False),
        ConstraintSet("simplex_vertices", on_simplex=True, discrete=True),
        ConstraintSet("cube", on_simplex=False, discrete=False),
        ConstraintSet("cube_vertices", on_simplex=False, discrete=True),
    )
}


def constraint(name: str) -> ConstraintSet:
    """The set called `name`. Raises KeyError naming the known ones."""
    if name not in CONSTRAINTS:
        raise KeyError(f"there is no constraint set '{name}'; known: {', '.join(CONSTRAINTS)}")
    return CONSTRAINTS[name]
