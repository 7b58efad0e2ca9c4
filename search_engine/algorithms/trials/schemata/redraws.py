"""The next generation drawn over and over from the population as it stands, with a generator of its own.

One generation is one draw: its count is often below the bound of its expectation. The mean of many draws is what the bound is about. Beside
it stands the same population with parents drawn blind to fitness: while a schema is fit, that mean falls below.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .schema import Array, Genes, Matcher

REDRAWS = 50
MOST_BIRTHS = 20
"""Of a larger generation so many children are drawn each time, and their share is taken: R draws of 20 are enough to see its mean."""

Draw = Callable[[random.Random, int], Sequence[Genes]]
"""So many independent children."""


@dataclass(frozen=True)
class Ensemble:
    """Of each schema the mean number of children that match among so many births, and the standard error of that mean."""

    mean: Array
    error: Array


def ensemble(matches: Matcher, draw: Draw, births: int, rng: random.Random, redraws: int = REDRAWS) -> Ensemble:
    """`redraws` generations of `births` independent children."""
    each = min(births, MOST_BIRTHS)
    if each == 0:
        return Ensemble(np.zeros(matches.count), np.zeros(matches.count))
    drawn = np.zeros(matches.count)
    for child in draw(rng, redraws * each):
        drawn += matches(child)
    share = drawn / (redraws * each)
    return Ensemble(births * share, births * np.sqrt(share * (1 - share) / (redraws * each)))
