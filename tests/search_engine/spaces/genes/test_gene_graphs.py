"""Gene graphs: what is alive, structural mutations, historical markings."""

from __future__ import annotations

import itertools
import random

import networkx as nx
import pytest

from search_engine.spaces.genes.graph import INPUT, OUTPUT, GeneGraph, Link
from search_engine.spaces.genes.growing import add_link, add_node, chain, new_innovations, toggle


def grown(times: int, seed: int) -> GeneGraph:
    table, rng = new_innovations(), random.Random(seed)
    genes = chain([{}], {}, table)
    for _ in range(times):
        operators = [lambda g: add_node(g, {}, table, rng), lambda g: add_link(g, table, rng), lambda g: toggle(g, rng)]
        genes = rng.choice(operators)(genes) or genes
    return genes


@pytest.mark.parametrize("seed", range(4))
def test_what_is_alive_is_what_lies_on_a_path(seed: int) -> None:
    genes = grown(60, seed)
    graph = nx.DiGraph([(link.source, link.target) for link in genes.links if link.enabled])
    on_a_path = set(itertools.chain.from_iterable(nx.all_simple_paths(graph, INPUT, OUTPUT)))
    assert set(genes.live) == on_a_path - {INPUT, OUTPUT}
    place = {node: at for at, node in enumerate(genes.order)}
    assert all(place[link.source] < place[link.target] for link in genes.links) and genes.order[0] == INPUT and genes.order[-1] == OUTPUT
    for node, sources in genes.sources.items():
        assert set(sources) == {link.source for link in genes.links if link.enabled and link.target == node} & {INPUT, *genes.live}


def test_a_thousand_mutations_close_no_cycle_and_cut_no_last_path() -> None:
    table, rng = new_innovations(), random.Random(0)
    genes = chain([{}], {}, table)
    seen = set()
    for _ in range(1000):
        kind = rng.randrange(3) if len(genes.hidden) < 12 else rng.randrange(1, 3)
        changed = (add_node(genes, {}, table, rng), add_link(genes, table, rng), toggle(genes, rng))[kind]
        if changed is None:
            continue
        seen.add(kind)
        genes = changed
        assert genes.connected and nx.is_directed_acyclic_graph(nx.DiGraph([(link.source, link.target) for link in genes.links]))
        assert len({link.innovation for link in genes.links}) == len(genes.links) == len(genes.pairs)
    assert seen == {0, 1, 2}


def test_equal_inventions_have_equal_numbers() -> None:
    table = new_innovations()
    first, second = chain([{"a": 1}, {"a": 2}], {}, table), chain([{"a": 3}, {"a": 4}], {}, table)
    assert first.links == second.links and first.hidden == second.hidden
    split = [add_node(genes, {}, table, random.Random(5)) for genes in (first, second)]
    assert split[0] is not None and split[1] is not None and split[0].links == split[1].links
    # Splitting an edge that was enabled again is another invention in a genome that has the first one.
    again = GeneGraph.of(split[0].allele, [Link(each.innovation, each.source, each.target) for each in split[0].links])
    node = table.split(0, again.allele.keys())
    assert node not in again.allele and table.split(0, ()) in again.allele


def test_a_toggled_edge_never_cuts_the_only_path() -> None:
    genes = chain([{}], {}, new_innovations())
    for seed in range(20):
        changed = toggle(genes, random.Random(seed))
        assert changed is not None and changed.connected
    alone = GeneGraph.of({OUTPUT: {}}, [Link(0, INPUT, OUTPUT)])
    assert toggle(alone, random.Random(0)) is None


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        GeneGraph.of({OUTPUT: {}, 2: {}, 3: {}}, [Link(0, 2, 3), Link(1, 3, 2)]).order  # noqa: B018
