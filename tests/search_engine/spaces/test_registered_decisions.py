"""Spaces as decision lists: every registered space that offers decisions, then what is special in the cells'."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.spaces.cell import CellConfig, CellSpace
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.decision_infos import declare
from search_engine.spaces.nb201 import EDGES, NB201Config, NB201Space

SHAPES = {
    "image": DataShape((1, 28, 28), 10), "vector": DataShape((13,), 3), "series": DataShape((3, 30), 4), "none": DataShape((), 0),
}


def small_cell(nodes: int) -> CellSpace:
    return CellSpace(CellConfig(nodes=nodes), SHAPES["image"])


def test_a_space_without_decisions_says_so() -> None:
    entry = registry.space("neuron_graph")
    with pytest.raises(BadInput, match="does not offer 'decisions'"):
        declare(entry.space(entry.config(), SHAPES["image"]))


# ---- NAS-Bench-201


def test_six_decisions_name_the_edges_of_the_family() -> None:
    one = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))
    infos, (group,) = declare(one).decisions, one.family()
    assert one.decisions.size == one.size() == 15_625
    assert [(item.group, group.edges[item.edge]) for item in infos] == [("cell", (str(a), str(b))) for a, b in EDGES]  # type: ignore[index]
    assert all(item.choices == group.operations for item in infos)
    genome = one.from_string("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|")
    assert one.choices_of(genome) == (3, 0, 1, 4, 2, 0)
    with pytest.raises(BadInput, match="6 decisions, not 5"):
        one.genome_of((0, 0, 0, 0, 0))


def test_nb201_choices_are_drawn_evenly() -> None:
    one, rng = NB201Space(NB201Config(), DataShape((3, 32, 32), 10)), random.Random(0)
    counts = Counter((place, choice) for _ in range(3000) for place, choice in enumerate(one.decisions.sample(rng)))
    # 600 of each expected, standard deviation 22.
    assert len(counts) == 30 and all(abs(count - 600) < 5 * 22 for count in counts.values())


# ---- DARTS cells


def test_cell_decisions_count_every_genotype_once() -> None:
    for nodes in (1, 2, 4, 6):
        assert small_cell(nodes).decisions.size == small_cell(nodes).size()
    one = small_cell(1)
    listed = {one.genome_of(one.decisions.unrank(index)) for index in range(one.decisions.size)}
    assert listed == set(one.enumerate()) and len(listed) == 49**2


def test_a_node_picks_a_pair_of_inputs_then_two_operations() -> None:
    one = small_cell(3)
    names = [decision.key for decision in one.decisions[:6]]
    assert names == [f"normal:{node}:{what}" for node in (0, 1) for what in ("inputs", "operation0", "operation1")]
    assert one.decisions[9].key == "reduction:0:inputs"
    pairs = one.decisions[6]
    assert pairs.kind == "inputs_of_4" and len(pairs.choices) == 6
    assert pairs.choices[-1] == "0 + 1" and pairs.selects[-1] == ("normal:0", "normal:1")
    assert [decision.anchor for decision in one.decisions[:6]] == [None, None, "normal:0", None, None, "normal:1"]
    # The other cell has inputs and nodes of its own.
    assert one.decisions[12].selects == (
        ("reduction:c_{k-2}", "reduction:c_{k-1}"), ("reduction:c_{k-2}", "reduction:0"), ("reduction:c_{k-1}", "reduction:0"),
    )


def test_the_operations_go_to_the_earlier_and_the_later_input() -> None:
    one = small_cell(2)
    operations = one.decisions[1].choices
    earlier, later = operations.index("sep_conv_3x3"), operations.index("skip_connect")
    genome = one.genome_of((0, 0, 0, 1, earlier, later, 0, 0, 0, 0, 0, 0))
    assert one.cell(genome, "normal")[2:] == [("c_{k-2}", "1", "sep_conv_3x3"), ("0", "1", "skip_connect")]


def test_two_operations_on_one_edge_are_no_choice_list() -> None:
    one = small_cell(1)
    pair = [("c_{k-1}", "0", "skip_connect"), ("c_{k-1}", "0", "sep_conv_3x3")]
    genome = one.genome({"normal": pair, "reduction": pair})
    with pytest.raises(BadInput, match="node 0 of the normal cell reads"):
        one.choices_of(genome)
