"""Species, quotas and generations of a population of gene graphs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from search_engine.algorithms.neat.alignment import Coefficients, distance
from search_engine.algorithms.neat.offspring import Breeding, children, quotas
from search_engine.algorithms.neat.population import Population
from search_engine.algorithms.neat.speciation import Speciation
from search_engine.spaces.genes.graph import GeneGraph
from search_engine.spaces.genes.growing import add_link, add_node, chain, new_innovations


def apart(first: GeneGraph, second: GeneGraph) -> float:
    def between(a: dict[str, Any], b: dict[str, Any]) -> float:
        return abs(a.get("a", 0.0) - b.get("a", 0.0))

    return distance(first, second, between, Coefficients())


def points(values: list[float]) -> list[GeneGraph]:
    table = new_innovations()
    return [chain([{"a": value}], {}, table) for value in values]


def test_the_threshold_follows_in_both_directions() -> None:
    division = Speciation(wanted=3)
    rng = random.Random(0)
    wide = points([rng.random() * 100 for _ in range(30)])
    assert len(division.divide(wide, apart)) == 3
    narrow = points([rng.random() for _ in range(30)])
    before = division.threshold
    assert len(division.divide(narrow, apart)) == 3 and division.threshold < before
    before = division.threshold
    assert len(division.divide(wide, apart)) == 3 and division.threshold > before


def test_a_species_keeps_its_number_while_its_kind_lives() -> None:
    division = Speciation(wanted=2)
    first = {each.number: each.members for each in division.divide(points([0.0, 0.1, 9.0, 9.1]), apart)}
    again = {each.number: each.members for each in division.divide(points([9.05, 0.05, 9.2, 0.2]), apart)}
    assert first == {0: [0, 1], 1: [2, 3]} and again == {0: [1, 3], 1: [0, 2]}
    later = division.divide(points([9.0, 9.1, 50.0, 51.0]), apart)
    assert [each.number for each in later] == [1, 2] and division._next == 3, "a number is never given again"


def test_fewer_kinds_than_wanted_species() -> None:
    assert len(Speciation(wanted=4).divide(points([1.0] * 5), apart)) == 1


@pytest.mark.parametrize("seed", range(20))
def test_quotas_sum_exactly_and_follow_fitness(seed: int) -> None:
    rng = random.Random(seed)
    fitness = [rng.random() for _ in range(rng.randint(1, 9))]
    total = rng.randint(1, 60)
    given = quotas(fitness, total)
    assert sum(given) == total
    assert all(abs(got - total * value / sum(fitness)) < 1 for got, value in zip(given, fitness, strict=True))


def test_a_species_is_shared_by_its_mean_not_by_its_size() -> None:
    """A wrong sum over members would give the crowd three times as much."""
    population = Population(2, apart)
    population.found(points([0.0, 0.1, 0.2, 9.0]))
    equal = {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.5}
    population.breed(equal, Breeding(crossover=0.0), lambda genes, rng: genes, lambda genes: True, random.Random(0))
    assert sorted(len(species.members) for species in population.species) == [2, 2]


def test_the_best_goes_on_unchanged_and_the_worst_have_no_children() -> None:
    graphs = points([float(number) for number in range(10)])
    fitness = [number / 10 for number in range(10)]
    breeding = Breeding(elite=0.2, survivors=0.3, crossover=0.5)
    brood = children(range(10), graphs, fitness, 8, breeding, lambda genes, rng: genes, lambda genes: True, random.Random(1))
    assert len(brood) == 8 and [child.parents for child in brood if child.kept] == [(9,), (8,)]
    assert {parent for child in brood for parent in child.parents} <= {9, 8, 7}
    # Of two parents the fitter one comes first: crossover takes its unmatched genes.
    assert all(child.parents == tuple(sorted(child.parents, reverse=True)) for child in brood)


def test_fifty_generations_keep_the_size_and_the_species() -> None:
    rng = random.Random(0)
    population = Population(3, apart)
    population.found(points([rng.random() for _ in range(24)]))

    def mutate(genes: GeneGraph, rng: random.Random) -> GeneGraph:
        grown = add_link(genes, population.innovations, rng) if rng.random() < 0.5 else add_node(
            genes, {"a": rng.random()}, population.innovations, rng
        )
        return grown or genes

    for _ in range(50):
        fitness = {one.number: 1 / (1 + len(one.genes.links)) for one in population.individuals}
        population.breed(fitness, Breeding(), mutate, lambda genes: True, rng)
        assert len(population) == 24
        assert 2 <= len(population.species) <= 4
        assert sorted(place for species in population.species for place in species.members) == list(range(24))
    assert len({one.number for one in population.individuals}) == 24


def test_a_population_comes_back_from_its_state_and_goes_on_alike() -> None:
    def mutate_of(population: Population) -> Any:
        return lambda genes, rng: add_node(genes, {"a": rng.random()}, population.innovations, rng) or genes

    first = Population(2, apart)
    rng = random.Random(4)
    first.found(points([rng.random() for _ in range(8)]))
    first.breed({one.number: rng.random() for one in first.individuals}, Breeding(), mutate_of(first), lambda genes: True, rng)
    second = Population(2, apart)
    second.load_state_dict(first.state_dict())
    for _ in range(4):
        fitness = {one.number: one.number / 100 for one in first.individuals}
        for population in (first, second):
            population.breed(fitness, Breeding(), mutate_of(population), lambda genes: True, random.Random(9))
        assert first.individuals == second.individuals and first.speciation.state_dict() == second.speciation.state_dict()
