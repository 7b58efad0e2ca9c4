"""One initial population for every arm of a comparison.

What an evolution begins with decides much of where it gets. Two searches that are compared should begin alike, whatever else differs:
another algorithm, other mutations, a compression before training. With `shared_start` the first individuals are drawn by generators that
hang on the run's seed and an individual's number alone, never on what the algorithm draws beside, and their digest is said: runs that say
the same digest began with the same individuals, in the same order. The run's folder keeps them (`spaces.populations`); a search of the same
space, of whatever seed or algorithm, can be given that file, and begins with them.

>>> SharedStart().shared_start
False
"""

from __future__ import annotations

import random
from typing import Any

from pydantic import Field

from search_engine.base.errors import BadInput
from search_engine.base.generators import derive_seed
from search_engine.events import Notice
from search_engine.spaces.genomes import Genome, canonical_json, digest
from search_engine.spaces.populations import Individuals, of_space

from ..base import AlgorithmConfig, Context

NAME = "initial_population"
"""Of the notice that says the digest."""
GENOMES = "genomes"
"""The kind of the individuals of a population of whole architectures."""


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

    @property
    def wanted(self) -> bool:
        """Whether the search begins with them."""
        return begins_shared(self._context)

    def genome(self, number: int) -> Genome:
        """Individual `number`, from 0. Raises BadInput (field "population") where a given one is none of the space."""
        space, given = self._context.space, self._context.population
        if given is None:
            return space.sample(random.Random(derive_seed(self._context.seed, "initial population", number)))
        genome = Genome(space.id, given.individuals()[GENOMES][number])
        try:
            space.validate(genome)
        except (BadInput, ValueError, LookupError, TypeError) as error:
            raise BadInput("population", f"its individual {number} is no genome of '{space.id}': {error}", code="damaged") from None
        return genome

    def proposed(self, number: int) -> Genome:
        """The same for who proposes it now: with the first one the digest is said."""
        if number == 0:
            self._announce()
        return self.genome(number)

    def _announce(self) -> None:
        genomes = [self.genome(number).content for number in range(self.size)]
        announce(self._context, f"{self.size:,} random architectures", self.size, genomes, {GENOMES: genomes})


def begins_shared(context: Context) -> bool:
    """Whether the search begins with individuals that others may begin with, too."""
    return context.population is not None or bool(context.options.shared_start)


def announce(context: Context, what: str, size: int, content: list[Any], individuals: Individuals) -> None:
    """Say the digest of `content`, what must be equal, in order, as JSON; and keep the `individuals` that it follows from.

    Raises BadInput (field "population") where the search was given another population than its config says.
    """
    found = digest(canonical_json(content))
    given = context.population
    if given is not None and given.config.digest != found:
        raise BadInput("population", "its individuals are not those that the run was made with: the file was changed", code="changed_data")
    # Whoever was given it says the same sentence: an experiment's page compares them.
    message = f"Initial population: {what}; digest {found[:16]}."
    context.emit(Notice(name=NAME, message=message, values={"size": float(size)}), 0)
    context.keep_population(of_space(context.space, found, individuals), individuals)
