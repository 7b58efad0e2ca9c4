"""Blueprints of modules: assembly by hand, shapes and sizes against the network that is built, bounds, bad genomes."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
import torch

from search_engine.base.errors import BadInput, TrialFailure
from search_engine.base.training_config import TrainingConfig
from search_engine.spaces.blueprint.assembly import flows
from search_engine.spaces.blueprint.layers import BlueprintConfig
from search_engine.spaces.blueprint.space import BlueprintSpace
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.supernets.blueprint_network import build
from search_engine.training.footprint import step_flops

LARGE: dict[str, Any] = {"filters_max": 128, "kernels": (2, 4, 7, 9, 11, 13), "dense_layers": 2, "dense_max": 128}
"""The thesis's ranges for CIFAR-100 and Tiny ImageNet; those for MNIST and CIFAR-10 are the defaults."""
SHAPE = DataShape((1, 8, 8), 10)
SPACE = BlueprintSpace(BlueprintConfig(max_parameters=10**9, max_megaflops=10_000, blueprint_nodes=5), SHAPE)


def layer(filters: int = 16, kernel: int = 3, behind: str = "none", join: str = "sum") -> dict[str, Any]:
    return {"filters": filters, "kernel": kernel, "behind": behind, "rate": 0.25, "join": join}


def module(nodes: dict[int, dict[str, Any]], edges: list[list[int]], join: str = "sum") -> dict[str, Any]:
    return {"nodes": [[1, {"join": join}], *([node, allele] for node, allele in nodes.items())], "edges": edges}


def network(nodes: dict[int, int], edges: list[list[int]], modules: list[dict[str, Any]], *, join: str = "sum") -> Genome:
    """A blueprint node names a module; all nodes join alike."""
    inner = [[node, {"module": number, "join": join}] for node, number in nodes.items()]
    return Genome("blueprint", {"blueprint": {"nodes": [[1, {"dense": [32], "join": join}], *inner], "edges": edges}, "modules": modules})


ONE = module({2: layer(16)}, [[0, 2], [2, 1]])
WIDE = module({2: layer(32, behind="pool")}, [[0, 2], [2, 1]])


def mutated(genome: Genome, times: int, rng: random.Random) -> Genome:
    for _ in range(times):
        genome, _ = SPACE.mutate(genome, rng)
    return genome


def test_a_module_stands_at_each_node_that_names_it_with_weights_of_its_own() -> None:
    genome = network({2: 0, 3: 0}, [[0, 2], [2, 3], [3, 1]], [ONE])
    plan = SPACE.plan(genome)
    assert [(step.name, step.sources) for step in plan.steps] == [("2.2", ("input",)), ("3.2", ("2.2",))] and plan.last == "3.2"
    built = build(SPACE, genome, "trial", TrainingConfig())
    first, second = (step[0].weight for step in built.steps)  # type: ignore[index, union-attr]
    assert first.shape == (16, 1, 3, 3) and second.shape == (16, 16, 3, 3) and first is not second


@pytest.mark.parametrize(("join", "channels"), [("sum", 32), ("concat", 48)])
def test_a_join_brings_sides_and_channels_together(join: str, channels: int) -> None:
    genome = network({2: 0, 3: 1}, [[0, 2], [0, 3], [2, 1], [3, 1]], [ONE, WIDE], join=join)
    last = flows(SPACE.plan(genome), SHAPE.input)["1"]
    assert (last.channels, last.height, last.width) == (channels, 4, 4)
    built = build(SPACE, genome, "trial", TrainingConfig())
    ways = [type(way).__name__ for way in built.steps[-1].ways]  # type: ignore[union-attr, operator]
    assert ways == (["Conv2d", "Identity"] if join == "sum" else ["Identity", "Identity"])


@pytest.mark.parametrize("options", [{}, LARGE], ids=["small", "large"])
def test_shapes_parameters_and_flops_are_those_of_the_network(options: dict[str, Any]) -> None:
    config = BlueprintConfig(**options, max_parameters=10**9, max_megaflops=10_000, blueprint_nodes=6)
    space = BlueprintSpace(config, DataShape((3, 9, 7), 4))
    rng = random.Random(0)
    for _ in range(12):
        genome = space.sample(rng)
        for _ in range(6):
            genome, _ = space.mutate(genome, rng)
        torch.manual_seed(0)
        built = build(space, genome, "trial", TrainingConfig()).eval()
        size = space.size_of(genome)
        assert size.parameters == sum(parameter.numel() for parameter in built.parameters() if parameter.requires_grad)
        assert size.flops == pytest.approx(step_flops(built, space.shape.input)[0], rel=1e-6)
        found: list[tuple[int, ...]] = []
        for step in built.steps:
            step.register_forward_hook(lambda _, __, output, found=found: found.append(tuple(output.shape[1:])))
        built(torch.zeros(2, *space.shape.input))
        expected = flows(space.plan(genome), space.shape.input)
        assert found == [(flow.channels, flow.height, flow.width) for flow in (expected[name] for name, _, _ in built.order)]


def test_pooling_never_goes_below_one_pixel() -> None:
    genome = network({2: 0, 3: 0, 4: 0, 5: 0, 6: 0}, [[0, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 1]], [WIDE])
    sides = [flow.height for flow in flows(SPACE.plan(genome), SHAPE.input).values()]
    assert sides == [8, 4, 2, 1, 1, 1]
    build(SPACE, genome, "trial", TrainingConfig())(torch.zeros(2, 1, 8, 8))


def test_a_network_beyond_the_bounds_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    genome = network({2: 0}, [[0, 2], [2, 1]], [ONE])
    for options, said in (({"max_parameters": 1000}, "parameters, at most 1,000"), ({"max_megaflops": 0.01}, "MFLOPs, at most 0.01")):
        small = BlueprintSpace(BlueprintConfig(**options), SHAPE)
        monkeypatch.setattr("search_engine.supernets.blueprint_network.BlueprintNetwork", None)
        with pytest.raises(TrialFailure, match=said):
            build(small, genome, "trial", TrainingConfig())


def test_random_networks_are_within_the_bounds() -> None:
    space = BlueprintSpace(BlueprintConfig(max_parameters=100_000), SHAPE)
    rng = random.Random(0)
    assert all(space.size_of(space.sample(rng)).parameters <= 100_000 for _ in range(30))


def test_equal_networks_are_equal_however_they_are_written() -> None:
    chain = network({2: 0, 3: 1}, [[0, 2], [2, 3], [3, 1]], [ONE, WIDE])
    one_module = network({5: 0}, [[0, 5], [5, 1]], [module({3: layer(16), 7: layer(32, behind="pool")}, [[0, 3], [3, 7], [7, 1]])])
    assert SPACE.hash(chain) == SPACE.hash(one_module)
    other = network({2: 1, 3: 0}, [[0, 2], [2, 3], [3, 1]], [ONE, WIDE])
    assert SPACE.hash(chain) != SPACE.hash(other)
    unexpressed = copy.deepcopy(chain.content)
    unexpressed["modules"][0]["nodes"][1][1]["rate"] = 0.4
    assert SPACE.hash(Genome("blueprint", unexpressed)) == SPACE.hash(chain), "a dropout's share where nothing is dropped"


def test_mutations_stay_within_the_space_and_every_operator_happens() -> None:
    rng = random.Random(1)
    genome, seen = SPACE.sample(rng), set()
    for _ in range(150):
        child, operator = SPACE.mutate(genome, rng)
        SPACE.validate(child)
        assert SPACE.hash(child) != SPACE.hash(genome)
        blueprint, modules = SPACE.parts(child)
        assert len(blueprint.live) <= SPACE.config.blueprint_nodes and all(len(each.live) <= SPACE.config.module_nodes for each in modules)
        seen.add(operator)
        genome = child
    assert seen == {"change_layer", "change_head", "grow_module", "grow_blueprint", "switch_module"}


def test_a_genome_comes_back_from_its_parts_and_its_text() -> None:
    rng = random.Random(2)
    for _ in range(10):
        genome = mutated(SPACE.sample(rng), 5, rng)
        blueprint, modules = SPACE.parts(genome)
        assert SPACE.genome(blueprint, modules) == genome and SPACE.from_string(SPACE.to_string(genome)) == genome
        assert set(SPACE.drawings(genome)) == {"network", "blueprint", *(f"module {number}" for number in range(len(modules)))}


def _chain_of(count: int) -> dict[str, Any]:
    nodes = [[node, {"module": node % 2, "join": "sum"}] for node in range(2, count + 2)]
    return {
        "nodes": [[1, {"dense": [32], "join": "sum"}], *nodes],
        "edges": [[0, 2], *([node, node + 1] for node in range(2, count + 1)), [count + 1, 1]],
    }


def broken(change: Any) -> dict[str, Any]:
    content = copy.deepcopy(network({2: 0, 3: 1}, [[0, 2], [2, 3], [3, 1]], [ONE, WIDE]).content)
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.pop("modules"), "a network here is"),
        (lambda c: c["blueprint"].update(nodes=5), "a graph is"),
        (lambda c: c["blueprint"]["edges"].append([3, 2]), "cycle"),
        (lambda c: c["blueprint"]["edges"].append([0, 2]), "stands there twice"),
        (lambda c: c["blueprint"]["edges"].append([0, 9]), "is no edge between these nodes"),
        (lambda c: c["blueprint"]["edges"].remove([0, 2]), "on a path from the input"),
        (lambda c: c["blueprint"]["nodes"][1][1].update(module=7), "module is a place in the list of 2 modules, not 7"),
        (lambda c: c["blueprint"]["nodes"][0][1].update(dense=[9999]), "1 to 256 units, not 9999"),
        (lambda c: c["blueprint"]["nodes"][0][1].update(dense=[]), "1 dense layers, not 0"),
        (lambda c: c["blueprint"].update(_chain_of(6)), "it has 6 nodes, at most 5"),
        (lambda c: c["modules"].append(copy.deepcopy(ONE)), "every module in the list stands"),
        (lambda c: c["modules"][0]["nodes"][1][1].update(filters=69), "from 1 to 68, not 69"),
        (lambda c: c["modules"][0]["nodes"][1][1].update(filters=True), "whole number"),
        (lambda c: c["modules"][0]["nodes"][1][1].update(kernel=4), "kernel is one of 1, 3, 5, not 4"),
        (lambda c: c["modules"][0]["nodes"][1][1].update(behind="wings"), "behind is one of"),
        (lambda c: c["modules"][0]["nodes"][1][1].update(rate=0.6), "from 0 to 0.5, not 0.6"),
        (lambda c: c["modules"][0]["nodes"][1][1].update(join="mean"), "join is one of"),
        (lambda c: c["modules"][0]["nodes"][0][1].update(more=1), "the output has join"),
    ],
)
def test_a_genome_that_is_none_is_refused_with_its_place(change: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        SPACE.validate(Genome("blueprint", broken(change)))
    assert caught.value.field == "genome"


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="filters_min"):
        BlueprintConfig(filters_min=80)
    with pytest.raises(ValueError, match="twice"):
        BlueprintConfig(kernels=(3, 3))
