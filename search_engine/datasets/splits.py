"""Splits by seed: stratified, reproducible, independent of the library that happens to be installed.

The streams come from NumPy's legacy `RandomState`, whose numbers are frozen by NEP 19: a split never changes with a NumPy release.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import BadInput
from ..base.generators import derive_seed

Indices = np.ndarray[Any, np.dtype[np.int64]]


def permutation(count: int, *seed: object) -> Indices:
    """A permutation of 0 .. count-1 that depends on the parts of `seed` alone (int64, shape (count,)).

    >>> sorted(permutation(5, "an example").tolist())
    [0, 1, 2, 3, 4]
    """
    return np.random.RandomState(derive_seed(*seed) % 2**32).permutation(count).astype(np.int64)


def stratified_split(labels: np.ndarray[Any, Any], share: float, *seed: object) -> tuple[Indices, Indices]:
    """Positions of (the rest, the chosen share) of `labels`, each class in proportion.

    Exactly round(share * n) positions are chosen; what proportional rounding leaves over goes to the classes with the largest
    remainders (ties: the smaller label). Both parts are in shuffled order, so that any prefix of one is a fair sample of it.
    Raises BadInput(field "dataset_options") where a part would be empty.

    >>> labels = np.array([0] * 6 + [1] * 3)
    >>> rest, chosen = stratified_split(labels, 1 / 3, "an example")
    >>> sorted(labels[chosen].tolist()), len(rest)
    ([0, 0, 1], 6)
    """
    classes, counts = np.unique(labels, return_counts=True)
    total = round(share * len(labels))
    if not 0 < total < len(labels):
        raise BadInput("dataset_options", f"a share of {share:g} of {len(labels)} examples leaves one part empty")
    exact = counts * (total / len(labels))
    take = np.floor(exact).astype(np.int64)
    for position in np.argsort(take - exact, kind="stable")[: total - int(take.sum())]:
        take[position] += 1
    order = permutation(len(labels), "split", *seed)
    shuffled = labels[order]
    chosen = np.zeros(len(labels), dtype=bool)
    for label, size in zip(classes, take, strict=True):
        chosen[np.flatnonzero(shuffled == label)[:size]] = True
    return order[~chosen], order[chosen]


def stratified_subset(labels: np.ndarray[Any, Any], examples: int, *seed: object) -> Indices:
    """Positions of `examples` labels, each class in proportion; all positions (in order) for 0 or for at least as many as there are."""
    if examples == 0 or examples >= len(labels):
        return np.arange(len(labels), dtype=np.int64)
    return stratified_split(labels, examples / len(labels), "subset", *seed)[1]
