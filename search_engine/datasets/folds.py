"""Folds of k-fold cross-validation: what is not the test part, divided so that every example is validated on exactly once.

Source: Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", JRSS B 1974; stratified as in Kohavi, "A Study of
Cross-Validation and Bootstrap for Accuracy Estimation and Model Selection", IJCAI 1995. M. Nikulenkov's master's thesis (Moscow State
University, 2022, section 2.1.1) has grid search score every combination so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import BadInput
from .splits import Indices, permutation


def fold_sizes(examples: int, count: int) -> list[int]:
    """How many examples each of `count` folds holds; the first ones hold one more where they do not come out even.

    >>> fold_sizes(10, 3)
    [4, 3, 3]
    """
    return [examples // count + (fold < examples % count) for fold in range(count)]


def folds_of(labels: np.ndarray[Any, Any], count: int, *seed: object) -> list[Indices]:
    """Positions of `labels` in each of `count` folds: disjoint, together all of them, `fold_sizes` large, each in shuffled order.

    Whole numbers are classes, and each class is spread evenly: no two folds differ by more than one example of it. Real targets (a
    regression) are dealt out as they come. Everything depends on the parts of `seed` alone. Raises BadInput(field "folds") where a fold
    would be empty.

    >>> labels = np.array([0] * 6 + [1] * 3)
    >>> folds = folds_of(labels, 3, "an example")
    >>> [sorted(labels[fold].tolist()) for fold in folds]
    [[0, 0, 1], [0, 0, 1], [0, 0, 1]]
    >>> sorted(np.concatenate(folds).tolist()) == list(range(9))
    True
    """
    if not 2 <= count <= len(labels):
        raise BadInput("folds", f"{len(labels)} examples cannot be divided into {count} folds; give 2 to {len(labels)}, or 1 for none")
    order = permutation(len(labels), "folds", count, *seed)
    if labels.dtype.kind != "f":
        # Class by class, each in shuffled order: dealt out one after the other, neighbours go to different folds.
        order = order[np.argsort(labels[order], kind="stable")]
    shuffle = permutation(len(labels), "order of folds", count, *seed)
    return [np.array(sorted(order[fold::count], key=lambda position: shuffle[position]), dtype=np.int64) for fold in range(count)]


def apart(folds: list[Indices], fold: int) -> tuple[Indices, Indices]:
    """Positions of (all other folds, fold number `fold`): what fits the weights, and what they are scored on.

    >>> rest, own = apart([np.array([0, 3]), np.array([1]), np.array([2])], 1)
    >>> rest.tolist(), own.tolist()
    ([0, 3, 2], [1])
    """
    return np.concatenate([own for number, own in enumerate(folds) if number != fold]), folds[fold]
