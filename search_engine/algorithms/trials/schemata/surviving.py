"""With which probability the operators leave a schema in the child of a parent that matches it.

For operators that may also make a match out of what was none this is a lower bound of "the child matches", which is all that the theorem
needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod


def strings(order: int, length: int, positions: int, crossover: float, mutation: float) -> float:
    """1 - p of strings: one-point crossover with probability `crossover` cuts between the outermost fixed places (`length` of the
    `positions` - 1 cuts do), and each fixed place changes with probability `mutation`.

    >>> round(strings(order=3, length=2, positions=12, crossover=0.7, mutation=0.01), 4)
    0.8468
    """
    return (1 - crossover * length / (positions - 1)) * (1 - mutation) ** order


def one_change(rates: Sequence[float]) -> float:
    """An operator that changes one thing: `rates` are the probabilities that it picks each fixed locus and changes it. Where what is picked
    always becomes something else there is no factor for "and changes it".

    >>> one_change([0.125, 0.0093])  # two slots of a hierarchy, picked unequally
    0.8657
    """
    return max(0.0, 1 - sum(rates))


def each_or_one(losses: Sequence[float], rate: float, places: int) -> float:
    """Each of `places` loci is picked with probability `rate`, and one evenly where none was. `losses`: of each locus that the schema hangs
    on, the probability that it is lost when its locus is picked (1 for a fixed one).

    >>> each_or_one([1.0, 1.0], rate=0.0, places=4), round(each_or_one([1.0], rate=0.5, places=2), 4)
    (0.5, 0.375)
    """
    nobody = (1 - rate) ** places
    return prod(1 - rate * loss for loss in losses) - nobody * sum(losses) / places


def uniform_crossover(selected: float, blocks: int) -> float:
    """1 - p of uniform crossover between two parents selected alike, each of which matches with probability `selected`: everything stays
    where both match; where one does, its `blocks` must all come from it. It counts a match of either parent.

    >>> uniform_crossover(0.25, blocks=1), uniform_crossover(0.25, blocks=2)  # one locus keeps its frequency
    (1.0, 0.625)
    """
    return selected + 2 * (1 - selected) * 0.5**blocks
