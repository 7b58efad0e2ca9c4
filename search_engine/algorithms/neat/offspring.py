"""How many children each species gets, and who their parents are (Stanley & Miikkulainen 2002, section 3.3: explicit fitness sharing)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from search_engine.spaces.genes.graph import GeneGraph

from .alignment import crossover

Mutate = Callable[[GeneGraph, random.Random], GeneGraph]
Fits = Callable[[GeneGraph], bool]


class Breeding(BaseModel):
    """How a species makes its next generation."""

    elite: float = Field(default=0.1, ge=0, le=1)
    """Share of a species' members that go on unchanged, the best one of a species with children at least."""
    survivors: float = Field(default=0.5, gt=0, le=1)
    """Share of its members, the best of them, that may be parents; two at least where there are two."""
    crossover: float = Field(default=0.2, ge=0, le=1)
    """Probability that a child has two parents; otherwise it is a mutant of one."""
    reviving: bool = True
    """Whether a child may have an edge on that is off in both of its parents (`alignment.crossover`)."""


@dataclass(frozen=True)
class Child:
    """`parents` are places in the generation before; `kept`: it is its parent, unchanged."""

    genes: GeneGraph
    parents: tuple[int, ...]
    kept: bool = False


def quotas(fitness: Sequence[float], total: int) -> list[int]:
    """`total` children divided in proportion to each species' mean fitness (the sharing: a large species gets no more for its size), by the
    largest remainder, so that the sum is exact. Negative fitness is measured from the lowest; all equal where nobody has any.

    >>> quotas([0.9, 0.45, 0.0], 4), quotas([0.0, 0.0], 3), quotas([-2.0, -1.0], 4)
    ([3, 1, 0], [2, 1], [0, 4])
    """
    lowest = min(0.0, *fitness)
    above = [value - lowest for value in fitness]
    whole = math.fsum(above)
    exact = [total * value / whole if whole > 0 else total / len(above) for value in above]
    given = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: (given[place] - exact[place], place))
    for place in by_remainder[: total - sum(given)]:
        given[place] += 1
    return given


def children(
    members: Sequence[int], population: Sequence[GeneGraph], fitness: Sequence[float], quota: int, breeding: Breeding, mutate: Mutate,
    fits: Fits, rng: random.Random,
) -> list[Child]:
    """`quota` children of one species. `members` are places in `population`; `fitness` is everybody's, by place. Of equals the older place
    comes first. Two parents may have more genes together than `fits`: then the fitter one's stand for both."""
    if quota == 0:
        return []
    kept, parents = chosen(members, fitness, quota, breeding)
    brood = [Child(population[place], (place,), kept=True) for place in kept]
    while len(brood) < quota:
        brood.append(born(parents, population, fitness, breeding, mutate, fits, rng))
    return brood


def chosen(members: Sequence[int], fitness: Sequence[float], quota: int, breeding: Breeding) -> tuple[list[int], list[int]]:
    """Who of a species with `quota` children goes on unchanged, and who may be a parent, both the fittest first."""
    ranked = sorted(members, key=lambda place: (-fitness[place], place))
    kept = ranked[: min(quota, max(1, math.floor(breeding.elite * len(ranked))))]
    return kept, ranked[: max(min(2, len(ranked)), math.ceil(breeding.survivors * len(ranked)))]


def born(
    parents: Sequence[int], population: Sequence[GeneGraph], fitness: Sequence[float], breeding: Breeding, mutate: Mutate, fits: Fits,
    rng: random.Random,
) -> Child:
    """One new child of one of `parents`, or of two; they are in order of fitness."""
    if len(parents) > 1 and rng.random() < breeding.crossover:
        # Places in `parents` are in order of fitness: the lower one is the fitter.
        first, second = sorted(rng.sample(range(len(parents)), 2))
        better, worse = parents[first], parents[second]
        equal = fitness[better] == fitness[worse]
        crossed = crossover(population[better], population[worse], rng, equal=equal, reviving=breeding.reviving)
        return Child(mutate(crossed if fits(crossed) else population[better], rng), (better, worse))
    parent = rng.choice(parents)
    return Child(mutate(population[parent], rng), (parent,))
