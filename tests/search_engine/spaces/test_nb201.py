"""The NAS-Bench-201 space: the official strings, classes and figures."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.events import GraphData
from search_engine.primitives.names import NB201
from search_engine.spaces import graphs
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.nb201 import NB201Config, NB201Space

SPACE = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))
EXAMPLE = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"


@pytest.fixture(scope="module")
def table(tables: Path) -> Any:
    return np.load(tables / "nb201" / "nb201.npz")


def test_strings_are_official_and_lead_back() -> None:
    genome = SPACE.from_string(EXAMPLE)
    assert genome.content == {"operations": ["nor_conv_3x3", "none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1", "none"]}
    assert SPACE.to_string(genome) == EXAMPLE
    assert all(SPACE.from_string(SPACE.to_string(other)) == other for other in list(SPACE.enumerate())[::37])


def test_every_cell_of_the_benchmark_has_its_string_and_its_normal_form(table: Any) -> None:
    for text, canonical in zip(table["arch"], table["canonical"], strict=True):
        genome = SPACE.from_string(str(text))
        assert SPACE.to_string(genome) == text
        assert SPACE.normal_form(genome) == canonical


def test_there_are_15625_cells_in_6466_classes() -> None:
    genomes = list(SPACE.enumerate())
    assert len(set(genomes)) == SPACE.size() == 15_625
    assert len({SPACE.hash(genome) for genome in genomes}) == 6_466


def test_the_number_of_parameters_is_the_benchmarks(table: Any) -> None:
    for text, expected in zip(table["arch"], table["params_m"], strict=True):
        assert SPACE.parameters(SPACE.from_string(str(text))) == round(float(expected) * 1e6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is written"),
        (EXAMPLE.replace("none~2", "none~1"), "is written"),
        (EXAMPLE.replace("|none~2", ""), "is written"),
        (EXAMPLE + "+|none~0|none~1|none~2|none~3|", "is written"),
        (EXAMPLE.replace("nor_conv_1x1", "sep_conv_3x3"), "no operation 'sep_conv_3x3'"),
    ],
)
def test_bad_strings_are_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        SPACE.from_string(text)
    assert caught.value.field == "genome"


def test_bad_contents_are_refused() -> None:
    five = ["none"] * 5
    for content in ({}, {"operations": five}, {"operations": "none"}, {"operations": [*five, 0]}, {"operations": [*five, "none"], "x": 1}):
        with pytest.raises(BadInput):
            SPACE.validate(Genome("nb201", content))
    with pytest.raises(BadInput, match="'cell'"):
        SPACE.validate(Genome("cell", {"operations": ["none"] * 6}))


def test_samples_are_uniform_and_mutations_change_one_edge() -> None:
    rng = random.Random(0)
    seen: Counter[str] = Counter()
    changed: Counter[int] = Counter()
    for _ in range(1000):
        genome = SPACE.sample(rng)
        seen.update(SPACE.operations_of(genome))
        child, operator = SPACE.mutate(genome, rng)
        pairs = zip(SPACE.operations_of(genome), SPACE.operations_of(child), strict=True)
        (place,) = [place for place, (old, new) in enumerate(pairs) if old != new]
        changed[place] += 1
        assert operator == "operation_mutation"
    assert set(seen) == set(NB201) and max(seen.values()) < 1.15 * min(seen.values())
    assert set(changed) == set(range(6)) and max(changed.values()) < 1.5 * min(changed.values())


def test_crossover_takes_each_edge_from_a_parent() -> None:
    first, second = (SPACE.genome([name] * 6) for name in ("nor_conv_3x3", "skip_connect"))
    rng = random.Random(0)
    taken = Counter(name for _ in range(200) for name in SPACE.operations_of(SPACE.crossover(first, second, rng)))
    assert set(taken) == {"nor_conv_3x3", "skip_connect"} and 500 < taken["skip_connect"] < 700


def test_vectors_weights_and_graphs_lead_back() -> None:
    for genome in list(SPACE.enumerate())[::97]:
        assert SPACE.decode(SPACE.encode(genome)) == genome
        assert SPACE.derive(SPACE.one_hot(genome)) == genome
        text = json.dumps(graphs.to_node_link(SPACE.to_graph(genome)).model_dump())
        assert SPACE.from_graph(graphs.from_node_link(GraphData.model_validate_json(text))) == genome
    weights = np.full((6, 5), 0.1)
    weights[:, 0] = 0.6
    assert SPACE.operations_of(SPACE.derive({"cell": weights})) == ("none",) * 6, "here `none` is an operation like the others"
    with pytest.raises(BadInput, match="shape"):
        SPACE.derive({"cell": weights[:5]})
    with pytest.raises(BadInput, match="30 numbers"):
        SPACE.decode([0.0])


def test_bad_graphs_are_refused() -> None:
    genome = SPACE.from_string(EXAMPLE)
    for edge, message in ((("3", "1"), "acyclic"), (("0", "1"), "two operations")):
        graph = SPACE.to_graph(genome)
        graph.add_edge(*edge, key="avg_pool_3x3", operation="avg_pool_3x3")
        with pytest.raises(BadInput, match=message):
            SPACE.from_graph(graph)


def test_hash_equality_is_isomorphism_of_normal_forms_on_2000_pairs() -> None:
    """Half of the pairs are different spellings of one class, half are neighbours by one edit."""
    rng = random.Random(2)
    genomes = list(SPACE.enumerate())
    classes: dict[str, list[Genome]] = {}
    for genome in genomes:
        classes.setdefault(SPACE.normal_form(genome), []).append(genome)
    several = [members for members in classes.values() if len(members) > 1]
    equal = 0
    for number in range(2000):
        if number % 2:
            first = rng.choice(genomes)
            second, _ = SPACE.mutate(first, rng)
        else:
            first, second = rng.sample(rng.choice(several), 2)
            assert SPACE.hash(first) == SPACE.hash(second)
        isomorphic = graphs.isomorphic(SPACE.normal_graph(first), SPACE.normal_graph(second))
        assert (SPACE.hash(first) == SPACE.hash(second)) == isomorphic
        equal += isomorphic
    assert 1000 <= equal < 1400


def test_official_texts_that_differ_only_in_the_order_of_a_sum_stay_apart() -> None:
    """The official classes are finer than those of unordered sums; text, hash and tree agree on it."""
    alike: dict[str, dict[str, Genome]] = {}
    for genome in SPACE.enumerate():
        text = SPACE.normal_form(genome)
        alike.setdefault(unordered(text), {})[text] = genome
    assert len(alike) == 5_755
    groups = [list(members.values()) for members in alike.values() if len(members) > 1]
    for members in groups[:200]:
        first, second = members[:2]
        assert SPACE.hash(first) != SPACE.hash(second)
        assert not graphs.isomorphic(SPACE.normal_graph(first), SPACE.normal_graph(second))


def unordered(text: str) -> str:
    """An official text with the terms of every sum sorted."""
    terms, depth, start = [], 0, 0
    for place, letter in enumerate(text + "+"):
        depth += (letter == "(") - (letter == ")")
        if letter == "+" and depth == 0:
            term = text[start:place]
            inner, close, operation = term.rpartition(")")
            terms.append(f"({unordered(inner[1:])}){operation}" if close else term)
            start = place + 1
    return "+".join(sorted(terms))


def test_known_equivalences() -> None:
    def hashed(*names: str) -> str:
        return SPACE.hash(SPACE.genome(names))

    conv, skip, none = "nor_conv_3x3", "skip_connect", "none"
    direct = hashed(none, none, none, conv, none, none)
    assert hashed(conv, none, none, none, skip, none) == direct, "a skip after"
    assert hashed(skip, none, none, none, conv, none) == direct, "a skip before"
    assert hashed(conv, none, none, none, conv, none) != direct
    assert hashed(conv, none, none, conv, skip, none) != direct, "two convolutions side by side"


def test_pictures() -> None:
    (group,) = SPACE.family()
    assert group.name == "cell" and group.edges == [("0", "1"), ("0", "2"), ("1", "2"), ("0", "3"), ("1", "3"), ("2", "3")]
    assert group.operations == list(NB201) and set(group.layout) == {"0", "1", "2", "3"}
    graphs.validate(graphs.family_graph(group))
    drawing = SPACE.drawings(SPACE.from_string(EXAMPLE))["cell"]
    assert len(drawing.nodes) == 4 and [edge.operation for edge in drawing.edges].count("none") == 0 and len(drawing.edges) == 4


def test_it_is_registered_and_refuses_vectors() -> None:
    assert registry.space("nb201").space is NB201Space
    with pytest.raises(BadInput, match="needs images"):
        NB201Space(NB201Config(), DataShape((13,), 3))
