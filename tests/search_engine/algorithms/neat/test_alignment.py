"""Distance and crossover of aligned genomes, by hand and as laws."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from search_engine.algorithms.neat.alignment import Coefficients, crossover, distance
from search_engine.spaces.genes.graph import INPUT, OUTPUT, GeneGraph, Link
from search_engine.spaces.genes.growing import add_link, add_node, chain, new_innovations, toggle

WEIGHTS = Coefficients(excess=5.0, disjoint=3.0, alleles=2.0)


def apart(a: dict[str, Any], b: dict[str, Any]) -> float:
    return float(a != b)


def family(count: int) -> list[GeneGraph]:
    """Descendants of one ancestor, with one table."""
    table, rng = new_innovations(), random.Random(3)
    found = [chain([{"a": 0}], {}, table)]
    while len(found) < count:
        child = rng.choice(found)
        for _ in range(3):
            made = (add_node(child, {"a": rng.randrange(9)}, table, rng), add_link(child, table, rng), toggle(child, rng))
            child = rng.choice(made) or child
        found.append(child)
    return found


def test_the_distance_by_hand() -> None:
    first = GeneGraph.of({OUTPUT: {}, 2: {"a": 1}}, [Link(0, 0, 1), Link(1, 0, 2), Link(2, 2, 1)])
    second = GeneGraph.of({OUTPUT: {}, 2: {"a": 2}, 3: {}}, [Link(0, 0, 1), Link(2, 2, 1), Link(5, 0, 3), Link(6, 3, 1)])
    # Number 1 is disjoint, 5 and 6 are excess; 4 edges in the larger; of the two common nodes one differs.
    assert distance(first, second, apart, WEIGHTS) == pytest.approx(5 * 2 / 4 + 3 * 1 / 4 + 2 * 1 / 2)


def test_the_distance_is_symmetric_and_nothing_from_itself() -> None:
    for first in family(12):
        for second in family(12):
            assert distance(first, second, apart, WEIGHTS) == pytest.approx(distance(second, first, apart, WEIGHTS))
        assert distance(first, first, apart, WEIGHTS) == 0


def test_a_genome_crossed_with_itself_is_itself_but_for_switches() -> None:
    for genes in family(12):
        child = crossover(genes, genes, random.Random(1))
        assert child.alleles == genes.alleles and child.connected
        assert [link.innovation for link in child.links] == [link.innovation for link in genes.links]
        assert all(link.enabled for link, old in zip(child.links, genes.links, strict=True) if old.enabled)


def test_genes_that_do_not_match_come_from_the_fitter_parent() -> None:
    graphs = family(20)
    rng = random.Random(0)
    for fitter, other in itertools.pairwise(graphs):
        child = crossover(fitter, other, rng)
        assert [link.innovation for link in child.links] == [link.innovation for link in fitter.links] and child.connected
        assert all(allele in (fitter.allele[node], other.allele.get(node)) for node, allele in child.alleles)
        both = crossover(fitter, other, rng, equal=True)
        assert both.connected and {link.innovation for link in both.links} >= {link.innovation for link in fitter.links}
        assert both.order  # closes no cycle


def test_parents_of_equal_fitness_give_all_that_closes_no_cycle() -> None:
    alleles: dict[int, dict[str, Any]] = {OUTPUT: {}, 2: {}, 3: {}}
    common = [Link(1, INPUT, 2), Link(2, 2, OUTPUT), Link(3, INPUT, 3), Link(4, 3, OUTPUT)]
    first, second = GeneGraph.of(alleles, [*common, Link(5, 2, 3)]), GeneGraph.of(alleles, [*common, Link(6, 3, 2), Link(7, INPUT, OUTPUT)])
    child = crossover(first, second, random.Random(0), equal=True)
    assert [link.innovation for link in child.links] == [1, 2, 3, 4, 5, 7]


def test_matching_alleles_come_from_either_parent_alike() -> None:
    table = new_innovations()
    first, second = chain([{"a": 1}], {}, table), chain([{"a": 2}], {}, table)
    rng = random.Random(0)
    drawn = [crossover(first, second, rng).allele[2]["a"] for _ in range(1000)]
    assert 440 < drawn.count(1) < 560


def test_an_edge_that_is_off_in_one_parent_is_off_in_three_quarters_of_the_children() -> None:
    table = new_innovations()
    genes = chain([{}], {}, table)
    on = GeneGraph.of(genes.allele, [Link(link.innovation, link.source, link.target) for link in genes.links])
    rng = random.Random(0)
    off = sum(not crossover(on, genes, rng).links[0].enabled for _ in range(1000))
    assert 700 < off < 800
