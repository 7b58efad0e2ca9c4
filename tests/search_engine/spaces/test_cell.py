"""The DARTS cell space: genomes, operators, identity, texts, pictures."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from collections import Counter

import networkx as nx
import numpy as np
import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.events import GraphData
from search_engine.spaces import graphs
from search_engine.spaces.cell import CELLS, OPERATIONS, CellConfig, CellSpace, Edge
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome

DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), "
    "('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def make(nodes: int = 4, shape: tuple[int, ...] = (1, 8, 8)) -> CellSpace:
    return CellSpace(CellConfig(nodes=nodes), DataShape(shape, 10))


SPACE = make()


def two_on_one_edge(space: CellSpace) -> Genome:
    """Node 0 reads the same input twice, through two operations, as cells of the NASNet space do."""
    cells = {name: space.cell(space.sample(random.Random(1)), name) for name in CELLS}
    cells["normal"] = [
        ("c_{k-1}", "0", "sep_conv_3x3"), ("c_{k-1}", "0", "max_pool_3x3"), *(edge for edge in cells["normal"] if edge[1] != "0"),
    ]
    return space.genome(cells)


def relabelled(space: CellSpace, genome: Genome, rng: random.Random) -> Genome:
    """The same cells with their intermediate nodes computed in another admissible order."""
    cells: dict[str, list[Edge]] = {}
    for name in CELLS:
        edges = space.cell(genome, name)
        waiting = list(space.node_names)
        rng.shuffle(waiting)
        names = {"c_{k-2}": "c_{k-2}", "c_{k-1}": "c_{k-1}"}
        while waiting:
            ready = next(node for node in waiting if all(source in names for source, target, _ in edges if target == node))
            names[ready] = str(len(names) - 2)
            waiting.remove(ready)
        cells[name] = [(names[source], names[target], operation) for source, target, operation in edges]
    return space.genome(cells)


def test_samples_are_darts_genotypes() -> None:
    rng = random.Random(0)
    seen: Counter[str] = Counter()
    for _ in range(300):
        genome = SPACE.sample(rng)
        for name in CELLS:
            for node in SPACE.node_names:
                edges = [edge for edge in SPACE.cell(genome, name) if edge[1] == node]
                assert len({source for source, _, _ in edges}) == 2
                seen.update(operation for _, _, operation in edges)
    assert set(seen) == set(OPERATIONS)
    assert max(seen.values()) < 1.2 * min(seen.values())
    assert [SPACE.sample(random.Random(7)) == SPACE.sample(random.Random(seed)) for seed in (7, 8)] == [True, False]


def test_a_mutation_changes_one_thing_and_both_kinds_occur_equally() -> None:
    rng = random.Random(0)
    kinds: Counter[str] = Counter()
    genome = SPACE.sample(rng)
    for _ in range(1000):
        child, kind = SPACE.mutate(genome, rng)
        before = {(name, *edge) for name in CELLS for edge in SPACE.cell(genome, name)}
        after = {(name, *edge) for name in CELLS for edge in SPACE.cell(child, name)}
        (old,), (new,) = before - after, after - before
        assert old[0] == new[0] and old[2] == new[2], "another cell or another node"
        if kind == "hidden_state_mutation":
            assert old[1] != new[1] and old[3] == new[3]
        else:
            assert kind == "operation_mutation" and old[1] == new[1] and old[3] != new[3]
        kinds[kind] += 1
        genome = child
    assert 400 < kinds["hidden_state_mutation"] < 600


def test_mutations_reach_every_wiring_that_samples_have() -> None:
    """The smallest cells with a choice of source: node 1 has three pairs of sources in each cell."""
    space = make(nodes=2)
    rng = random.Random(0)

    def wiring(genome: Genome) -> tuple[tuple[str, str], ...]:
        return tuple((source, target) for name in CELLS for source, target, _ in space.cell(genome, name))

    sampled = {wiring(space.sample(rng)) for _ in range(300)}
    genome, walked = space.sample(rng), set()
    for _ in range(1000):
        genome, _ = space.mutate(genome, rng)
        walked.add(wiring(genome))
    assert walked == sampled and len(sampled) == 9


def test_crossover_takes_each_node_from_one_parent() -> None:
    rng = random.Random(3)
    first, second = SPACE.sample(rng), SPACE.sample(rng)
    donors: Counter[int] = Counter()
    for _ in range(100):
        child = SPACE.crossover(first, second, rng)
        for name in CELLS:
            for node in SPACE.node_names:
                parts = [[edge for edge in SPACE.cell(genome, name) if edge[1] == node] for genome in (child, first, second)]
                assert parts[0] in parts[1:]
                donors[parts[1:].index(parts[0])] += 1
    assert 300 < donors[0] < 500


def test_enumeration_is_complete_and_without_repeats() -> None:
    space = make(nodes=1)
    genomes = list(space.enumerate())
    assert len(genomes) == len(set(genomes)) == space.size() == 49**2
    assert make(nodes=2).size() == (1 * 3 * 7**4) ** 2 and SPACE.size() == (1 * 3 * 6 * 10 * 7**8) ** 2
    assert len(list(itertools.islice(SPACE.enumerate(), 50))) == 50


def test_vectors_and_one_hot_weights_lead_back() -> None:
    rng = random.Random(0)
    for genome in [two_on_one_edge(SPACE), *(SPACE.sample(rng) for _ in range(100))]:
        vector = SPACE.encode(genome)
        assert len(vector) == 2 * 14 * 7 and sum(vector) == 16
        assert SPACE.decode(vector) == genome
    assert SPACE.derive(SPACE.one_hot(genome)) == genome
    assert SPACE.decode(np.random.default_rng(0).random(196).tolist())
    with pytest.raises(BadInput, match="196 numbers"):
        SPACE.decode([0.0])


def test_none_never_wins_an_edge_nor_a_place() -> None:
    """Gradient specification A4: `none` carries the largest weight, and on some edges all of it."""
    weights = {name: np.full((14, 8), 0.01) for name in CELLS}
    edges = list(SPACE.edges)
    for table in weights.values():
        table[:, 0] = 0.9
        for source, column in (("c_{k-1}", 4), ("1", 6)):
            table[edges.index((source, "3")), column] = 0.05
        table[edges.index(("0", "3")), 0] = 1.0
    genome = SPACE.derive(weights)
    for name in CELLS:
        last = [edge for edge in SPACE.cell(genome, name) if edge[1] == "3"]
        assert last == [("c_{k-1}", "3", "sep_conv_3x3"), ("1", "3", "dil_conv_3x3")]
    with pytest.raises(BadInput, match="shape"):
        SPACE.derive({name: np.zeros((14, 7)) for name in CELLS})


def test_hash_equality_is_isomorphism_of_normal_forms_on_2000_pairs() -> None:
    rng = random.Random(11)
    equal = different_content = 0
    for number in range(2000):
        genome = SPACE.sample(rng)
        if number % 2:
            other = SPACE.mutate(genome, rng)[0]
        else:
            other = relabelled(SPACE, genome, rng)
            assert SPACE.hash(other) == SPACE.hash(genome)
            different_content += other != genome
        isomorphic = graphs.isomorphic(SPACE.normal_graph(genome), SPACE.normal_graph(other))
        assert (SPACE.hash(genome) == SPACE.hash(other)) == isomorphic
        equal += isomorphic
    assert different_content > 300, "too few of the copies are written differently to test anything"
    assert 1000 <= equal < 1100


def test_normal_and_reduction_cells_are_not_interchangeable() -> None:
    genome = SPACE.sample(random.Random(0))
    swapped = SPACE.genome({"normal": SPACE.cell(genome, "reduction"), "reduction": SPACE.cell(genome, "normal")})
    assert SPACE.hash(genome) != SPACE.hash(swapped)


def test_two_operations_on_one_edge_round_trip() -> None:
    genome = two_on_one_edge(SPACE)
    graph = SPACE.to_graph(genome)
    assert set(graph["normal:c_{k-1}"]["normal:0"]) == {"sep_conv_3x3", "max_pool_3x3"}
    text = json.dumps(graphs.to_node_link(graph).model_dump())
    assert SPACE.from_graph(graphs.from_node_link(GraphData.model_validate_json(text))) == genome
    assert SPACE.from_string(SPACE.to_string(genome)) == genome
    assert Genome.from_json(json.loads(json.dumps(genome.to_json()))) == genome
    child, _ = SPACE.mutate(genome, random.Random(0))
    SPACE.validate(child)


def test_genotypes_are_read_and_written() -> None:
    genome = SPACE.from_string(DARTS_V2)
    assert ("0", "3", "dil_conv_3x3") in SPACE.cell(genome, "normal")
    assert SPACE.from_string(SPACE.to_string(genome)) == genome
    names = {"range": range, "Genotype": lambda **fields: fields}
    fields = eval(SPACE.to_string(genome), {"__builtins__": {}}, names)
    assert list(fields["reduce_concat"]) == [2, 3, 4, 5] and len(fields["normal"]) == 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a Genotype"),
        ("__import__('os').system('true')", "must have the form"),
        (DARTS_V2.replace("('sep_conv_3x3', 0)", "print('sep_conv_3x3')", 1), "only lists"),
        (DARTS_V2.replace("'dil_conv_3x3', 2", "'dil_conv_3x3', 5"), "cannot read state 5"),
        (DARTS_V2.replace("dil_conv_3x3", "nor_conv_3x3"), "no operation 'nor_conv_3x3'"),
        (DARTS_V2.replace("normal_concat=[2, 3, 4, 5]", "normal_concat=[3, 4, 5]"), "normal_concat"),
        (DARTS_V2.replace("normal_concat=[2, 3, 4, 5]", "normal_concat=range(10**9)"), "only lists"),
        (DARTS_V2.replace("('max_pool_3x3', 0), ", "", 1), "7 pairs"),
        (DARTS_V2.replace("('sep_conv_3x3', 0), ('sep_conv_3x3', 1)", "('sep_conv_3x3', 0), ('sep_conv_3x3', 0)", 1), "twice"),
    ],
)
def test_bad_genotypes_are_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        SPACE.from_string(text)
    assert caught.value.field == "genome"


def test_bad_contents_are_refused() -> None:
    good = SPACE.sample(random.Random(0))
    edges = good.content["normal"]["edges"]
    for changed, message in (
        ({}, "exactly the parts"),
        ({**good.content, "normal": {"edges": edges[:-1]}}, "1 incoming operations"),
        ({**good.content, "normal": {"edges": "many"}}, "needs 'edges'"),
        ({**good.content, "normal": {"edges": [*edges[:-1], ["3", "3", "skip_connect"]]}}, "cannot read '3'"),
        ({**good.content, "normal": {"edges": [*edges[:-1], ["0", "9", "skip_connect"]]}}, "no node '9'"),
        ({**good.content, "normal": {"edges": [*edges[:-1], ["0", "3", "none"]]}}, "no operation 'none'"),
    ):
        with pytest.raises(BadInput, match=message):
            SPACE.validate(Genome("cell", changed))
    with pytest.raises(BadInput, match="nb201"):
        SPACE.validate(Genome("nb201", good.content))


def test_bad_graphs_are_refused() -> None:
    genome = SPACE.sample(random.Random(0))
    cyclic = SPACE.to_graph(genome)
    cyclic.add_edge("normal:3", "normal:0", key="skip_connect", operation="skip_connect")
    with pytest.raises(BadInput):
        SPACE.from_graph(cyclic)
    crossed = SPACE.to_graph(genome)
    crossed.add_edge("normal:0", "reduction:1", key="skip_connect", operation="skip_connect")
    with pytest.raises(BadInput, match="not inside one cell"):
        SPACE.from_graph(crossed)


def test_pictures_stand_on_the_family_layout() -> None:
    for nodes in range(1, 7):
        space = make(nodes)
        groups = space.family()
        drawings = space.drawings(space.sample(random.Random(0)))
        assert [group.name for group in groups] == list(drawings) == ["normal", "reduction"]
        for group in groups:
            assert set(group.layout) == {node.id for node in group.nodes}
            assert len(set(group.layout.values())) == len(group.layout)
            assert all(0 <= value <= 1 for place in group.layout.values() for value in place)
            graphs.validate(graphs.family_graph(group))
            drawn = drawings[group.name]
            assert {node.id for node in drawn.nodes} == set(group.layout)
            assert {(edge.source, edge.target) for edge in drawn.edges if edge.operation} <= set(group.edges)
            assert nx.is_directed_acyclic_graph(graphs.from_node_link(drawn))
    assert len(SPACE.family()[0].edges) == 14 and len(SPACE.family()[0].operations) == 8


def test_what_is_not_an_image_of_useful_size_is_refused() -> None:
    for shape in ((64,), (1, 3, 8)):
        with pytest.raises(BadInput) as caught:
            make(shape=shape)
        assert caught.value.field == "dataset"


def test_the_space_describes_itself_without_torch() -> None:
    script = (
        "import random, sys; import search_engine.spaces.cell as c; from search_engine.spaces.base import DataShape;"
        "s = c.CellSpace(c.CellConfig(), DataShape((1, 8, 8), 10)); s.family(); g = s.sample(random.Random(0)); s.hash(g); s.drawings(g);"
        "import search_engine.spaces.nb201, search_engine.primitives.names; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_it_is_registered_with_what_it_offers() -> None:
    entry = registry.space("cell")
    assert entry.offers == CellSpace.offers and "supernet" in entry.offers and entry.space is CellSpace
