"""The space of neuron graphs: identity up to isomorphism, texts, pictures, inputs."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import networkx as nx
import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.datasets.base import Part
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.spaces.genomes import Genome
from search_engine.spaces.neuron_genes.activations import DIFFERENTIABLE
from search_engine.spaces.neuron_genes.features import area_matrix, features, input_count
from search_engine.spaces.neuron_genes.genes import Genes
from search_engine.spaces.neuron_graph import NeuronGraphConfig, NeuronGraphSpace

INPUTS, OUTPUTS = 5, 3
SPACE = NeuronGraphSpace(NeuronGraphConfig(), DataShape((INPUTS,), OUTPUTS))
FIRST = INPUTS + 1 + OUTPUTS


def random_genome(rng: random.Random, symmetric: bool) -> Genome:
    """A neuron graph of 2 to 14 hidden nodes. `symmetric` ones have few activations and inputs, so many nodes look alike."""
    count = rng.randint(2, 14)
    names = ["tanh"] if symmetric else DIFFERENTIABLE
    sources = [1] if symmetric else list(range(INPUTS + 1))
    hidden = [[FIRST + index, rng.choice(names)] for index in range(count)]
    pairs: set[tuple[int, int]] = set()
    for index in range(count):
        node = FIRST + index
        pairs.add((rng.choice(sources), node))
        if index and rng.random() < 0.8:
            pairs.add((rng.randrange(FIRST, node), node))
        pairs.add((node, INPUTS + 1 if symmetric else rng.randrange(INPUTS + 1, FIRST)))
    return written(hidden, sorted(pairs))


def written(hidden: list[list[Any]], pairs: list[tuple[int, int]], disabled: list[tuple[int, int]] | None = None) -> Genome:
    number = (INPUTS + 1) * OUTPUTS
    edges = []
    for on, pair in [(1, pair) for pair in pairs] + [(0, pair) for pair in disabled or []]:
        source, target = pair
        if source <= INPUTS and target < FIRST:
            edges.append([source * OUTPUTS + target - INPUTS - 1, source, target, on])
        else:
            edges.append([number, source, target, on])
            number += 1
    return Genome("neuron_graph", {"inputs": INPUTS, "outputs": OUTPUTS, "hidden": hidden, "edges": sorted(edges)})


def enabled_pairs(genome: Genome) -> list[tuple[int, int]]:
    return [(source, target) for _, source, target, on in genome.content["edges"] if on]


def relabelled(genome: Genome, rng: random.Random) -> Genome:
    """An isomorphic copy: other ids of hidden nodes, other innovation numbers, and a disabled edge more."""
    old = [node for node, _ in genome.content["hidden"]]
    new = dict(zip(old, rng.sample(range(FIRST, FIRST + 60), len(old)), strict=True))
    hidden = [[new[node], name] for node, name in genome.content["hidden"]]
    pairs = [(new.get(source, source), new.get(target, target)) for source, target in enabled_pairs(genome)]
    rng.shuffle(hidden)
    rng.shuffle(pairs)
    target = new[old[0]]
    spare = [(source, target) for source in range(INPUTS + 1) if (source, target) not in pairs]
    return written(hidden, pairs, spare[:1])


def neighbour(genome: Genome, rng: random.Random) -> Genome:
    """One edit: another activation, an edge more, or an edge less."""
    hidden = [list(item) for item in genome.content["hidden"]]
    pairs = enabled_pairs(genome)
    kind = rng.randrange(3)
    if kind == 0:
        item = rng.choice(hidden)
        item[1] = rng.choice([name for name in DIFFERENTIABLE if name != item[1]])
    elif kind == 1:
        pairs.remove(rng.choice(pairs))
    else:
        order = [node for node, _ in sorted(hidden)]
        free = [(a, b) for i, a in enumerate(order) for b in [*order[i + 1 :], *range(INPUTS + 1, FIRST)] if (a, b) not in pairs]
        pairs.append(rng.choice(free))
    return written(hidden, pairs)


def isomorphic(first: Genome, second: Genome) -> bool:
    """By networkx, on the graphs of the declared normal form: enabled edges among nodes that reach an output."""

    def graph(genome: Genome) -> nx.DiGraph:
        made = nx.DiGraph(enabled_pairs(genome))
        made.add_nodes_from(range(FIRST))
        useful = set(range(FIRST)).union(*(nx.ancestors(made, output) for output in range(INPUTS + 1, FIRST)))
        names = dict(genome.content["hidden"])
        kept = made.subgraph(useful).copy()
        nx.set_node_attributes(kept, {node: names.get(node, f"fixed {node}") for node in kept}, "what")
        return kept

    return nx.is_isomorphic(graph(first), graph(second), node_match=lambda a, b: a["what"] == b["what"])


def test_equal_hash_means_isomorphic_on_2000_pairs() -> None:
    rng = random.Random(0)
    outcomes: Counter[tuple[str, bool]] = Counter()
    for number in range(2000):
        first = random_genome(rng, symmetric=number % 4 < 2)
        make = relabelled if number % 2 == 0 else neighbour
        second = make(first, rng)
        expected = isomorphic(first, second)
        assert (SPACE.hash(first) == SPACE.hash(second)) == expected, (first, second)
        outcomes[make.__name__, expected] += 1
    assert outcomes["relabelled", True] == 1000
    # Some edits touch only what reaches no output, or give an isomorphic graph by chance; most must not.
    assert outcomes["neighbour", False] > 900


def test_interchangeable_twins_cost_no_factorial() -> None:
    rng = random.Random(1)
    twins = [[FIRST + index, "gauss"] for index in range(40)]
    pairs = [(1, node) for node, _ in twins] + [(node, INPUTS + 1) for node, _ in twins]
    genome = written(twins, pairs)
    assert SPACE.hash(genome) == SPACE.hash(relabelled(genome, rng))


def test_graphs_that_colour_refinement_cannot_tell_apart() -> None:
    """Sources 0..5 feed targets along one ring of 12 or along two of 6: every node looks alike, the graphs differ."""

    def rings(lengths: list[int]) -> Genome:
        pairs, start = [], 0
        for length in lengths:
            for index in range(length):
                pairs += [
                    (FIRST + start + index, FIRST + 6 + start + index),
                    (FIRST + start + index, FIRST + 6 + start + (index + 1) % length),
                ]
            start += length
        hidden = [[FIRST + index, "tanh"] for index in range(12)]
        return written(hidden, pairs + [(1, FIRST + i) for i in range(6)] + [(FIRST + 6 + i, INPUTS + 1) for i in range(6)])

    one, two = rings([6]), rings([3, 3])
    assert SPACE.hash(one) != SPACE.hash(two)
    rng = random.Random(2)
    for genome in (one, two):
        for _ in range(20):
            assert SPACE.hash(relabelled(genome, rng)) == SPACE.hash(genome)


def test_inputs_and_outputs_have_their_places() -> None:
    genome = written([[FIRST, "tanh"]], [(1, FIRST), (FIRST, INPUTS + 1)])
    other_input = written([[FIRST, "tanh"]], [(2, FIRST), (FIRST, INPUTS + 1)])
    other_output = written([[FIRST, "tanh"]], [(1, FIRST), (FIRST, INPUTS + 2)])
    assert len({SPACE.hash(item) for item in (genome, other_input, other_output)}) == 3


def test_mutation_leads_to_admissible_genomes_and_names_its_operator() -> None:
    rng = random.Random(3)
    genome = SPACE.sample(rng)
    operators = set()
    for _ in range(80):
        before = genome
        genome, operator = SPACE.mutate(genome, rng)
        SPACE.validate(genome)
        assert genome != before
        operators.add(operator)
    assert operators == {"add_node", "add_connection", "enable", "change_activation"}


def test_text_round_trips() -> None:
    rng = random.Random(4)
    genome = SPACE.sample(rng)
    for _ in range(60):
        genome, _ = SPACE.mutate(genome, rng)
    again = SPACE.from_string(SPACE.to_string(genome))
    assert SPACE.hash(again) == SPACE.hash(genome)
    assert SPACE.to_string(again) == SPACE.to_string(genome)
    for text in ("9:tanh(1", "9:swish(1)", "x(1)", "6(99)"):
        with pytest.raises(BadInput):
            SPACE.from_string(text)


def test_graph_and_drawing() -> None:
    space = NeuronGraphSpace(NeuronGraphConfig(), DataShape((1, 8, 8), 10))
    content = {
        "inputs": 64, "outputs": 10, "hidden": [[75, "gauss"], [76, "sin"]],
        "edges": [[20, 2, 65, 0], [21, 2, 66, 1], [650, 2, 75, 1], [651, 75, 65, 1], [652, 0, 76, 1]],
    }  # fmt: skip
    genome = Genome("neuron_graph", content)
    graph = space.to_graph(genome)
    assert len(graph) == 65 + 10 + 2
    assert set(graph.edges(keys=True)) == {
        ("2", "66", "connection"), ("2", "75", "connection"), ("75", "65", "connection"), ("0", "76", "connection"),
    }  # fmt: skip
    drawing = space.drawings(genome)["network"]
    # The disabled edge is absent, and so is node 76, which feeds nothing.
    assert {(edge.source, edge.target) for edge in drawing.edges} == {("2", "66"), ("2", "75"), ("75", "65")}
    kinds = Counter(node.kind for node in drawing.nodes)
    assert kinds == {"input": 1, "hidden": 1, "output": 10}
    pixel = next(node for node in drawing.nodes if node.id == "2")
    assert (pixel.attributes["row"], pixel.attributes["column"]) == (0, 1)
    assert drawing.attributes["image"] == [1, 8, 8]


def test_a_genome_of_other_data_is_refused() -> None:
    other = NeuronGraphSpace(NeuronGraphConfig(), DataShape((7,), OUTPUTS)).sample(random.Random(0))
    with pytest.raises(BadInput, match="needs 5 and 3") as caught:
        SPACE.validate(other)
    assert caught.value.field == "genome"
    with pytest.raises(BadInput, match="belongs to the space"):
        SPACE.validate(Genome("cell", other.content))


def test_too_large_inputs_are_refused() -> None:
    with pytest.raises(BadInput, match="too many"):
        NeuronGraphSpace(NeuronGraphConfig(input_size=64), DataShape((3, 64, 64), 10))


def test_content_is_json_that_reads_back() -> None:
    genome = SPACE.sample(random.Random(0))
    assert Genome.from_json(genome.to_json()) == genome
    assert Genes.from_content(genome.content).content() == genome.content


def test_images_shrink_by_area() -> None:
    assert input_count(DataShape((1, 28, 28), 10), 16) == 256
    assert input_count(DataShape((1, 8, 8), 10), 16) == 64
    matrix = area_matrix(28, 16)
    assert np.allclose(matrix.sum(axis=1), 1)
    assert np.allclose(matrix.sum(axis=0), 16 / 28)
    assert np.allclose(area_matrix(4, 2), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    raw = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)
    found = features(raw, DataShape((1, 4, 4), 2), Preprocessing(255.0, (0.5,), (0.2,)), 2)
    assert np.allclose(found, np.array([[2.5, 4.5, 10.5, 12.5]]) / 255)


def test_images_are_not_standardised_and_vectors_are() -> None:
    preprocessing = Preprocessing(16.0, (0.3,), (0.4,))
    image = np.array([[[[0, 16], [8, 4]]]], dtype=np.uint8)
    assert features(image, DataShape((1, 2, 2), 2), preprocessing, 16).tolist() == [[0.0, 1.0, 0.5, 0.25]]
    vector = np.array([[1.0, 2.0]])
    found = features(vector, DataShape((2,), 2), Preprocessing(1.0, (1.0, 0.0), (2.0, 4.0)), 16)
    assert found.tolist() == [[0.0, 0.5]]
    part = Part(image, np.array([0]), np.array([0]))
    space = NeuronGraphSpace(NeuronGraphConfig(), DataShape((1, 2, 2), 2))
    assert space.features(part.inputs, preprocessing).shape == (1, 4)
