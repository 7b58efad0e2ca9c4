"""The macro space: genomes, texts, identity, and the networks with their reductions and skip connections."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import torch

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.bundle.verify import verify
from search_engine.catalogue.config import check
from search_engine.primitives.names import MACRO
from search_engine.search.local_run import LocalRun
from search_engine.spaces import graphs
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.macro import Layer, MacroConfig, MacroSpace, read_after
from search_engine.supernets import macro_network
from tests.search_engine.bundle.test_export import train

DIGITS = DataShape((1, 8, 8), 10)
EXAMPLE = "nor_conv_3x3 | sep_conv_5x5 1 | max_pool_3x3 | avg_pool_3x3 1 3"


def space(shape: DataShape = DIGITS, **options: Any) -> MacroSpace:
    return MacroSpace(MacroConfig(**options), shape)


# ---- genomes


def test_a_layer_chooses_an_operation_then_one_skip_per_earlier_layer() -> None:
    four = space(layers=4)
    keys = [decision.key for decision in four.decisions]
    assert keys[:6] == ["layer1.operation", "layer2.operation", "layer2.skip1", "layer3.operation", "layer3.skip1", "layer3.skip2"]
    assert len(keys) == 4 + 6 and four.size() == 6**4 * 2**6
    last = four.decisions[four.decisions.place("layer3.skip2")]
    assert last.kind == "skip" and last.selects == ((), ("layer2",)) and (last.row, last.column) == (2, 1)
    # Every layer's place is complete exactly once, after its last decision.
    anchors = {decision.anchor: decision.key for decision in four.decisions if decision.anchor}
    assert anchors == {"layer1": "layer1.operation", "layer2": "layer2.skip1", "layer3": "layer3.skip2", "layer4": "layer4.skip3"}


def test_text_and_choices_there_and_back() -> None:
    four, rng = space(layers=4), random.Random(0)
    genome = four.from_string(EXAMPLE)
    assert four.to_string(genome) == EXAMPLE
    assert four.layers_of(genome) == (
        Layer("nor_conv_3x3", ()), Layer("sep_conv_5x5", (0,)), Layer("max_pool_3x3", ()), Layer("avg_pool_3x3", (0, 2)),
    )
    for _ in range(50):
        genome = four.sample(rng)
        assert four.from_string(four.to_string(genome)) == genome == four.genome_of(four.choices_of(genome))
        child, operator = four.mutate(genome, rng)
        assert operator in ("operation_mutation", "skip_mutation")
        assert sum(a != b for a, b in zip(four.choices_of(child), four.choices_of(genome), strict=True)) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nor_conv_3x3 | sep_conv_5x5", "has 4 parts"),
        (EXAMPLE.replace(" 1 3", " 1 x"), "has 4 parts"),
        (EXAMPLE.replace(" 1 3", " 4"), "layer 4 cannot skip from layer 4"),
        (EXAMPLE.replace(" 1 3", " 0"), "layer 4 cannot skip from layer 0"),
        (EXAMPLE.replace("avg_pool_3x3", "none"), "'layer4.operation' needs one of"),
    ],
)
def test_a_wrong_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        space(layers=4).from_string(text)


def test_foreign_and_incomplete_genomes_are_refused() -> None:
    four = space(layers=4)
    genome = four.from_string(EXAMPLE)
    for content in ({**genome.content, "layer9.skip1": "none"}, {key: value for key, value in genome.content.items() if "skip" not in key}):
        with pytest.raises(BadInput):
            four.validate(Genome("macro", content))
    with pytest.raises(BadInput):
        four.validate(Genome("cell", genome.content))
    for shape in (DataShape((64,), 10), DataShape((1, 3, 8), 10)):
        with pytest.raises(BadInput):
            space(shape)


def test_equal_hashes_are_isomorphic_graphs() -> None:
    """Every layer has a place of its own on the chain, so only equal genomes are one network."""
    four, rng = space(layers=4), random.Random(1)
    for _ in range(200):
        genome = four.sample(rng)
        other = four.mutate(genome, rng)[0] if rng.random() < 0.5 else four.from_string(four.to_string(genome))
        same = four.hash(genome) == four.hash(other)
        assert same == (genome == other) == graphs.isomorphic(four.normal_graph(genome), four.normal_graph(other))


def test_the_graph_is_a_chain_with_chords() -> None:
    four = space(layers=4)
    graph = four.to_graph(four.from_string(EXAMPLE))
    graphs.validate(graph)
    assert list(nx.topological_sort(graph)) == ["input", "1", "2", "3", "4", "output"]
    operations = {(source, target): sorted(graph[source][target]) for source, target in graph.edges()}
    assert operations["1", "2"] == ["sep_conv_5x5", "skip_connect"] and operations["1", "4"] == ["skip_connect"]
    assert operations["3", "4"] == ["avg_pool_3x3", "skip_connect"] and ("1", "3") not in operations
    places = [graph.graph["layout"][name] for name in graph]
    assert len(places) == 6 and all(0 <= value <= 1 for place in places for value in place)
    assert [graph.nodes[name].get("resolution") for name in graph][1:-1] == ["1/1", "1/2", "1/4", "1/4"]
    assert four.drawings(four.from_string(EXAMPLE))["network"].edges


# ---- networks


def test_reductions_stand_where_the_authors_code_has_them() -> None:
    assert [space(layers=layers).reductions for layers in (2, 3, 4, 6, 12)] == [(), (0, 1), (0, 1), (1, 3), (3, 7)]
    assert space(DataShape((3, 32, 32), 10)).layers == 12


def test_only_what_is_read_later_is_reduced() -> None:
    layers = space(layers=4).layers_of(space(layers=4).from_string(EXAMPLE))
    assert read_after(layers, 0) == (0,) and read_after(layers, 1) == (0, 1) and read_after(layers, 2) == (0, 2)


def test_a_layer_is_its_operation_plus_its_skips_normalised() -> None:
    """The forward pass against the formula, written out for one genome without reductions."""
    two = space(layers=2)
    torch.manual_seed(0)
    network = macro_network.build(two, two.from_string("nor_conv_5x5 | avg_pool_3x3 1"), "trial", TrainingConfig(channels=4))
    x = torch.randn(6, 1, 8, 8)
    layers: Any = network.layers
    first = layers[0].norm(layers[0].operations["nor_conv_5x5"](network.stem(x)))
    second = layers[1].norm(layers[1].operations["avg_pool_3x3"](first) + first)
    assert torch.allclose(network(x), network.classifier(second.relu().mean(dim=(2, 3))), atol=1e-6)
    assert dict(network.reductions) == {}


@pytest.mark.parametrize("size", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 9, 11), (1, 4, 5)])
def test_all_input_sizes_work(size: tuple[int, int, int]) -> None:
    it = space(DataShape(size, 7))
    genome = it.sample(random.Random(0))
    for stage in ("trial", "final"):
        network = macro_network.build(it, genome, stage, TrainingConfig(channels=4))
        assert network(torch.randn(2, *size)).shape == (2, 7)
        assert network.eval()(torch.randn(1, *size)).shape == (1, 7)
    assert macro_network.build_supernet(it).forward_path(torch.randn(2, *size), genome).shape == (2, 7)


def test_resolution_halves_and_width_doubles_at_each_reduction() -> None:
    six = space(layers=6)
    network = macro_network.build(six, six.sample(random.Random(0)), "final", TrainingConfig(channels=4))
    sizes: list[tuple[int, ...]] = []
    for layer in network.layers:
        layer.register_forward_hook(lambda _module, _inputs, output: sizes.append(tuple(output.shape[1:])))
    network(torch.randn(2, 1, 8, 8))
    assert sizes == [(4, 8, 8)] * 2 + [(8, 4, 4)] * 2 + [(16, 2, 2)] * 2


def test_the_super_network_has_every_operation_and_no_single_forward_pass() -> None:
    supernet = macro_network.build_supernet(space(search_channels=4))
    assert supernet.channels == 4
    assert all(tuple(layer.operations) == MACRO for layer in supernet.layers)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="forward_path"):
        supernet(torch.randn(2, 1, 8, 8))


def test_a_download_of_a_macro_model_verifies(tmp_path: Path) -> None:
    """Written out as plain PyTorch and loaded in a fresh process, it repeats the test accuracy."""
    trained = train("macro", "digits", tmp_path, epochs=1)
    assert any(layer.skips for layer in trained.space.layers_of(trained.genome))  # type: ignore[attr-defined]
    trained.export(tmp_path / "model")
    assert verify(tmp_path / "model") == trained.metrics["test_accuracy"]


@pytest.mark.parametrize("algorithm", ["random", "regularized_evolution"])
def test_trials_train_its_networks(algorithm: str, tmp_path: Path) -> None:
    training = {"epochs": 1, "train_examples": 128, "channels": 4}
    values = {
        "algorithm": algorithm, "space": "macro", "space_options": {"layers": 3}, "budget": {"trials": 2}, "training": training,
        "finale": {"baselines": 0, "training": training, "export": False},
    }
    result = LocalRun(check(values, tmp_path), tmp_path, tmp_path, slice_seconds=1e9).run()
    assert result["status"] == "completed" and result["space"] == "macro" and " | " in result["best"][0]["string"]
