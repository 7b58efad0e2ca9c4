"""With which probability each place of a population is the parent of one child: exactly, for the selections that there are.

Places with equal values share what they have together: who is drawn first among them is a matter of chance, and all are alike.

>>> with_replacement([0.1, 0.9, 0.5], draws=2).round(4).tolist()  # 1/9, 5/9, 3/9
[0.1111, 0.5556, 0.3333]
>>> without_replacement([0.1, 0.9, 0.5], draws=2).round(4).tolist()  # the worst never wins
[0.0, 0.6667, 0.3333]
>>> by_rank(3, draws=2).round(4).tolist()
[0.5556, 0.3333, 0.1111]
>>> proportional([1.0, 3.0]).tolist(), uniform(4).tolist()
([0.25, 0.75], [0.25, 0.25, 0.25, 0.25])
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from .schema import Array


def with_replacement(values: Sequence[float] | Array, draws: int) -> Array:
    """The best of `draws` places drawn with replacement (Real et al. 2019)."""
    _, group, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    reached = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()]) ** draws
    shares: Array = np.diff(reached) / counts
    return shares[group]


def without_replacement(values: Sequence[float] | Array, draws: int) -> Array:
    """The best of `draws` different places (Liu et al. 2018)."""
    _, group, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    everybody = int(counts.sum())
    whole = math.comb(everybody, draws)
    # Whole numbers until the division: binomials of large populations are beyond the reach of floats.
    reached = [0, *(math.comb(int(below), draws) for below in np.cumsum(counts))]
    shares = np.array([(after - before) / whole for before, after in itertools.pairwise(reached)]) / counts
    return shares[group]


def by_rank(count: int, draws: int) -> Array:
    """The best ranked of `draws` places drawn with replacement from `count` in order, the best first (WANN)."""
    left = (1 - np.arange(count + 1) / count) ** draws
    return left[:-1] - left[1:]


def proportional(values: Sequence[float] | Array) -> Array:
    """In proportion to fitness. Raises ValueError where one is not positive: then the ratio says nothing (`positive`)."""
    fitness = np.asarray(values, dtype=np.float64)
    if not (np.isfinite(fitness).all() and (fitness > 0).all()):
        raise ValueError("selection in proportion to fitness needs positive fitness: transform it first (exp of a log-likelihood)")
    share: Array = fitness / fitness.sum()
    return share


def uniform(count: int) -> Array:
    """Blind to fitness."""
    return np.full(count, 1 / count)


def positive(values: Sequence[float] | Array, metric: str) -> tuple[Array | None, str]:
    """Fitness as a positive number, and the transform that made it so in words: as it is where it is positive, exp of a log-likelihood
    (relative to the best, which no ratio of means sees), else None, with the reason.

    >>> positive([0.5, 0.9], "val_accuracy")[1], positive([-3.0, -1.0], "train_log_likelihood")[1]
    ('as measured', 'exp of the log-likelihood')
    >>> positive([-1.0, 2.0], "reward")
    (None, 'reward is not positive everywhere, so its ratio to the mean says nothing')
    """
    fitness = np.asarray(values, dtype=np.float64)
    if metric.endswith("log_likelihood"):
        return np.exp(fitness - fitness.max()), "exp of the log-likelihood"
    if (fitness > 0).all():
        return fitness, "as measured"
    return None, f"{metric} is not positive everywhere, so its ratio to the mean says nothing"
