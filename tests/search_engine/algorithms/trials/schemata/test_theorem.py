"""The schema theorem where its terms are known: means of redraws stand at the bound, redraws blind to fitness fall below it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest

from search_engine.algorithms.trials.schemata.redraws import ensemble
from search_engine.algorithms.trials.schemata.schema import Array, Genes, Matcher, Schema, defining_length
from search_engine.algorithms.trials.schemata.selecting import proportional, uniform
from search_engine.algorithms.trials.schemata.surviving import strings

POPULATION, LENGTH, ALLELES, CROSSOVER, MUTATION = 200, 12, 4, 0.7, 0.01
PLANTED = Schema(((4, 1), (5, 2), (6, 3)))
"""Order 3, defining length 2."""
SEED = 3
String = tuple[int, ...]


def fitness(string: String) -> float:
    """Positive: a base, a little for every allele 1, and more for the planted schema's places."""
    return 1 + 0.02 * string.count(1) + 0.35 * sum(string[int(place)] == allele for place, allele in PLANTED.fixed)


def child(population: Sequence[String], ends: Sequence[float], rng: random.Random) -> String:
    first, second = rng.choices(population, cum_weights=ends, k=2)
    if rng.random() < CROSSOVER:
        cut = rng.randrange(1, LENGTH)
        first = first[:cut] + second[cut:]
    return tuple((allele + rng.randrange(1, ALLELES)) % ALLELES if rng.random() < MUTATION else allele for allele in first)


def genes_of(string: String) -> Genes:
    return dict(enumerate(string))


class Point(NamedTuple):
    """One time point: who matches, S, and means over redraws with their errors."""

    count: float
    selected: float
    redrawn: float
    error: float
    blind: float
    blind_error: float
    ratio: float


def points(times: int, redraws: int) -> list[Point]:
    rng = random.Random(SEED)
    matches = Matcher([PLANTED])
    population = [tuple(rng.randrange(ALLELES) for _ in range(LENGTH)) for _ in range(POPULATION)]
    # Enough of it that it is not lost before selection can work.
    population[:24] = [(*string[:4], 1, 2, 3, *string[7:]) for string in population[:24]]
    found = []
    for _ in range(times):
        values = np.array([fitness(string) for string in population])
        shares = proportional(values)
        there = np.array([matches(genes_of(string))[0] for string in population])

        def drawn(weights: Array, population: list[String] = population) -> tuple[float, float]:
            ends = np.cumsum(weights).tolist()

            def children(rng: random.Random, count: int) -> list[Genes]:
                return [genes_of(child(population, ends, rng)) for _ in range(count)]

            outcome = ensemble(matches, children, POPULATION, random.Random(SEED + 1), redraws)
            return float(outcome.mean[0]), float(outcome.error[0])

        ratio = float((values * there).sum() / there.sum() / values.mean())
        found.append(Point(float(there.sum()), float(shares @ there), *drawn(shares), *drawn(uniform(POPULATION)), ratio))
        ends = np.cumsum(shares).tolist()
        population = [child(population, ends, rng) for _ in population]
    return found


def bounds(found: Sequence[Point], length: int | None = None) -> list[float]:
    kept = strings(PLANTED.order, defining_length(PLANTED) if length is None else length, LENGTH, CROSSOVER, MUTATION)
    return [POPULATION * point.selected * kept for point in found]


def stands(found: Sequence[Point], wanted: Sequence[float]) -> list[bool]:
    return [point.redrawn + 3 * point.error >= bound for point, bound in zip(found, wanted, strict=True)]


def fit(found: Sequence[Point]) -> list[int]:
    """The time points at which the planted schema is clearly fit."""
    return [at for at, point in enumerate(found) if point.ratio > 1.1]


def agrees(found: Sequence[Point]) -> None:
    wanted = bounds(found)
    assert all(stands(found, wanted))
    # P S is the slide's N Q / E Q, and p is not 0.
    for point, bound in zip(found, wanted, strict=True):
        assert bound == pytest.approx(point.count * point.ratio * strings(3, 2, 12, 0.7, 0.01))
    blind = [at for at in fit(found) if found[at].blind + 3 * found[at].blind_error < found[at].redrawn - 3 * found[at].error]
    below = [at for at in fit(found) if found[at].blind < wanted[at]]
    assert len(fit(found)) >= min(3, len(found)) and below[:3] == fit(found)[:3] and blind


def test_three_time_points_stand_at_the_bound_and_blind_ones_below() -> None:
    agrees(points(times=3, redraws=50))


@pytest.mark.slow
def test_twelve_time_points_stand_at_the_bound() -> None:
    found = points(times=12, redraws=200)
    agrees(found)


def test_p_without_the_defining_length_promises_too_much() -> None:
    """A schema that fixes both ends, in strings that have little else of it: a cut takes it, and hardly a mate brings it back."""
    schema = Schema(((0, 1), (1, 1), (10, 2), (11, 2)))
    rng = random.Random(SEED)
    population = [tuple(rng.randrange(ALLELES) for _ in range(LENGTH)) for _ in range(POPULATION)]
    population[:40] = [(1, 1, *string[2:10], 2, 2) for string in population[:40]]
    matches = Matcher([schema])
    selected = sum(matches(genes_of(string))[0] for string in population) / POPULATION
    ends = np.cumsum(uniform(POPULATION)).tolist()
    found = ensemble(matches, lambda rng, count: [genes_of(child(population, ends, rng)) for _ in range(count)], POPULATION, rng)
    highest = found.mean[0] + 3 * found.error[0]
    assert highest >= POPULATION * selected * strings(schema.order, defining_length(schema), LENGTH, CROSSOVER, MUTATION)
    assert highest < POPULATION * selected * strings(schema.order, 0, LENGTH, CROSSOVER, MUTATION)
