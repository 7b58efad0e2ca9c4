"""Super-networks that compute one genome's path alone: what weight sharing rests on (Pham et al. 2018)."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.nb201 import NB201Config, NB201Space
from search_engine.supernets import cell_network, macro_network, nb201_network
from search_engine.supernets.cell_network import SEARCH
from search_engine.supernets.mixing import CellPlan, EdgePlan, PerEdge

DIGITS = DataShape((1, 8, 8), 10)
MODULES: dict[str, Any] = {"cell": cell_network, "nb201": nb201_network, "macro": macro_network}
SPACES = pytest.mark.parametrize("name", sorted(MODULES))


def space_of(name: str, shape: DataShape = DIGITS) -> Any:
    entry = registry.space(name)
    return entry.space(entry.config(), shape)


def derived(name: str, supernet: Any, genome: Genome) -> nn.Module:
    """The genome's own network at the super-network's size, with its weights."""
    sizes = {
        "cell": lambda: TrainingConfig(layers=supernet.macro.cells, channels=supernet.macro.channels),
        "nb201": lambda: TrainingConfig(layers=supernet.cells_per_stage, channels=supernet.channels),
        "macro": lambda: TrainingConfig(channels=supernet.channels),
    }
    network: nn.Module = MODULES[name].build(supernet.space, genome, "final", sizes[name]())
    network.load_state_dict(MODULES[name].copy_weights(supernet, genome))
    return network


@SPACES
def test_one_path_is_the_derived_network(name: str) -> None:
    """Outputs to 1e-6; gradients too, and exactly the derived network's own parameters have one: all others stay None."""
    space, rng = space_of(name), random.Random(1)
    torch.manual_seed(0)
    supernet = MODULES[name].build_supernet(space)
    x = torch.randn(5, 1, 8, 8)
    for _ in range(6):
        genome = space.sample(rng)
        network = derived(name, supernet, genome)
        shared, alone = supernet.forward_path(x, genome), network(x)
        assert torch.allclose(shared, alone, atol=1e-6, rtol=0)
        assert alone.std() > 1e-3, "equal because nothing arrives"
        supernet.zero_grad(set_to_none=True)
        shared.square().sum().backward()
        alone.square().sum().backward()
        own = {key: value.grad for key, value in network.named_parameters() if value.grad is not None}
        moved = {key: value.grad for key, value in supernet.named_parameters() if value.grad is not None}
        assert set(moved) == set(own) & set(dict(supernet.named_parameters()))
        for key, gradient in moved.items():
            assert torch.allclose(gradient, own[key], atol=1e-5, rtol=1e-4), key


@pytest.mark.parametrize("name", ["cell", "nb201"])
def test_one_path_is_the_one_hot_mixture(name: str) -> None:
    space, rng = space_of(name), random.Random(2)
    torch.manual_seed(0)
    supernet = MODULES[name].build_supernet(space).double()
    x = torch.randn(3, 1, 8, 8, dtype=torch.float64)
    for _ in range(6):
        genome = space.sample(rng)
        gamma = {group: torch.from_numpy(values) for group, values in space.one_hot(genome).items()}
        assert torch.allclose(supernet.forward_path(x, genome), supernet(x, gamma), atol=1e-9, rtol=0)


@SPACES
def test_every_decision_changes_the_path(name: str) -> None:
    """The equalities above are not blind: another choice anywhere gives other logits."""
    space, rng = space_of(name), random.Random(3)
    torch.manual_seed(0)
    supernet = MODULES[name].build_supernet(space).double()
    x = torch.randn(6, 1, 8, 8, dtype=torch.float64)
    # In a cell with zeros a decision may be without effect; this one has none.
    busy = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|skip_connect~0|nor_conv_3x3~1|avg_pool_3x3~2|"
    genome = space.from_string(busy) if name == "nb201" else space.sample(rng)
    choices, before = space.choices_of(genome), supernet.forward_path(x, genome)
    for place in space.decisions.changeable(choices):
        other = space.genome_of(space.decisions.change(choices, place, rng))
        assert (supernet.forward_path(x, other) - before).abs().max() > 1e-6, space.decisions[place].key


@SPACES
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_one_path_leaves_every_other_parameter_alone(name: str, optimizer: str) -> None:
    """Bit for bit, also with momentum and weight decay left from earlier steps: a parameter without a gradient is not moved."""
    space, rng = space_of(name), random.Random(4)
    torch.manual_seed(0)
    supernet = MODULES[name].build_supernet(space)
    kinds: dict[str, Any] = {
        "sgd": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        "adam": lambda weights: torch.optim.Adam(weights, lr=0.1, weight_decay=0.01),
    }
    stepper = kinds[optimizer](list(supernet.parameters()))
    x, labels = torch.randn(8, 1, 8, 8), torch.arange(8)

    def train(genome: Genome) -> set[str]:
        stepper.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(supernet.forward_path(x, genome), labels).backward()
        own = {key for key, value in supernet.named_parameters() if value.grad is not None}
        stepper.step()
        return own

    for _ in range(4):
        train(space.sample(rng))
    before = {key: value.detach().clone() for key, value in supernet.named_parameters()}
    state = {key: {entry: torch.as_tensor(item).clone() for entry, item in stepper.state[value].items() if item is not None}
             for key, value in supernet.named_parameters()}
    own = train(space.sample(rng))
    assert 0 < len(own) < len(before)
    for key, value in supernet.named_parameters():
        if key in own:
            assert not torch.equal(value, before[key]), key
        else:
            assert torch.equal(value, before[key]), key
            now = {entry: item for entry, item in stepper.state[value].items() if item is not None}
            assert all(torch.equal(torch.as_tensor(item), state[key][entry]) for entry, item in now.items()), key


@SPACES
def test_a_path_keeps_no_statistics(name: str) -> None:
    """Sampled children are judged by the statistics of their batch: no pass, in training or evaluation, leaves a trace."""
    space, rng = space_of(name), random.Random(5)
    supernet = MODULES[name].build_supernet(space)
    assert not list(supernet.buffers())
    genome, x = space.sample(rng), torch.randn(4, 1, 8, 8)
    first = supernet.train().forward_path(x, genome)
    supernet.forward_path(5 + torch.randn(4, 1, 8, 8), space.sample(rng))
    assert torch.equal(first, supernet.eval().forward_path(x, genome))


@SPACES
def test_a_foreign_genome_is_refused(name: str) -> None:
    supernet = MODULES[name].build_supernet(space_of(name))
    with pytest.raises(BadInput):
        supernet.forward_path(torch.randn(2, 1, 8, 8), Genome("bits", {"bits": [0]}))


def test_a_cell_in_which_nothing_arrives_is_zero_and_still_trains_its_classifier() -> None:
    space = NB201Space(NB201Config(), DIGITS)
    supernet = nb201_network.build_supernet(space)
    logits = supernet.forward_path(torch.randn(4, 1, 8, 8), space.genome(["none"] * 6))
    logits.sum().backward()
    moved = {key.split(".")[0] for key, value in supernet.named_parameters() if value.grad is not None and value.grad.abs().max() > 0}
    assert torch.isfinite(logits).all() and "classifier" in moved and "stem" not in moved


def test_a_path_through_a_strided_zero_and_an_unreachable_node() -> None:
    names = ("none", "skip_connect")
    plan = CellPlan(1, 2, (EdgePlan(0, 1, names, 2), EdgePlan(1, 2, names[1:])), names, 2, SEARCH)
    mixing = PerEdge(plan)
    first, second = mixing.path([torch.ones(1, 2, 5, 5)], [(0, 1, "none"), (1, 2, "skip_connect")])
    assert first.shape == second.shape == (1, 2, 3, 3) and not first.any()
    with pytest.raises(ValueError, match="no chosen operation"):
        mixing.path([torch.ones(1, 2, 5, 5)], [(0, 1, "none")])
    with pytest.raises(KeyError):
        mixing.path([torch.ones(1, 2, 5, 5)], [(0, 1, "skip_connect"), (1, 2, "sep_conv_3x3")])
