"""The colony's rules exactly: both pheromone updates, the choice of an ant, its walk, and which network it inherits from."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from search_engine.algorithms.deepswarm.pheromone import Pheromone, Walk, towards
from search_engine.algorithms.deepswarm.prefixes import PrefixRegistry
from search_engine.algorithms.deepswarm.report import colony_frame, path_entropy
from search_engine.algorithms.deepswarm.walking import proportional, uniform, walk
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.node_chain import NodeChainConfig, NodeChainSpace
from search_engine.spaces.node_table import Node

CONV, WIDE, FLATTEN = Node("conv", (8, 3)), Node("conv", (32, 5)), Node("flatten")


def space(side: int = 8, **options: Any) -> NodeChainSpace:
    return NodeChainSpace(NodeChainConfig(**options), DataShape((1, side, side), 10))


def trails(initial: float = 0.1, local: float = 0.1, glob: float = 0.1) -> Pheromone:
    names = {kind: list(attributes) for kind, attributes in space().table.attributes.items()}
    return Pheromone(initial, local, glob, names)


# ---- pheromone


def test_the_published_unit_vectors() -> None:
    """The authors' own tests: tau 11.23, tau0 = rate = 0.1, score 13.79."""
    pheromone, path = trails(), Walk((CONV,), 1)
    pheromone.steps[0, "input", "conv"] = 11.23
    pheromone.local_update(path)
    assert pheromone.steps[0, "input", "conv"] == pytest.approx(10.117)
    pheromone.steps[0, "input", "conv"] = 11.23
    pheromone.global_update(path, 13.79)
    assert pheromone.steps[0, "input", "conv"] == pytest.approx(11.486)
    assert towards(11.23, 0.1, 0.1) == pytest.approx(10.117)


def test_an_update_reaches_the_steps_and_the_values_that_the_ant_chose_and_no_others() -> None:
    pheromone = trails()
    ended = Walk((WIDE, FLATTEN), 2, ended=True)
    pheromone.of_step((0, "input", "conv"))
    pheromone.of_choice((1, "conv", "filters", 8))
    pheromone.of_choice((1, "conv", "filters", 32))
    pheromone.global_update(ended, 1.0)
    raised = pytest.approx(0.19)
    assert pheromone.steps == {(0, "input", "conv"): raised, (1, "conv", "flatten"): raised, (2, "flatten", "output"): raised}
    assert pheromone.choices == {
        (1, "conv", "filters", 8): 0.1, (1, "conv", "filters", 32): raised, (1, "conv", "kernel", 5): raised,
    }


def test_what_completes_a_walk_gets_no_pheromone_also_where_the_graph_has_those_steps() -> None:
    pheromone = trails()
    pheromone.of_step((1, "conv", "flatten"))
    pheromone.global_update(Walk((CONV, FLATTEN), chosen=1), 1.0)
    assert pheromone.steps == {(0, "input", "conv"): pytest.approx(0.19), (1, "conv", "flatten"): 0.1}


def test_the_graph_grows_where_ants_stood() -> None:
    family, pheromone = space(), trails()
    walk(family, pheromone, 1, uniform(random.Random(0)))
    assert set(pheromone.steps) == {(0, "input", "conv")}
    assert {choice[:3] for choice in pheromone.choices} == {(1, "conv", "filters"), (1, "conv", "kernel")}
    walk(family, pheromone, 2, uniform(random.Random(0)))
    assert {step for step in pheromone.steps if step[0] == 1} == {(1, "conv", name) for name in family.table.heuristics["conv"]}


def test_trails_survive_their_state() -> None:
    pheromone, copy = trails(), trails()
    for seed in range(5):
        pheromone.local_update(walk(space(), pheromone, 4, proportional(0.5, random.Random(seed))))
    copy.load_state_dict(pheromone.state_dict())
    assert (copy.steps, copy.choices) == (pheromone.steps, pheromone.choices)


# ---- the ant's choice


def test_greedy_ants_take_the_largest_weight_with_ties_at_random() -> None:
    choose = proportional(1.0, random.Random(0))
    counts = Counter(choose([0.1, 0.7, 0.7, 0.2]) for _ in range(400))
    assert set(counts) == {1, 2} and 150 < counts[1] < 250


def test_ants_that_are_not_greedy_draw_in_proportion() -> None:
    choose = proportional(0.0, random.Random(0))
    counts = Counter(choose([1.0, 3.0, 0.0]) for _ in range(4000))
    assert counts[2] == 0 and counts[1] / 4000 == pytest.approx(0.75, abs=0.03)


def test_greediness_is_the_share_of_greedy_choices() -> None:
    """Weights 1 and 3: the larger is taken with probability q0 + (1 - q0) 3/4."""
    choose = proportional(0.5, random.Random(1))
    assert Counter(choose([1.0, 3.0]) for _ in range(4000))[1] / 4000 == pytest.approx(0.875, abs=0.02)


def test_a_step_is_weighed_by_pheromone_times_heuristic() -> None:
    """After a convolution pooling and normalisation have eta 1.2; eleven times the pheromone on a flatten (eta 1) beats both."""
    family, greedy = space(kernels=(3,), filters=(8,)), proportional(1.0, random.Random(0))
    assert {walk(family, trails(), 2, greedy).types[2] for _ in range(30)} == {"pool", "batch_norm"}
    pheromone = trails()
    pheromone.steps[1, "conv", "flatten"] = 1.1
    assert {walk(family, pheromone, 2, greedy).types[2] for _ in range(30)} == {"flatten"}


def test_attributes_are_chosen_by_their_pheromone_in_their_column() -> None:
    family, greedy, pheromone = space(), proportional(1.0, random.Random(0)), trails()
    pheromone.choices[1, "conv", "filters", 32] = 0.2
    pheromone.choices[2, "conv", "filters", 16] = 0.2
    pheromone.steps[1, "conv", "conv"] = 9.0
    walks = [walk(family, pheromone, 2, greedy) for _ in range(20)]
    assert {tuple(node.values[0] for node in item.nodes[:2]) for item in walks} == {(32, 16)}


def test_a_walk_is_as_deep_as_allowed_and_completed() -> None:
    family = space(side=28)
    for depth in (1, 3, 7):
        for seed in range(30):
            path = walk(family, trails(), depth, proportional(0.5, random.Random(seed)))
            family.validate(family.genome(path.nodes))
            assert path.chosen + path.ended <= depth
            assert path.ended or path.chosen == depth
            assert len(path.nodes) == path.chosen + family.places(path.nodes[: path.chosen])[-1].spatial
            assert len(list(path.steps())) == path.chosen + path.ended


def test_ants_never_pool_a_single_pixel() -> None:
    """On 2 x 2 pictures with a trail that pulls every ant into poolings."""
    family, pheromone = space(side=2), trails()
    for column in range(12):
        for source in ("conv", "batch_norm"):
            pheromone.steps[column, source, "pool"] = 1e6
    paths = [walk(family, pheromone, 8, proportional(0.5, random.Random(seed))) for seed in range(50)]
    assert {path.types.count("pool") for path in paths} == {1}


# ---- inheritance


def registry(patience: int = 1, most: int = 10, most_bytes: int = 10**9) -> PrefixRegistry:
    return PrefixRegistry(patience, most, most_bytes)


def chain(text: str) -> tuple[Node, ...]:
    return tuple(Node(name, (1,)) if name.isupper() else Node(name) for name in text.split())


def test_the_longest_common_beginning_wins_over_the_better_network() -> None:
    prefixes = registry()
    prefixes.add(0, chain("A B f"), 0.5, 1)
    prefixes.add(1, chain("A f"), 0.9, 1)
    assert prefixes.longest(chain("A B C f")) == (0, 2)
    assert prefixes.longest(chain("A D f")) == (1, 1)
    assert prefixes.longest(chain("A f D")) == (1, 2)
    assert prefixes.longest(chain("B f")) is None


def test_an_equal_chain_gives_everything_the_output_included() -> None:
    prefixes = registry()
    prefixes.add(4, chain("A f"), 0.5, 1)
    assert prefixes.longest(chain("A f")) == (4, 3)


def test_attribute_values_are_part_of_the_beginning() -> None:
    prefixes = registry()
    prefixes.add(0, (CONV, FLATTEN), 0.5, 1)
    assert prefixes.longest((WIDE, FLATTEN)) is None


def test_of_equally_long_beginnings_the_best_network_gives() -> None:
    prefixes = registry()
    for trial, value in enumerate((0.5, 0.8, 0.8, 0.6)):
        prefixes.add(trial, chain("A f"), value, 1)
    assert prefixes.longest(chain("A B")) == (2, 1)


def test_a_parent_without_better_children_is_given_up_after_its_patience() -> None:
    prefixes = registry(patience=2)
    prefixes.add(0, chain("A B f"), 0.5, 1)
    prefixes.add(1, chain("A f"), 0.4, 1)
    prefixes.reused(0, 0.50005)
    assert prefixes.longest(chain("A B C")) == (0, 2)
    prefixes.reused(0, None)
    assert prefixes.forgotten() == [0] and prefixes.forgotten() == []
    assert prefixes.longest(chain("A B C")) == (1, 1)
    prefixes.reused(0, 0.9)


def test_a_better_child_makes_a_parent_patient_again() -> None:
    prefixes = registry(patience=2)
    prefixes.add(0, chain("A f"), 0.5, 1)
    for value in (0.4, 0.6, 0.4):
        prefixes.reused(0, value)
    assert prefixes.longest(chain("A B")) == (0, 1)


def test_the_least_recently_used_networks_go_beyond_the_bounds() -> None:
    prefixes = registry(most=2)
    prefixes.add(0, chain("A f"), 0.5, 1)
    prefixes.add(1, chain("B f"), 0.5, 1)
    prefixes.longest(chain("A C"))
    prefixes.add(2, chain("D f"), 0.5, 1)
    assert prefixes.forgotten() == [1] and prefixes.longest(chain("B f")) is None
    heavy = registry(most_bytes=10)
    heavy.add(0, chain("A f"), 0.5, 6)
    heavy.add(1, chain("B f"), 0.5, 6)
    assert heavy.forgotten() == [0]
    heavy.add(2, chain("C f"), 0.5, 60)
    assert heavy.forgotten() == [1] and heavy.longest(chain("C f")) == (2, 3)


def test_the_registry_survives_its_state() -> None:
    prefixes, copy = registry(most=3), registry(most=3)
    for trial in range(4):
        prefixes.add(trial, chain("A B f") if trial % 2 else chain("A f"), trial / 10, 1)
    prefixes.longest(chain("A"))
    prefixes.reused(1, 0.0)
    copy.load_state_dict(prefixes.state_dict())
    assert copy.state_dict() == prefixes.state_dict()
    for each in (prefixes, copy):
        each.add(9, chain("Z f"), 0.1, 1)
        each.add(10, chain("Y f"), 0.1, 1)
    assert copy.forgotten() == prefixes.forgotten() == [0, 1, 2]
    assert copy.longest(chain("A B")) == prefixes.longest(chain("A B")) == (3, 2)


# ---- the picture


def test_the_frame_normalises_per_source_and_names_columns() -> None:
    family, pheromone = space(), trails()
    path = walk(family, pheromone, 3, proportional(0.5, random.Random(0)))
    pheromone.global_update(path, 0.9)
    frame = colony_frame(7, 3, pheromone, family.table, [], path, {"mean": 0.5})
    totals: Counter[tuple[int, str]] = Counter()
    for edge in frame.edges:
        totals[edge.depth, edge.source] += edge.probability
        assert edge.heuristic == family.table.heuristics[edge.source][edge.target]
    assert all(total == pytest.approx(1) for total in totals.values())
    on_path = [edge for edge in frame.edges if (edge.depth, edge.source, edge.target) in set(path.steps())]
    assert len(on_path) == 3 and all(edge.pheromone == pytest.approx(0.18) for edge in on_path)
    assert frame.attributes["1/conv/filters"].keys() == {"8", "16", "32"}
    assert all(sum(row.values()) == pytest.approx(1) for row in frame.attributes.values())
    assert frame.best == path.types and frame.values["mean"] == 0.5 and frame.values["pheromone_max"] == pytest.approx(0.18)


def test_path_entropy_is_that_of_the_node_types() -> None:
    same, other = Walk((CONV, FLATTEN), 1), Walk((CONV, Node("batch_norm"), FLATTEN), 2)
    assert path_entropy([same, Walk((WIDE, FLATTEN), 1)]) == 0
    assert path_entropy([same, same, other, other]) == pytest.approx(1)
