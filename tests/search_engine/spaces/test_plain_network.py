"""The plain network: its genomes of masks, their pictures, the masked layers, and what it is written down as."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.bundle.export import _rebuild
from search_engine.bundle.source import as_network, model_state, write_model
from search_engine.catalogue import registry
from search_engine.catalogue.config import check, parse
from search_engine.spaces import graphs
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.plain_masks import bits_of, digest_of, drawn_mask, mask_of_bits
from search_engine.spaces.plain_network import MOST_DRAWN, PlainNetworkConfig, PlainNetworkSpace
from search_engine.supernets.masked_layers import MaskedConv2d, MaskedLinear
from search_engine.supernets.plain_network import PlainNetwork, build

DIGITS, LARGE, VECTORS = DataShape((1, 8, 8), 10), DataShape((1, 28, 28), 10), DataShape((13,), 3)
KINDS = {
    "perceptron": (DIGITS, {}),
    "linear": (VECTORS, {"widths": []}),
    "cnn, linear": (DIGITS, {"network": "cnn", "channels": [4, 6], "widths": []}),
    "tanh": (VECTORS, {"widths": [8], "activation": "tanh"}),
    "cnn": (DIGITS, {"network": "cnn", "channels": [4, 6], "widths": [12]}),
    "cnn28": (LARGE, {"network": "cnn", "channels": [4, 6], "widths": [12], "batch_norm": True, "kernel": 5}),
}


def space(kind: str = "perceptron", **changes: Any) -> PlainNetworkSpace:
    shape, options = KINDS[kind]
    return PlainNetworkSpace(parse("space_options", PlainNetworkConfig, {**options, **changes}), shape)


def network(one: PlainNetworkSpace, genome: Genome, seed: int = 0) -> PlainNetwork:
    torch.manual_seed(seed)
    return build(one, genome, "trial", TrainingConfig())


# ---- the network


def test_the_default_is_lenet_300_100() -> None:
    one = space()
    assert [layer.shape for layer in one.layers] == [(300, 64), (100, 300), (10, 100)] and one.weights == 50_200
    assert [layer.name for layer in space("cnn").layers] == ["conv1", "conv2", "dense1", "output"]
    graph = space("cnn, linear").to_graph(space("cnn, linear").dense())
    assert list(graph) == ["input", "conv1", "conv2", "pooling", "classes"]
    assert [layer.shape for layer in space("cnn28").layers] == [(4, 1, 5, 5), (6, 4, 5, 5), (12, 6 * 14 * 14), (10, 12)]


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_network_computes_with_its_kept_weights_only(kind: str) -> None:
    one = space(kind)
    genome = one.sample(random.Random(3))
    net = network(one, genome).eval()
    inputs = torch.randn(5, *one.shape.input)
    before = net(inputs)
    assert before.shape == (5, one.shape.classes)
    masks = one.masks(genome)
    with torch.no_grad():
        for name, layer in net.masked.items():
            assert np.array_equal(layer.mask.numpy(), masks[name])
            layer.weight[~layer.mask] = 1e6
    assert torch.equal(net(inputs), before), "a removed weight still computes"
    net(inputs).sum().backward()
    for layer in net.masked.values():
        assert layer.weight.grad is not None
        assert (layer.weight.grad[~layer.mask] == 0).all() and (layer.weight.grad[layer.mask] != 0).any()


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_written_network_computes_the_same_bits_without_a_mask(kind: str) -> None:
    one = space(kind)
    net = network(one, one.sample(random.Random(1)))
    with torch.no_grad():
        for layer in net.masked.values():
            layer.bias.normal_()
        net(torch.randn(16, *one.shape.input))  # Statistics of the batch normalisation.
    net.eval()
    generator = torch.get_rng_state()
    plain = as_network(net)
    assert torch.equal(torch.get_rng_state(), generator), "writing a network must not draw from the search's generator"
    inputs = torch.randn(7, *one.shape.input)
    assert torch.equal(plain(inputs), net(inputs)) and not any(name.endswith("mask") for name in plain.state_dict())
    code = write_model(plain, one.shape.input, "x")
    assert "mask" not in code.split("import torch")[1]
    assert torch.equal(_rebuild(code, model_state(plain))(inputs), net(inputs))


def test_masked_layers_and_their_first_weights() -> None:
    torch.manual_seed(0)
    linear, conv = MaskedLinear(400, 200), MaskedConv2d(20, 30, 3, 1)
    assert float(linear.weight.detach().std()) == pytest.approx((2 / 600) ** 0.5, rel=0.02) and not linear.bias.any()
    assert float(conv.weight.detach().std()) == pytest.approx((2 / (9 * 50)) ** 0.5, rel=0.05)
    images = torch.randn(2, 20, 8, 8)
    with torch.no_grad():
        conv.mask[:, 3:] = False
    expected = F.conv2d(images[:, :3], conv.weight[:, :3], conv.bias, padding=1)
    assert torch.allclose(conv(images), expected, atol=1e-5)
    assert torch.equal(conv.plain()(images), conv(images))


def test_constants_stand_in_the_places_of_removed_weights() -> None:
    layer = MaskedLinear(4, 3, constants=True)
    assert layer.rest is not None
    with torch.no_grad():
        layer.mask[0] = False
        layer.rest[0] = 2.0
    inputs = torch.randn(5, 4)
    assert torch.allclose(layer(inputs)[:, 0], 2 * inputs.sum(1), atol=1e-6)
    assert torch.equal(layer.plain()(inputs), layer(inputs))


# ---- genomes

FIRST = {"name": "dense1", "shape": [8, 13], "kept": 104, "mask": ""}
LAST = {"name": "output", "shape": [3, 8], "kept": 24, "mask": ""}


def test_a_genome_says_what_is_kept_and_names_its_masks() -> None:
    one = space("cnn")
    genome = one.sample(random.Random(0))
    one.validate(genome)
    masks = one.masks(genome)
    for layer, entry in zip(one.layers, genome.content["layers"], strict=True):
        mask = masks[layer.name]
        assert mask is not None and mask.shape == layer.shape
        assert entry["kept"] == mask.sum() and entry["mask"] == digest_of(mask)
        assert ("bits" in entry) == (layer.total <= 4096)
    assert one.hash(one.genome(masks)) == one.hash(genome), "how a mask came to be is no part of the architecture"
    changed = {name: mask.copy() for name, mask in masks.items() if mask is not None}
    place = tuple(np.argwhere(changed["output"])[0])
    changed["output"][place] = False
    assert one.hash(one.genome(changed)) != one.hash(genome)
    assert one.hash(one.genome(masks, "constant")) != one.hash(genome)


def test_a_mask_goes_to_text_and_back() -> None:
    mask = drawn_mask((7, 3, 3), 20, 5, "x")
    assert mask.sum() == 20 and np.array_equal(mask_of_bits(bits_of(mask), (7, 3, 3)), mask)
    assert digest_of(mask) != digest_of(mask.reshape(21, 3)), "the shape is part of a mask"
    assert not np.array_equal(mask, drawn_mask((7, 3, 3), 20, 6, "x"))


def test_drawn_masks_are_uniform() -> None:
    """Each of 8 places is kept in 3/8 of 1,000 masks: the standard error is 0.015."""
    counts = np.mean([drawn_mask((2, 4), 3, seed) for seed in range(1000)], axis=0)
    assert np.allclose(counts, 3 / 8, atol=0.06)


def test_large_masks_are_known_by_their_digest_only() -> None:
    one = space()
    mask = drawn_mask((300, 64), 500, 1)
    genome = one.genome({"dense1": mask, "dense2": None, "output": None})
    one.validate(genome)
    assert one.masks(genome)["dense1"] is None and genome.content["layers"][0]["mask"] == digest_of(mask)
    assert len(genome.key) < 1000
    net = network(one, genome)
    assert all(bool(layer.mask.all()) for layer in net.masked.values()), "its mask arrives with the state"


def test_sampled_genomes_differ_in_share_and_mutate_to_sparser_or_denser() -> None:
    one, rng = space(), random.Random(0)
    genomes = [one.sample(rng) for _ in range(40)]
    shares = [sum(entry["kept"] for entry in genome.content["layers"]) / one.weights for genome in genomes]
    assert len({one.hash(genome) for genome in genomes}) == 40 and min(shares) < 0.1 and max(shares) > 0.5
    for genome, share in zip(genomes, shares, strict=True):
        child, operator = one.mutate(genome, rng)
        one.validate(child)
        now = sum(entry["kept"] for entry in child.content["layers"]) / one.weights
        assert operator == ("sparser" if now < share else "denser") or share <= 0.04 or share == 1


@pytest.mark.parametrize(
    "change",
    [
        {"network": "cnn"},
        {"removed": "somehow"},
        {"layers": []},
        {"layers": [{**FIRST, "kept": 105, "mask": "x"}, LAST]},
        {"layers": [{**FIRST, "kept": 10}, LAST]},
        {"layers": [FIRST, {**LAST, "kept": 23, "mask": "0" * 16, "bits": "//7/"}]},
    ],
)
def test_a_genome_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    one = space("tanh")
    with pytest.raises(BadInput) as caught:
        one.validate(Genome("plain", {**one.dense().content, **change}))
    assert caught.value.field == "genome"


# ---- pictures and texts


def test_the_chain_says_the_shares() -> None:
    one = space("cnn")
    genome = one.drawn({"conv1": 9, "conv2": 108, "dense1": 100, "output": 120}, 1)
    graph = one.to_graph(genome)
    graphs.validate(graph)
    assert [data["share"] for _, _, data in graph.edges(data=True) if "share" in data] == [0.25, 0.5, 100 / 1152, 1.0]
    assert one.to_string(genome).startswith("cnn relu drawn=1 conv1:9/36#")
    again = one.drawn({"conv1": 9, "conv2": 108, "dense1": 100, "output": 120}, 1)
    other = one.drawn({"conv1": 9, "conv2": 108, "dense1": 100, "output": 120}, 2)
    assert graphs.isomorphic(one.normal_graph(genome), one.normal_graph(again))
    assert not graphs.isomorphic(one.normal_graph(genome), one.normal_graph(other))


def test_surviving_neurons_are_drawn_where_they_are_few() -> None:
    one = space("tanh")
    masks = {"dense1": np.zeros((8, 13), bool), "output": np.zeros((3, 8), bool)}
    masks["dense1"][2, 5] = masks["dense1"][4, 0] = masks["output"][1, 2] = True
    drawn = one.drawings(one.genome(masks))["neurons"]
    assert {node.id for node in drawn.nodes} == {
        "input.0", "input.5", "dense1.2", "dense1.4", "output.0", "output.1", "output.2",
    }  # fmt: skip
    edges = {(edge.source, edge.target) for edge in drawn.edges}
    assert edges == {("input.5", "dense1.2"), ("input.0", "dense1.4"), ("dense1.2", "output.1")}
    large = space()
    assert "neurons" not in large.drawings(large.dense()), "a carpet of 1,000 lines is no picture"
    sparse = large.drawings(large.sample(random.Random(1)))["neurons"]
    assert 0 < len(sparse.edges) <= MOST_DRAWN


# ---- bad input


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"widths": [5000]}, "space_options.widths"),
        ({"widths": [0]}, "space_options.widths"),
        ({"widths": [4096, 4096]}, "space_options.widths"),
        ({"kernel": 4}, "space_options.kernel"),
        ({"channels": [0, 8]}, "space_options.channels"),
        ({"network": "cnn", "channels": [512, 4096]}, "space_options"),
    ],
)
def test_impossible_sizes_are_refused_by_name(options: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        check({"algorithm": "lottery_ticket", "datasets": ["digits"], "space_options": options})
    assert caught.value.field.split(".", 2)[:2] == field.split(".")


def test_a_convolutional_network_needs_images() -> None:
    with pytest.raises(BadInput, match="needs images") as caught:
        PlainNetworkSpace(PlainNetworkConfig(network="cnn"), VECTORS)
    assert caught.value.field == "dataset"
    assert "plain" in {entry.id for entry in registry.spaces_for(registry.algorithm("random"))}
