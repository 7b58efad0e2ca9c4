"""Architecture graphs: node-link form, validation, isomorphism and the canonical form."""

from __future__ import annotations

import itertools
import json
import random

import networkx as nx
import pytest

from search_engine.base.errors import BadInput
from search_engine.events import GraphData, GraphEdge, GraphNode
from search_engine.spaces import graphs
from search_engine.spaces.cell import CellConfig, CellSpace
from search_engine.spaces.data_shape import DataShape


def chain(*names: str) -> nx.MultiDiGraph:
    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    for place, name in enumerate(names):
        graph.add_node(name, label=name, kind="input" if place == 0 else "output" if place == len(names) - 1 else "hidden")
    for source, target in itertools.pairwise(names):
        graph.add_edge(source, target, key="skip_connect", operation="skip_connect")
    return graph


def same(first: nx.MultiDiGraph, second: nx.MultiDiGraph) -> bool:
    return (
        list(first.nodes(data=True)) == list(second.nodes(data=True))
        and list(first.edges(keys=True, data=True)) == list(second.edges(keys=True, data=True))
        and first.graph == second.graph
    )


def test_two_operations_on_one_edge_survive_the_way_out_and_back() -> None:
    graph = chain("a", "b", "c")
    graph.graph["layout"] = {"a": [0.0, 0.5]}
    graph.nodes["b"].update(aggregation="sum", depth=2)
    graph.add_edge("a", "b", key="max_pool_3x3", operation="max_pool_3x3", weight=0.25)
    graph.add_edge("b", "c", key="concat", operation=None)
    text = json.dumps(graphs.to_node_link(graph).model_dump())
    back = graphs.from_node_link(GraphData.model_validate(json.loads(text)))
    assert same(graph, back)
    assert set(back["a"]["b"]) == {"skip_connect", "max_pool_3x3"}


def test_bad_node_link_data_is_refused() -> None:
    node = GraphNode(id="a", label="a", kind="input")
    other = GraphNode(id="b", label="b", kind="output")
    edge = GraphEdge(source="a", target="b", key="none")
    for data, message in (
        (GraphData(nodes=[node, node], edges=[]), "occurs twice"),
        (GraphData(nodes=[node], edges=[edge]), "is not a node"),
        (GraphData(nodes=[node, other], edges=[edge, edge]), "'none' twice"),
    ):
        with pytest.raises(BadInput, match=message):
            graphs.from_node_link(data)


def test_validate_refuses_cycles_and_what_is_not_connected() -> None:
    graph = chain("a", "b", "c", "d")
    graphs.validate(graph)
    graph.add_edge("c", "b", key="skip_connect", operation="skip_connect")
    with pytest.raises(BadInput, match="acyclic") as caught:
        graphs.validate(graph)
    assert caught.value.code == "cyclic"
    for lonely in ("dead end", "from nowhere", "island"):
        graph = chain("a", "b", "c")
        graph.add_node(lonely, kind="hidden")
        if lonely == "dead end":
            graph.add_edge("a", lonely)
        if lonely == "from nowhere":
            graph.add_edge(lonely, "c")
        with pytest.raises(BadInput, match=lonely) as caught:
            graphs.validate(graph)
        assert caught.value.code == "disconnected"
    unreachable = chain("a", "b")
    unreachable.add_node("z", kind="output")
    with pytest.raises(BadInput, match="'z'"):
        graphs.validate(unreachable)
    unused = chain("a", "b")
    unused.add_node("second input", kind="input")
    graphs.validate(unused)
    with pytest.raises(BadInput, match="at least one input"):
        graphs.validate(nx.MultiDiGraph())


def test_families_of_the_spaces_are_valid_and_a_broken_one_is_not() -> None:
    for group in CellSpace(CellConfig(), DataShape((1, 8, 8), 10)).family():
        graph = graphs.family_graph(group, [[1 / 8] * 8] * 14)
        graphs.validate(graph)
        assert graph.number_of_edges() == 14 * 8 + 4
        assert graph["c_{k-2}"]["0"]["sep_conv_3x3"]["weight"] == 1 / 8
        broken = group.model_copy(update={"edges": [*group.edges, ("3", "1")]})
        with pytest.raises(BadInput):
            graphs.validate(graphs.family_graph(broken))


def random_graph(rng: random.Random) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Few labels and many repetitions, so that there are many symmetries."""
    size = rng.randint(1, 7)
    labels = [rng.choice("xy") for _ in range(size)]
    edges = [(i, j, rng.choice("pq")) for i in range(size) for j in range(i + 1, size) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
    return labels, edges


def as_networkx(labels: list[str], edges: list[tuple[int, int, str]]) -> nx.MultiDiGraph:
    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    for node, label in enumerate(labels):
        graph.add_node(node, match=label)
    for source, target, label in edges:
        graph.add_edge(source, target, match=label)
    return graph


def test_canonical_forms_are_equal_exactly_for_isomorphic_graphs() -> None:
    """1,000 pairs: renamed copies, copies with one edge relabelled or redirected, each judged by networkx."""
    rng = random.Random(5)
    equal = 0
    for number in range(1000):
        labels, edges = random_graph(rng)
        order = list(range(len(labels)))
        rng.shuffle(order)
        other = [labels[order.index(node)] for node in range(len(labels))]
        moved = [(order[source], order[target], label) for source, target, label in edges]
        rng.shuffle(moved)
        if number % 2 and moved:
            place = rng.randrange(len(moved))
            source, target, label = moved[place]
            moved[place] = (source, target, "p" if label == "q" else "q") if rng.random() < 0.5 else (target, source, label)
        isomorphic = graphs.isomorphic(as_networkx(labels, edges), as_networkx(other, moved))
        assert (graphs.canonical_form(labels, edges) == graphs.canonical_form(other, moved)) == isomorphic
        equal += isomorphic
    assert 500 <= equal < 900


def test_the_canonical_form_tells_shared_from_repeated_parts() -> None:
    """Two nodes that compute the same expression: using one of them twice is not using both once."""
    labels = ["input", "node", "node", "node"]
    start = [(0, 1, "p"), (0, 2, "p")]
    shared = graphs.canonical_form(labels, [*start, (1, 3, "p"), (1, 3, "q")])
    both = graphs.canonical_form(labels, [*start, (1, 3, "p"), (2, 3, "q")])
    assert shared != both


def test_the_canonical_form_of_many_interchangeable_nodes_is_quick() -> None:
    """30 twins have 30! orders; one branch must stand for all of them."""
    edges = [(0, node, "p") for node in range(1, 31)] + [(node, 31, "p") for node in range(1, 31)]
    labels = ["in", *["node"] * 30, "out"]
    assert len(graphs.canonical_form(labels, edges)[1]) == 60


def crown(*rings: int) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Rings of `size` sources and as many targets, each source feeding two neighbouring targets: colour refinement sees no difference."""
    edges: list[tuple[int, int, str]] = []
    start = 0
    for size in rings:
        edges += [(start + i, start + size + (i + step) % size, "p") for i in range(size) for step in (0, 1)]
        start += 2 * size
    return ["node"] * start, edges


def test_the_canonical_form_sees_what_colour_refinement_does_not() -> None:
    forms = [graphs.canonical_form(*crown(*rings)) for rings in ((6,), (2, 4), (3, 3))]
    assert len(set(forms)) == 3
    labels, edges = crown(2, 4)
    rng = random.Random(0)
    for _ in range(20):
        order = rng.sample(range(len(labels)), len(labels))
        assert graphs.canonical_form(labels, [(order[source], order[target], label) for source, target, label in edges]) == forms[1]
