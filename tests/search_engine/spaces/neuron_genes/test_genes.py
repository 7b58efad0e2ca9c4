"""Genes, innovation numbers and mutations of growing graphs (evolution: NEAT 2002, WANN 2019)."""

from __future__ import annotations

import random
from collections import Counter

import networkx as nx
import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.spaces.neuron_genes.activations import DIFFERENTIABLE, NUMBERS
from search_engine.spaces.neuron_genes.genes import Genes, initial_genes, layers
from search_engine.spaces.neuron_genes.innovation import InnovationTable
from search_engine.spaces.neuron_genes.operators import OPERATORS, Mutation, apply_mutation, choose

ACTIVATIONS = tuple(NUMBERS[name] for name in DIFFERENTIABLE)
SHARES = {"add_node": 0.25, "add_connection": 0.20, "enable": 0.05, "change_activation": 0.50}
GROWING = {"add_node": 0.3, "add_connection": 0.4, "enable": 0.3}


def grow(genes: Genes, table: InnovationTable, rng: random.Random, times: int, shares: dict[str, float] = SHARES) -> Genes:
    for _ in range(times):
        mutation = choose(genes, table, rng, shares, ACTIVATIONS)
        assert mutation is not None
        genes = apply_mutation(genes, mutation)
    return genes


def start(inputs: int = 6, outputs: int = 3, probability: float = 0.5, seed: int = 0) -> tuple[Genes, InnovationTable, random.Random]:
    rng = random.Random(seed)
    return initial_genes(inputs, outputs, probability, rng), InnovationTable(inputs, outputs), rng


def test_initial_edges_are_enabled_with_the_probability() -> None:
    rng = random.Random(0)
    counts = [initial_genes(64, 10, 0.05, rng).connections for _ in range(300)]
    assert abs(np.mean(counts) - 650 * 0.05) < 1.0
    assert initial_genes(64, 10, 1.0, rng).connections == 650


def test_content_round_trips() -> None:
    genes, table, rng = start()
    grown = grow(genes, table, rng, 60)
    again = Genes.from_content(grown.content())
    assert again.key == grown.key
    assert again.content() == grown.content()


def test_no_cycle_after_a_thousand_mutations_even_if_all_edges_are_enabled() -> None:
    genes, table, rng = start()
    for _ in range(100):
        genes = grow(genes, table, rng, 10, GROWING)
        assert nx.is_directed_acyclic_graph(nx.DiGraph(list(genes.pairs)))
    assert len(genes.nodes) > 100
    genes.validate()


def test_layers_are_longest_paths_over_disabled_edges_too() -> None:
    # 1 -> 10 -> 11 -> 9 with the edge 10 -> 11 disabled: 11 still comes after 10.
    genes = Genes.from_content(
        {"inputs": 2, "outputs": 1, "hidden": [[10, "tanh"], [11, "relu"]], "edges": [[5, 1, 10, 1], [6, 10, 11, 0], [7, 11, 3, 1]]}
    )
    assert layers(genes) == {10: 1, 11: 2}


@pytest.mark.parametrize("operator", OPERATORS)
def test_exactly_one_thing_changes(operator: str) -> None:
    genes, table, rng = start()
    genes = grow(genes, table, rng, 30)
    for _ in range(50):
        child = grow(genes, table, rng, 1, {operator: 1.0})
        new_nodes = set(child.nodes.tolist()) - set(genes.nodes.tolist())
        new_pairs = child.pairs - genes.pairs
        changed = int((child.activations != genes.activations).sum()) if len(child.nodes) == len(genes.nodes) else 0
        expected = {
            "add_node": (1, 2, 1, 0),
            "add_connection": (0, 1, 1, 0),
            "enable": (0, len(new_pairs), 1, 0),
            "change_activation": (0, 0, 0, 1),
        }[operator]
        assert (len(new_nodes), len(new_pairs), child.connections - genes.connections, changed) == expected
        child.validate()


def test_a_split_edge_is_disabled_and_its_ends_joined_through_the_node() -> None:
    genes = Genes.from_content({"inputs": 1, "outputs": 1, "hidden": [], "edges": [[1, 1, 2, 1]]})
    table = InnovationTable(1, 1)
    mutation = choose(genes, table, random.Random(0), {"add_node": 1.0}, (4,))
    assert mutation is not None
    child = apply_mutation(genes, mutation)
    assert child.content()["hidden"] == [[3, "gauss"]]
    assert [edge[1:] for edge in child.content()["edges"]] == [[1, 2, 0], [1, 3, 1], [3, 2, 1]]


def test_operators_are_drawn_with_their_shares() -> None:
    genes, table, rng = start()
    genes = grow(genes, table, rng, 30)
    counts = Counter(choose(genes, table, rng, SHARES, ACTIVATIONS).operator for _ in range(2000))  # type: ignore[union-attr]
    for name, share in SHARES.items():
        assert abs(counts[name] / 2000 - share) < 0.04


def test_an_impossible_operator_is_drawn_again() -> None:
    genes, table, rng = start()
    # Without hidden nodes neither another activation nor another connection is possible.
    names = {choose(genes, table, rng, SHARES, ACTIVATIONS).operator for _ in range(200)}  # type: ignore[union-attr]
    assert names == {"add_node", "enable"}


def test_nothing_possible_gives_no_mutation() -> None:
    genes = initial_genes(2, 1, 1.0, random.Random(0))
    assert choose(genes, InnovationTable(2, 1), random.Random(0), {"enable": 1.0}, ACTIVATIONS) is None


def test_enable_draws_from_direct_edges_that_are_not_stored() -> None:
    genes = initial_genes(2, 2, 0.0, random.Random(0))
    table, rng = InnovationTable(2, 2), random.Random(1)
    grown = grow(genes, table, rng, 6, {"enable": 1.0})
    assert grown.pairs == {(source, target) for source in (0, 1, 2) for target in (3, 4)}
    assert choose(grown, table, rng, {"enable": 1.0}, ACTIVATIONS) is None


def test_equal_inventions_get_equal_numbers() -> None:
    genes, table, _ = start(probability=1.0)
    first = apply_mutation(genes, Mutation("add_node", _split(genes, table, 4)))
    second = apply_mutation(genes, Mutation("add_node", _split(genes, table, 4)))
    other = apply_mutation(genes, Mutation("add_node", _split(genes, table, 5)))
    assert first.key == second.key
    assert set(first.nodes.tolist()) != set(other.nodes.tolist())
    assert table.edge(first, 2, int(first.nodes[0])) == table.edge(second, 2, int(second.nodes[0]))


def _split(genes: Genes, table: InnovationTable, innovation: int) -> tuple[int, ...]:
    edge = int(np.flatnonzero(genes.innovation == innovation)[0])
    node = table.node(genes, innovation)
    into = table.edge(genes, int(genes.source[edge]), node)
    return innovation, node, 5, into, table.edge(genes, node, int(genes.target[edge]))


def test_an_edge_enabled_again_is_split_into_another_node() -> None:
    genes, table, _ = start(probability=1.0)
    once = apply_mutation(genes, Mutation("add_node", _split(genes, table, 4)))
    again = apply_mutation(once, Mutation("enable", (4,)))
    twice = apply_mutation(again, Mutation("add_node", _split(again, table, 4)))
    assert len(set(twice.nodes.tolist())) == 2
    twice.validate()
    # The same history elsewhere gives the same second node.
    other = apply_mutation(again, Mutation("add_node", _split(again, table, 4)))
    assert other.key == twice.key


def test_forgetting_drops_the_dead_and_keeps_numbers_unique() -> None:
    genes, table, rng = start(probability=1.0)
    alive = grow(genes, table, rng, 20, {"add_node": 1.0})
    for _ in range(100):
        grow(genes, table, rng, 5, GROWING)
    before = len(table)
    table.forget([alive])
    assert len(table) < before / 2
    more = grow(alive, table, rng, 200, GROWING)
    more.validate()
    known = dict(zip(alive.innovation.tolist(), zip(alive.source.tolist(), alive.target.tolist(), strict=True), strict=True))
    later = dict(zip(more.innovation.tolist(), zip(more.source.tolist(), more.target.tolist(), strict=True), strict=True))
    assert all(later[number] == pair for number, pair in known.items())


def test_table_state_round_trips() -> None:
    genes, table, rng = start()
    genes = grow(genes, table, rng, 50)
    other = InnovationTable(6, 3)
    other.load_state_dict(table.state_dict())
    ours, theirs = random.Random(5), random.Random(5)
    assert grow(genes, table, ours, 30).key == grow(genes, other, theirs, 30).key


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"inputs": 1, "outputs": 1, "hidden": [], "edges": [[1, 5, 2, 1]]}, "starts at no"),
        ({"inputs": 1, "outputs": 1, "hidden": [], "edges": [[1, 1, 0, 1]]}, "ends at no"),
        ({"inputs": 1, "outputs": 1, "hidden": [[2, "tanh"]], "edges": []}, "hidden nodes have ids from 3"),
        ({"inputs": 1, "outputs": 1, "hidden": [[3, "swish"]], "edges": []}, "not a neuron graph"),
        ({"inputs": 1, "outputs": 1, "hidden": [], "edges": [[0, 1, 2, 1]]}, "cannot have the innovation number"),
        ({"inputs": 1, "outputs": 1, "hidden": [[3, "tanh"], [4, "tanh"]], "edges": [[5, 3, 4, 1], [6, 4, 3, 0]]}, "cycle"),
        ({"inputs": 1, "outputs": 1, "hidden": [[3, "tanh"]], "edges": [[5, 1, 3, 1], [6, 1, 3, 0]]}, "join the same two"),
        ({"inputs": 0, "outputs": 1, "hidden": [], "edges": []}, "at least one input"),
        ({"outputs": 1}, "not a neuron graph"),
    ],
)
def test_bad_content_is_refused(content: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        Genes.from_content(content)
    assert caught.value.field == "genome"
