"""One initial population for every arm of a comparison.

What an evolution begins with decides much of where it gets. Two searches that are compared should begin alike, whatever else differs:
another algorithm, other mutations, a compression before training. With `shared_start` the first individuals are drawn by generators that
hang on the run's seed and an individual's number alone, never on what the algorithm draws beside, and their digest is said: runs that say
the same digest began with the same individuals, in the same order.

>>> SharedStart().shared_start
False
"""

from __future__ import annotations

import random
from typing import Any

from pydantic import Field

from search_engine.base.generators import derive_seed
from search_engine.events import Notice
from search_engine.spaces.genomes import Genome, canonical_json, digest

from ..base import AlgorithmConfig, Context

NAME = "initial_population"
"""Of the notice that says the digest."""


class SharedStart(AlgorithmConfig):
    """What every search that begins with a random population has."""

    shared_start: bool = Field(
        default=False, title="Shared initial population",
        description="The first individuals are drawn from the run's seed, the space and the data alone: runs of equal seed begin with the "
        "same ones, whatever their algorithm and its other options, and each says their digest. For comparisons.",
    )


class Founders:
    """The shared initial population of random genomes. It has no state: each of them follows from seed and number.

    >>> from search_engine.algorithms.base import SteadyConfig
    >>> from search_engine.events import EventLog
    >>> from search_engine.spaces.data_shape import DataShape
    >>> from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
    >>> space = SequenceSpace(SequenceConfig(n=5), DataShape((1,), 2))
    >>> def begun(own):  # two searches whose own generators differ
    ...     return Context(space, SteadyConfig(), seed=7, rng=random.Random(own), metric="reward", log=EventLog("run"))
    >>> Founders(begun(0), 3).genome(2) == Founders(begun(1), 3).genome(2)
    True
    """

    def __init__(self, context: Context, size: int) -> None:
        self._context, self.size = context, size

    def genome(self, number: int) -> Genome:
        """Individual `number`, from 0."""
        rng = random.Random(derive_seed(self._context.seed, "initial population", number))
        return self._context.space.sample(rng)

    def proposed(self, number: int) -> Genome:
        """The same for who proposes it now: with the first one the digest is said."""
        if number == 0:
            self._announce()
        return self.genome(number)

    def _announce(self) -> None:
        genomes = [self.genome(number).content for number in range(self.size)]
        self._context.emit(announcement(f"{self.size:,} random architectures", self.size, genomes), 0)


def announcement(what: str, size: int, content: list[Any]) -> Notice:
    """The notice. `content`: what must be equal, in order, as JSON."""
    found = digest(canonical_json(content))
    return Notice(name=NAME, message=f"Initial population: {what}; digest {found[:16]}.", values={"size": float(size)})
