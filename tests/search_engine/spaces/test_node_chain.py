"""Chains of layers: masks, moves, texts, counts, and that the network is what the genome says."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import pytest
import torch

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.catalogue.config import parse
from search_engine.spaces import graphs
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.node_chain import NodeChainConfig, NodeChainSpace
from search_engine.spaces.node_table import HEURISTICS, Node, Place
from search_engine.supernets.node_chain_network import build
from search_engine.training.footprint import parameters
from tests.search_engine.bundle.test_source import assert_same

DIGITS, FASHION = DataShape((1, 8, 8), 10), DataShape((1, 28, 28), 10)


def make(shape: DataShape = DIGITS, **options: Any) -> NodeChainSpace:
    return NodeChainSpace(NodeChainConfig(**options), shape)


def chain(text: str, space: NodeChainSpace | None = None) -> Genome:
    return (space or make()).from_string(text)


def network(space: NodeChainSpace, genome: Genome, stage: Any = "trial", **training: Any) -> torch.nn.Module:
    return build(space, genome, stage, TrainingConfig(**training))


# ---- masks


def test_a_map_of_one_pixel_is_not_pooled() -> None:
    space = make()
    shrunk = "conv(8,3)-pool(max,2)-pool"
    assert "pool" in space.table.moves(Place("conv", (8, 2, 2)))
    assert "pool" not in space.table.moves(Place("conv", (8, 1, 1)))
    assert "pool" not in space.table.moves(Place("conv", (8, 1, 5)))
    with pytest.raises(BadInput, match="no node of this space"):
        chain(shrunk)
    with pytest.raises(BadInput, match="node 7, pool"):
        chain("-".join(["conv(8,1)-pool(max,2)"] * 3) + "-pool(avg,2)-flatten")


@pytest.mark.parametrize(("side", "kernels"), [(1, (1,)), (2, (1, 3)), (3, (1, 3, 5)), (28, (1, 3, 5))])
def test_a_kernel_that_sees_only_padding_at_its_rim_is_not_offered(side: int, kernels: tuple[int, ...]) -> None:
    assert make().table.values(Place("input", (1, side, side)), "conv")["kernel"] == kernels


@pytest.mark.parametrize(("side", "strides"), [(2, (2,)), (3, (2,)), (4, (2, 3)), (28, (2, 3))])
def test_of_two_strides_with_the_same_single_window_the_smaller_is_offered(side: int, strides: tuple[int, ...]) -> None:
    assert make().table.values(Place("conv", (8, side, side)), "pool")["stride"] == strides


@pytest.mark.parametrize("side", [2, 3, 4, 5, 8, 28])
def test_different_poolings_compute_different_functions(side: int) -> None:
    """What the masks are for: no two legal variants agree on all inputs."""
    space, place = make(), Place("conv", (8, side, side))
    x = torch.randn(2, *place.shape, generator=torch.Generator().manual_seed(0))
    results = []
    for node in space.table.variants(place, "pool"):
        pooling = torch.nn.MaxPool2d if node.values[0] == "max" else torch.nn.AvgPool2d
        results.append(pooling(2, stride=int(node.values[1]))(x))
        assert tuple(results[-1].shape[1:]) == space.table.after(place, node).shape
    for a, b in itertools.combinations(results, 2):
        assert a.shape != b.shape or not torch.equal(a, b)


def test_a_stopped_walk_is_completed() -> None:
    space = make()
    conv = Node("conv", (8, 3))
    assert space.completed([conv]) == (conv, Node("flatten"))
    assert space.completed([conv, Node("flatten")]) == (conv, Node("flatten"))


def test_the_published_table_is_declared() -> None:
    assert HEURISTICS["conv"] == {"conv": 0.8, "pool": 1.2, "flatten": 1.0, "dropout": 1.1, "batch_norm": 1.2}
    assert HEURISTICS["flatten"] == {"dense": 1.0, "output": 0.8, "batch_norm_flat": 0.9}
    assert HEURISTICS["input"] == {"conv": 1.0}


# ---- options


def test_a_row_of_the_table_can_be_replaced_and_a_step_forbidden() -> None:
    space = make(heuristics={"conv": {"conv": 2.0, "flatten": 0.5, "pool": 0}})
    assert space.table.moves(Place("conv", (8, 8, 8))) == {"conv": 2.0, "flatten": 0.5}
    assert {node.type for seed in range(50) for node in space.nodes_of(space.sample(random.Random(seed)))} & {"pool", "batch_norm"} == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heuristics": {"conv": {"convolution": 1}}}, "there is no node type 'convolution'"),
        ({"heuristics": {"dense": {"conv": 1}}}, "'conv' cannot follow 'dense'"),
        ({"heuristics": {"input": {"conv": 0}}}, "follow the input"),
        ({"filters": [8, 8]}, "filters names a choice twice"),
        ({"kernels": [2]}, "kernels"),
        ({"dropout_rates": [1.0]}, "dropout_rates"),
    ],
)
def test_bad_options_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse("space_options", NodeChainConfig, options)


def test_vectors_are_refused() -> None:
    with pytest.raises(BadInput, match="needs images"):
        make(DataShape((13,), 3))


def test_a_dead_end_of_the_table_ends_the_walk() -> None:
    space = make(DataShape((1, 2, 2), 3), heuristics={"conv": {"pool": 1.0}, "pool": {"conv": 1.0}})
    texts = {space.to_string(space.sample(random.Random(seed))) for seed in range(40)}
    assert all(text.endswith("-flatten") and text.count("pool") == 1 for text in texts)


# ---- genomes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv(8,3)", "needs a flatten"),
        ("flatten", "may follow: conv"),
        ("conv(8,3)-flatten-conv(8,3)", "node 3, conv"),
        ("conv(8,3)-dropout(0.1)-dropout(0.1)-flatten", "node 3, dropout"),
        ("conv(7,3)-flatten", "no node of this space"),
        ("-".join(["conv(8,3)"] * 13) + "-flatten", "at most 12 nodes"),
    ],
)
def test_inadmissible_chains_are_refused_with_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        chain(text)


@pytest.mark.parametrize("content", [{}, {"nodes": 3}, {"nodes": [[]]}, {"nodes": [["conv", 8, True], ["flatten"]]}, {"nodes": [["x"]]}])
def test_malformed_content_is_refused(content: Any) -> None:
    with pytest.raises(BadInput):
        make().validate(Genome("node_chain", content))


def test_the_flatten_that_completes_is_not_counted() -> None:
    space = make(max_nodes=2)
    chain("conv(8,3)-conv(8,3)-flatten", space)
    with pytest.raises(BadInput, match="at most 2"):
        chain("conv(8,3)-conv(8,3)-flatten-dense(32,relu)", space)


@pytest.mark.parametrize("shape", [DIGITS, FASHION])
def test_samples_are_admissible_and_of_every_kind(shape: DataShape) -> None:
    space, rng = make(shape), random.Random(0)
    kinds: Counter[str] = Counter()
    for _ in range(300):
        genome = space.sample(rng)
        space.validate(genome)
        kinds.update(node.type for node in space.nodes_of(genome))
        assert space.from_string(space.to_string(genome)) == genome
    assert set(kinds) == {"conv", "pool", "batch_norm", "dropout", "flatten", "dense", "batch_norm_flat", "dropout_flat"}


def test_a_mutation_changes_one_thing_and_says_which() -> None:
    space, rng = make(), random.Random(1)
    operators: Counter[str] = Counter()
    genome = chain("conv(8,3)-pool(max,2)-batch_norm-flatten-dense(32,relu)")
    for _ in range(300):
        child, operator = space.mutate(genome, rng)
        before, after = space.nodes_of(genome), space.nodes_of(child)
        assert child != genome
        operators[operator] += 1
        if operator == "change_attribute":
            assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
            assert [node.type for node in before] == [node.type for node in after]
        elif operator == "change_type":
            [(old, new)] = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
            assert old.type != new.type
        else:
            longer, shorter = (after, before) if operator == "insert_node" else (before, after)
            assert any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))
        genome = child if rng.random() < 0.3 else genome
    assert set(operators) == {"insert_node", "remove_node", "change_type", "change_attribute"}


def test_crossover_joins_a_beginning_and_an_end() -> None:
    space, rng = make(), random.Random(2)
    for _ in range(60):
        first, second = space.sample(rng), space.sample(rng)
        ours, theirs, child = space.nodes_of(first), space.nodes_of(second), space.nodes_of(space.crossover(first, second, rng))
        assert any(child == ours[:cut] + theirs[other:] for cut in range(1, len(ours) + 1) for other in range(len(theirs) + 1))


def test_the_size_counts_every_chain_once() -> None:
    """Against brute force: all chains of at most three nodes on 2 x 2 pictures."""
    space = make(DataShape((1, 2, 2), 3), max_nodes=3, filters=(4, 8), kernels=(1, 3, 5), units=(6,), activations=("relu",))
    found = set()

    def extend(nodes: tuple[Node, ...]) -> None:
        if nodes:
            found.add(space.to_string(space.genome(space.completed(nodes))))
        place = space.places(nodes)[-1]
        if len(nodes) < 3:
            for kind in space.table.moves(place):
                if kind != "output":
                    for node in space.table.variants(place, kind):
                        extend((*nodes, node))

    extend(())
    assert space.size() == len(found) > 50
    assert make().size() > 10**9


def test_hashes_agree_with_isomorphism() -> None:
    space, rng = make(), random.Random(3)
    for _ in range(60):
        genome = space.sample(rng)
        other = space.mutate(genome, rng)[0] if rng.random() < 0.7 else space.from_string(space.to_string(genome))
        same = space.hash(genome) == space.hash(other)
        assert same == graphs.isomorphic(space.normal_graph(genome), space.normal_graph(other))
        assert same == (genome == other)


def test_the_graph_is_a_path_labelled_by_shapes() -> None:
    space = make()
    graph = space.to_graph(chain("conv(16,3)-pool(max,2)-flatten-dense(32,relu)"))
    graphs.validate(graph)
    assert [graph.nodes[name]["label"] for name in graph] == ["input", "16×8×8", "16×4×4", "256", "32", "output"]
    assert [key for _, _, key in graph.edges(keys=True)] == ["conv_3x3", "max_pool_2x2", "flatten", "dense", "linear"]
    assert graph.edges["input", "1", "conv_3x3"]["filters"] == 16


# ---- networks


@pytest.mark.parametrize("shape", [DIGITS, FASHION])
def test_networks_have_the_shapes_and_the_size_that_the_space_says(shape: DataShape) -> None:
    space, rng = make(shape), random.Random(4)
    for _ in range(40):
        genome = space.sample(rng)
        net = network(space, genome)
        x = torch.randn(3, *shape.input)
        for layer, place in zip(net.layers, space.places(space.nodes_of(genome))[1:], strict=True):
            x = layer(x)
            assert tuple(x.shape) == (3, *place.shape)
        assert net.head(x).shape == (3, 10)
        assert parameters(net) == space.parameters(genome)


def test_a_common_beginning_has_equal_names_and_shapes() -> None:
    space = make()
    endings = ("flatten", "conv(16,5)-batch_norm-flatten-dense(32,relu)")
    short, long = (network(space, chain(f"conv(8,3)-pool(avg,2)-{rest}")) for rest in endings)
    ours, theirs = short.state_dict(), long.state_dict()
    beginning = [name for name in ours if name.startswith(("layers.0.", "layers.1."))]
    assert beginning == ["layers.0.0.weight", "layers.0.0.bias"]
    assert all(ours[name].shape == theirs[name].shape for name in beginning)


def test_only_the_final_training_is_widened() -> None:
    space, genome = make(), chain("conv(16,3)-flatten")
    assert network(space, genome, "trial", channels=32).layers[0][0].out_channels == 16
    assert network(space, genome, "final", channels=32).layers[0][0].out_channels == 64
    assert network(space, genome, "final").layers[0][0].out_channels == 16


def test_every_layer_can_be_downloaded() -> None:
    """The written model.py computes what the network does, for a chain with every type of node."""
    space = make()
    text = (
        "conv(8,3)-dropout(0.1)-batch_norm-pool(max,2)-conv(8,1)-pool(avg,3)-flatten-dense(32,sigmoid)-dropout_flat(0.3)-batch_norm_flat-"
        "dense(32,relu)"
    )
    net = network(space, chain(text))
    with torch.no_grad():
        net.train()(torch.randn(8, 1, 8, 8))
    source = assert_same(net, (1, 8, 8))
    for layer in ("nn.Dropout(", "nn.BatchNorm1d(", "nn.BatchNorm2d(", "nn.Flatten()", "nn.AvgPool2d("):
        assert layer in source


def test_it_is_registered_for_every_trial_algorithm_that_samples() -> None:
    for name in ("random", "regularized_evolution"):
        assert "node_chain" in [entry.id for entry in registry.spaces_for(registry.algorithm(name))]
