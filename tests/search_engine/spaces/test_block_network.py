"""The fabric of blocks: nodes, genomes, hashes, and that prices, super-network and derived network agree."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.primitives.modules import SEARCH, TRAINED
from search_engine.spaces.block_network import BlockNetworkConfig, BlockNetworkSpace
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.graphs import isomorphic, validate
from search_engine.structures.constraints import CONSTRAINTS
from search_engine.supernets.block_network import BlockSupernet, build
from search_engine.training.footprint import footprint

SHAPE = DataShape((1, 8, 8), 10)
VARIANTS: list[dict[str, Any]] = [{}, {"shortcuts": False}, {"upsampling": True}, {"columns": 2, "scales": 3}, {"columns": 3, "scales": 1}]


def space_of(shape: DataShape = SHAPE, **options: Any) -> BlockNetworkSpace:
    return BlockNetworkSpace(BlockNetworkConfig(**options), shape)


def test_the_default_fabric() -> None:
    space = space_of()
    names = [space.node_name(place) for place in range(len(space.nodes))]
    assert names == ["0.0", "1.0", "1.1", "2.0", "2.1", "2.2", "3.1", "3.2", "4.2"]
    assert len(space.edges) == 12 and len(space.blocks) == 12 * 3 + sum(names[a][-1] == names[b][-1] for a, b in space.edges)
    assert [space.resolution(place) for place in (0, 2, 8)] == [(8, 8), (4, 4), (2, 2)]


def test_odd_images_are_halved_upwards() -> None:
    space = space_of(DataShape((3, 7, 9), 4))
    assert space.resolution(len(space.nodes) - 1) == (2, 3)
    network = build(space, space.sample(random.Random(0)), "final", TrainingConfig())
    assert network(torch.randn(2, 3, 7, 9)).shape == (2, 4)


@pytest.mark.parametrize("options", VARIANTS)
def test_every_node_lies_on_a_path_and_the_drawing_is_valid(options: dict[str, Any]) -> None:
    space = space_of(**options)
    everything = space.genome_of_blocks(range(len(space.blocks)))
    assert space.kept(everything) == list(range(len(space.blocks)))
    validate(space.to_graph(everything))
    (group,) = space.family()
    assert set(group.layout) == {node.id for node in group.nodes} and group.constraint == "cube_vertices"
    assert all(0 <= value <= 1 for place in group.layout.values() for value in place)


@pytest.mark.parametrize("options", VARIANTS)
def test_texts_and_contents_are_undone(options: dict[str, Any]) -> None:
    space, rng = space_of(**options), random.Random(1)
    for _ in range(20):
        genome = space.sample(rng)
        assert space.from_string(space.to_string(genome)) == genome
        assert space.genome_of_blocks(space.kept(genome)) == genome
        weights = space.as_family_weights(np.isin(np.arange(len(space.blocks)), space.kept(genome)).astype(float))
        assert space.derive(weights) == genome


def test_a_mutation_changes_the_network_and_keeps_a_path() -> None:
    space, rng = space_of(columns=2, scales=2), random.Random(2)
    genome, operators = space.sample(rng), set()
    for _ in range(60):
        child, operator = space.mutate(genome, rng)
        assert child.content != genome.content
        space.validate(child)
        operators.add(operator)
        genome = child
    assert operators == {"add_block", "remove_block"}


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([], "no path"),
        ([["0.0", "1.1", "nor_conv_3x3"]], "no path"),
        ([["0.0", "1.1", "sep_conv_3x3"]], "no block of this fabric"),
        ([["0.0", "2.2", "nor_conv_3x3"]], "no block of this fabric"),
        ([["0.0", "1.1", "skip_connect"]], "no block of this fabric"),
        ([["0.0", "1.1", "nor_conv_3x3"]] * 2, "twice"),
        ("none", "has the list"),
    ],
)
def test_what_is_no_genome_is_refused(blocks: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        space_of().validate(Genome("block_network", {"blocks": blocks}))
    assert caught.value.field == "genome"


def test_sizes_that_do_not_fit_are_refused_by_name() -> None:
    with pytest.raises(BadInput, match="at least 2") as caught:
        space_of(columns=1, scales=3)
    assert caught.value.field == "space_options.columns"
    with pytest.raises(BadInput) as caught:
        space_of(DataShape((13,), 3))
    assert caught.value.field == "dataset"
    with pytest.raises(BadInput, match="at least 16x16"):
        space_of(scales=5, columns=6)


def test_hashes_are_equal_exactly_for_equal_networks() -> None:
    """Where a shortcut stands in a chain means nothing; dead blocks mean nothing; everything else does."""
    space = space_of(columns=3, scales=2)
    early = space.from_string("0.0>1.1:nor_conv_3x3 1.1>2.1:skip_connect 2.1>3.1:skip_connect")
    late = space.from_string("0.0>1.0:skip_connect 1.0>2.0:skip_connect 2.0>3.1:nor_conv_3x3")
    other = space.from_string("0.0>1.0:skip_connect 1.0>2.0:skip_connect 2.0>3.1:nor_conv_5x5")
    longer = space.from_string("0.0>1.0:nor_conv_3x3 1.0>2.0:skip_connect 2.0>3.1:nor_conv_3x3")
    coarse = space.from_string("0.0>1.1:nor_conv_3x3 1.1>2.1:nor_conv_3x3 2.1>3.1:skip_connect")
    dead = Genome(space.id, {"blocks": [*early.content["blocks"], ["0.0", "1.0", "nor_conv_5x5"]]})
    assert space.hash(early) == space.hash(late) == space.hash(dead)
    assert len({space.hash(genome) for genome in (early, other, longer, coarse)}) == 4


def test_hash_equality_agrees_with_isomorphism() -> None:
    space, rng = space_of(columns=3, scales=2), random.Random(3)
    genomes = [space.genome_of_blocks(set(space.path([rng.random() for _ in space.blocks])) | {rng.randrange(len(space.blocks))})
               for _ in range(40)]
    equal = 0
    for first, second in itertools.pairwise(genomes):
        same = space.hash(first) == space.hash(second)
        equal += same
        assert same == isomorphic(space.normal_graph(first), space.normal_graph(second))
    pairs = [(a, b) for a in genomes[:12] for b in genomes[:12]]
    assert all((space.hash(a) == space.hash(b)) == isomorphic(space.normal_graph(a), space.normal_graph(b)) for a, b in pairs)


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("kind", ["parameters", "flops"])
def test_prices_are_those_of_the_network_that_is_built(options: dict[str, Any], kind: str) -> None:
    space, rng = space_of(**options), random.Random(4)
    prices = space.prices(kind)
    for _ in range(4):
        genome = space.sample(rng)
        size = footprint(build(space, genome, "final", TrainingConfig()), SHAPE.input)
        expected = prices.fixed + sum(prices.each[place] for place in space.kept(genome))
        assert expected == (size.parameters if kind == "parameters" else size.flops)


# ---- super-network and derived network


def twins(space: BlockNetworkSpace, genome: Genome) -> tuple[BlockSupernet, Any]:
    """A super-network built like a trained network, and the derived network with its weights."""
    supernet = BlockSupernet(space, TRAINED).eval()
    for module in supernet.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    network = build(space, genome, "final", TrainingConfig()).eval()
    network.stem.load_state_dict(supernet.stem.state_dict())
    network.classifier.load_state_dict(supernet.classifier.state_dict())
    for place, block in zip(space.kept(genome), network.blocks, strict=True):
        block.load_state_dict(supernet.blocks[place].state_dict())
    return supernet, network


@pytest.mark.parametrize("options", VARIANTS)
def test_the_super_network_at_a_vertex_is_the_derived_network(options: dict[str, Any]) -> None:
    space, rng = space_of(channels=4, **options), random.Random(5)
    torch.manual_seed(0)
    for _ in range(4):
        genome = space.sample(rng)
        supernet, network = twins(space, genome)
        gates = torch.zeros(3, len(space.blocks))
        gates[:, space.kept(genome)] = 1
        x = torch.randn(3, 1, 8, 8)
        assert torch.allclose(supernet(x, gates), network(x), atol=1e-6)


def test_every_example_has_gates_of_its_own() -> None:
    """A batch of different draws gives what each draw gives alone."""
    space = space_of(channels=4)
    supernet, _ = twins(space, space.sample(random.Random(6)))
    masks = np.random.default_rng(0).random((6, len(space.blocks))) < 0.5
    masks[5] = False
    gates = torch.from_numpy(space.live(masks)).float()
    x = torch.randn(6, 1, 8, 8)
    together = supernet(x, gates)
    for place in range(6):
        assert torch.allclose(together[place], supernet(x[place : place + 1], gates[place : place + 1])[0], atol=1e-5)


def test_without_a_path_the_classifier_gets_zeros() -> None:
    space = space_of(channels=4)
    supernet = BlockSupernet(space, SEARCH)
    logits = supernet(torch.randn(4, 1, 8, 8), torch.zeros(4, len(space.blocks)))
    assert torch.allclose(logits, supernet.classifier(torch.zeros(4, 4, 2, 2)))


@pytest.mark.parametrize("name", sorted(CONSTRAINTS))
def test_any_gates_of_the_four_sets_give_a_valid_model(name: str) -> None:
    space = space_of(channels=4)
    supernet = BlockSupernet(space, SEARCH)
    gates = CONSTRAINTS[name].sample(4, len(space.blocks), np.random.default_rng(0))
    logits = supernet(torch.randn(4, 1, 8, 8), torch.from_numpy(gates).float())
    assert logits.shape == (4, 10) and bool(torch.isfinite(logits).all())


def test_where_no_path_is_probable_the_most_probable_one_is_derived() -> None:
    space = space_of(columns=2, scales=2, shortcuts=False)
    values = np.full(len(space.blocks), 0.1)
    wanted = space.kept(space.from_string("0.0>1.1:nor_conv_5x5 1.1>2.1:nor_conv_1x1"))
    values[wanted] = 0.3
    values[next(place for place in range(len(space.blocks)) if space.blocks[place].source == 0)] = 0.9
    assert space.kept(space.derive(space.as_family_weights(values))) == wanted


def test_the_registry_offers_it_to_random_search_but_not_to_simplex_methods() -> None:
    entry = registry.space("block_network")
    assert entry in registry.spaces_for(registry.algorithm("random"))
    assert entry not in registry.spaces_for(registry.algorithm("darts"))
    assert [item.id for item in registry.spaces_for(registry.algorithm("budgeted_supernet"))] == ["block_network"]
