"""A search that starts from architectures which somebody has: they are its first individuals.

A search that can begin with a given population (`AlgorithmConfig.initial_population`) is given one whose first individuals are these, in
their order. Where it begins with more, the rest are children of theirs, by one mutation each, in turn, no two of one hash as far as the
space has so many. They hang on the run's seed and on what is given, on nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from ..algorithms.base import AlgorithmConfig, AlgorithmEntry
from ..base.errors import BadInput
from ..base.generators import derive_seed
from ..base.population_config import PopulationConfig
from ..spaces.base import SearchSpace
from ..spaces.genomes import Genome, canonical_json, digest
from ..spaces.populations import Individuals, of_space
from ..spaces.written import genome_of_text
from . import registry

GENOMES = "genomes"
"""The kind of the individuals of a population of whole architectures."""
TRIES = 50
"""Mutations that are tried for one child that is not there yet."""


def begins_with_architectures(entry: AlgorithmEntry) -> bool:
    """Whether a search by it, at its defaults, can begin with architectures that are given.

    >>> begins_with_architectures(registry.algorithm("regularized_evolution")), begins_with_architectures(registry.algorithm("darts"))
    (True, False)
    """
    return (entry.config().initial_population or {}).keys() == {GENOMES}


def genomes_of(texts: Sequence[str], space: SearchSpace[Any]) -> list[Genome]:
    """The architectures of these texts. Raises BadInput(field "start")."""
    try:
        return [genome_of_text(space, text) for text in texts]
    except BadInput as error:
        raise BadInput("start", error.message, error.code) from None


def population_from(
    genomes: Sequence[Genome], space: SearchSpace[Any], options: AlgorithmConfig, seed: int, title: str
) -> tuple[PopulationConfig, Individuals]:
    """What a run's config says of the population, and its individuals. Raises BadInput(field "start").

    >>> from ..spaces.data_shape import NO_INPUT
    >>> from ..spaces.sequence import SequenceConfig, SequenceSpace
    >>> from .registry import algorithm
    >>> space = SequenceSpace(SequenceConfig(n=4), NO_INPUT)
    >>> options = algorithm("regularized_evolution").config(population=3, sample=2)
    >>> config, found = population_from([space.from_string("1 2 3 3")], space, options, 0, "Regularized evolution")
    >>> [space.to_string(Genome("sequence", content)) for content in found["genomes"]]
    ['1 2 3 3', '1 2 3 4', '1 2 4 3']
    """
    size = population_size(options, title, len(genomes))
    individuals = list(genomes)
    seen = {space.hash(genome) for genome in individuals}
    for number in range(len(genomes), size):
        individuals.append(_child(space, genomes[number % len(genomes)], seen, random.Random(derive_seed(seed, "start", number))))
        seen.add(space.hash(individuals[-1]))
    content = [genome.content for genome in individuals]
    # The digest that the search itself says of them (`algorithms.trials.initial_population`).
    return of_space(space, digest(canonical_json(content)), {GENOMES: content}), {GENOMES: content}


def population_size(options: AlgorithmConfig, title: str, given: int = 1) -> int:
    """With how many architectures a search begins. Raises BadInput(field "start") where it cannot begin with so many given ones."""
    wanted = options.initial_population
    if wanted is None or wanted.keys() != {GENOMES}:
        able = [entry.title for entry in registry.algorithms().values() if begins_with_architectures(entry)]
        why = f"{title} does not begin with a population of architectures; these do: {', '.join(able)}"
        raise BadInput("start", why, code="incompatible")
    size = wanted[GENOMES]
    if given < 1:
        raise BadInput("start", "give one architecture at least")
    if given > size:
        raise BadInput("start", f"{given:,} architectures are given, and the population has {size:,}: give fewer, or more of it")
    return size


def _child(space: SearchSpace[Any], parent: Genome, seen: set[str], rng: random.Random) -> Genome:
    """A mutant of hash that is not in `seen`; after so many tries a mutant of a mutant, and at last any."""
    child, _ = space.mutate(parent, rng)
    for tries in range(TRIES):
        if space.hash(child) not in seen:
            break
        child, _ = space.mutate(parent if tries < TRIES // 2 else child, rng)
    return child
