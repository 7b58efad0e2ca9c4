"""Genotypes, populations and their diversity, without any network."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from search_engine.algorithms.pathnet.diversity import diversity, mean_similarity, overlap
from search_engine.algorithms.pathnet.genotypes import mutated, path_of, random_genotype, union
from search_engine.algorithms.pathnet.population import Population
from search_engine.base.checkpoint import pack, unpack

LAYERS, MODULES, ACTIVE = 3, 10, 3


def test_a_path_is_a_genotype_without_repetitions() -> None:
    assert path_of(((3, 1, 3), (0, 0, 0), (9, 2, 4))) == ((1, 3), (0,), (2, 4, 9))
    assert union([((1,), (2,)), ((1, 4), (0,))], 2) == ((1, 4), (0, 2))
    assert union([], 2) == ((), ())


def test_every_gene_is_drawn_evenly() -> None:
    rng = random.Random(0)
    genes = Counter(gene for _ in range(1000) for layer in random_genotype(rng, LAYERS, MODULES, ACTIVE) for gene in layer)
    assert set(genes) == set(range(MODULES))
    assert all(abs(count - 900) < 4 * (9000 * 0.1 * 0.9) ** 0.5 for count in genes.values())


@pytest.mark.parametrize("gene", [0, 1, 5, 9])
def test_a_mutation_draws_one_gene_on_average_and_moves_it_by_at_most_two_around_the_end(gene: int) -> None:
    """1 / (L N) per gene and an even offset from -2 to 2, nothing included: 4/5 of a gene change per child. A rule that clamps, one
    whose offsets lean to one side or one that doubles the rate fails here (each tried)."""
    rng, parent = random.Random(gene), ((gene,) * ACTIVE,) * LAYERS
    children, genes = 20_000, LAYERS * ACTIVE
    moves: Counter[int] = Counter()
    for _ in range(children):
        child = mutated(parent, rng, MODULES)
        assert [len(layer) for layer in child] == [ACTIVE] * LAYERS
        moves.update((new - gene) % MODULES for layer in child for new in layer)
    assert set(moves) == {0, 1, 2, 8, 9}
    expected = children / 5
    for offset in (1, 2, 8, 9):
        assert abs(moves[offset] - expected) < 5 * expected**0.5
    assert abs(children * genes - moves[0] - 4 * expected) < 5 * (4 * expected) ** 0.5


def test_the_loser_becomes_a_mutated_copy_of_the_winner_and_nobody_else_moves() -> None:
    rng = random.Random(0)
    changes = 0
    for _ in range(2000):
        population = Population.drawn(6, LAYERS, MODULES, ACTIVE, rng)
        before = list(population.genotypes)
        first, second = population.draw(rng)
        assert first != second
        population.score(first, 0.4, 0)
        population.score(second, 0.7, 0)
        winner, loser = population.settle(first, second, rng)
        assert (winner, loser) == (second, first)
        assert all(population.genotypes[place] == before[place] for place in range(6) if place != loser)
        pairs = [pair for old, new in zip(before[winner], population.genotypes[loser], strict=True) for pair in zip(old, new, strict=True)]
        assert all((new - old) % MODULES in (0, 1, 2, 8, 9) for old, new in pairs)
        changes += sum(old != new for old, new in pairs)
        assert population.fitness[winner] == 0.7 and population.fitness[loser] is None
    assert changes / 2000 == pytest.approx(0.8, abs=0.08)


def test_of_equals_the_first_wins() -> None:
    rng = random.Random(0)
    population = Population.drawn(2, LAYERS, MODULES, ACTIVE, rng)
    for place in (0, 1):
        population.score(place, 0.5, 0)
    assert population.settle(1, 0, rng) == (1, 0)


def test_both_members_of_a_tournament_are_drawn_evenly() -> None:
    rng, population = random.Random(0), Population.drawn(4, 1, MODULES, 1, random.Random(1))
    drawn = Counter(population.draw(rng) for _ in range(12_000))
    assert len(drawn) == 12 and all(abs(count - 1000) < 150 for count in drawn.values())


def test_the_best_is_the_highest_score_and_of_equals_the_latest() -> None:
    population = Population.drawn(4, 1, MODULES, 1, random.Random(0))
    assert population.best == 0 and population.ranked == []
    for place, fitness, generation in ((1, 0.9, 3), (2, 0.9, 5), (3, 0.2, 6)):
        population.score(place, fitness, generation)
    assert population.best == 2 and population.ranked == [2, 1, 3]
    population.forget(2)
    assert population.best == 1
    copy = Population.drawn(4, 1, MODULES, 1, random.Random(9))
    copy.load_state_dict(unpack(pack(population.state_dict())))
    assert copy.state_dict() == population.state_dict() and copy.genotypes == population.genotypes


def test_diversity_is_one_minus_the_mean_jaccard_index_of_all_pairs() -> None:
    paths = [((0, 1), (2,)), ((0,), (2, 3)), ((5,), (6,))]
    # 2 of 4 modules shared, then none.
    assert mean_similarity(paths, MODULES) == pytest.approx((2 / 4 + 0 + 0) / 3)
    assert diversity(paths, MODULES) == pytest.approx(1 - 1 / 6)
    assert diversity([paths[0]] * 5, MODULES) == pytest.approx(0) and diversity(paths[1:], MODULES) == 1
    assert mean_similarity(paths[:1], MODULES) == 1
    # The same number in another layer is another module.
    assert overlap(paths[0], paths[1]) == 2 and overlap(((1,), (2,)), ((2,), (1,))) == 0
