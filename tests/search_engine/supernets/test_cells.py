"""Super-networks and the networks derived from them (gradient specification, section 1: acceptance a, b)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from search_engine.base.errors import BadInput
from search_engine.base.training_config import TrainingConfig
from search_engine.spaces.cell import CELLS, CellConfig, CellSpace
from search_engine.spaces.cell_macro import Macro
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.nb201 import NB201Config, NB201Space
from search_engine.structures import CONSTRAINTS
from search_engine.supernets import cell_network, nb201_network
from search_engine.supernets.mixing import CellPlan, EdgePlan, PerEdge
from search_engine.supernets.transfer import copy_matching
from tests.search_engine.spaces.test_cell import DARTS_V2, two_on_one_edge

DIGITS = DataShape((1, 8, 8), 10)
CIFAR = DataShape((3, 32, 32), 10)
Case = tuple[Any, ModuleType]


def cell(shape: DataShape = DIGITS, **options: Any) -> Case:
    return CellSpace(CellConfig(**options), shape), cell_network


def nb201(shape: DataShape = DIGITS, **options: Any) -> Case:
    return NB201Space(NB201Config(**options), shape), nb201_network


SPACES = pytest.mark.parametrize("make", [cell, nb201])


def one_hot(space: Any, genome: Genome, dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: torch.from_numpy(values).to(dtype) for name, values in space.one_hot(genome).items()}


def derived(space: Any, module: ModuleType, supernet: nn.Module, genome: Genome) -> nn.Module:
    """The network that `build` gives at the super-network's size, with its weights."""
    if module is cell_network:
        training = TrainingConfig(layers=supernet.macro.cells, channels=supernet.macro.channels)  # type: ignore[union-attr, arg-type]
    else:
        training = TrainingConfig(layers=supernet.cells_per_stage, channels=supernet.channels)  # type: ignore[arg-type]
    network: nn.Module = module.build(space, genome, "final", training)
    network.load_state_dict(module.copy_weights(supernet, genome))
    return network


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


@SPACES
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_a_one_hot_structure_gives_the_derived_network(make: Callable[[], Case], dtype: torch.dtype, tolerance: float) -> None:
    """Acceptance (a): outputs and weight gradients, in training mode (batch statistics), to rounding (the two add in another order)."""
    space, module = make()
    rng = random.Random(0)
    genomes = [space.sample(rng) for _ in range(4)]
    if module is cell_network:
        genomes.append(two_on_one_edge(space))
    torch.manual_seed(0)
    supernet = module.build_supernet(space).to(dtype)
    x = torch.randn(5, *space.shape.input, dtype=dtype)
    for genome in genomes:
        network = derived(space, module, supernet, genome).to(dtype)
        mixed, alone = supernet(x, one_hot(space, genome, dtype)), network(x)
        assert torch.allclose(mixed, alone, atol=tolerance, rtol=0)
        assert mixed.std() > 1e-3, "equal because nothing arrives"
        supernet.zero_grad()
        mixed.square().sum().backward()
        alone.square().sum().backward()
        own = dict(network.named_parameters())
        for name, value in supernet.named_parameters():
            if name in own:
                assert torch.allclose(value.grad, own[name].grad, atol=10 * tolerance, rtol=10 * tolerance), name


def test_the_derived_network_depends_on_every_operation_of_the_genome() -> None:
    """A one-hot structure with one operation changed gives something else: the equality above is not blind."""
    space, module = cell()
    torch.manual_seed(0)
    supernet = module.build_supernet(space)
    genome = space.sample(random.Random(0))
    x = torch.randn(5, 1, 8, 8)
    before = supernet(x, one_hot(space, genome, torch.float32))
    for name in CELLS:
        for place, (source, target, operation) in enumerate(space.cell(genome, name)):
            cells = {other: space.cell(genome, other) for other in CELLS}
            cells[name][place] = (source, target, "avg_pool_3x3" if operation != "avg_pool_3x3" else "sep_conv_3x3")
            after = supernet(x, one_hot(space, space.genome(cells), torch.float32))
            assert (after - before).abs().max() > 1e-4


@SPACES
@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
def test_every_constraint_set_gives_a_valid_model(make: Callable[[], Case], constraint: str) -> None:
    """Acceptance (b): random weights of each of the four sets; finite logits of the right shape, finite gradients."""
    space, module = make()
    torch.manual_seed(1)
    supernet = module.build_supernet(space)
    rng = np.random.default_rng(0)
    x = torch.randn(6, 1, 8, 8)
    for _ in range(3):
        gamma = {}
        for group in space.family():
            values = CONSTRAINTS[constraint].sample(len(group.edges), len(group.operations), rng)
            assert CONSTRAINTS[constraint].contains(values)
            gamma[group.name] = torch.tensor(values, dtype=torch.float32, requires_grad=True)
        logits = supernet(x, gamma)
        assert logits.shape == (6, 10) and torch.isfinite(logits).all()
        logits.square().sum().backward()
        assert all(value.grad is not None and torch.isfinite(value.grad).all() for value in gamma.values())


@SPACES
def test_all_weight_on_none_is_still_a_valid_model(make: Callable[[], Case]) -> None:
    space, module = make()
    gamma = {group.name: torch.eye(len(group.operations))[torch.zeros(len(group.edges), dtype=torch.long)] for group in space.family()}
    assert torch.isfinite(module.build_supernet(space)(torch.randn(4, 1, 8, 8), gamma)).all()


@SPACES
def test_the_gradient_of_the_structure_is_that_of_finite_differences(make: Callable[[], Case]) -> None:
    """float64: a swapped column or row of gamma gives other numbers; that of `none` is exactly zero."""
    space, module = make()
    torch.manual_seed(0)
    supernet = module.build_supernet(space).double()
    x = torch.randn(4, 1, 8, 8, dtype=torch.float64)
    gamma = {g.name: torch.full((len(g.edges), len(g.operations)), 0.3, dtype=torch.float64) for g in space.family()}
    gamma = {name: (value + 0.1 * torch.rand_like(value)).requires_grad_() for name, value in gamma.items()}

    def loss() -> Tensor:
        value: Tensor = supernet(x, gamma).square().mean()
        return value

    loss().backward()
    rng = random.Random(0)
    for name, value in gamma.items():
        assert value.grad is not None and (value.grad[:, 0] == 0).all()
        for _ in range(4):
            row, column = rng.randrange(len(value)), rng.randrange(1, value.shape[1])
            with torch.no_grad():
                value[row, column] += 1e-6
                above = loss()
                value[row, column] -= 2e-6
                below = loss()
                value[row, column] += 1e-6
            assert ((above - below) / 2e-6).item() == pytest.approx(value.grad[row, column].item(), rel=1e-3, abs=1e-7), name


@SPACES
def test_structure_weights_are_no_parameters_and_search_keeps_no_statistics(make: Callable[[], Case]) -> None:
    space, module = make()
    supernet = module.build_supernet(space)
    assert not list(supernet.buffers())
    shapes = {(len(group.edges), len(group.operations)) for group in space.family()}
    assert not shapes & {tuple(value.shape) for value in supernet.parameters()}
    x = torch.randn(4, 1, 8, 8)
    gamma = {g.name: torch.full((len(g.edges), len(g.operations)), 0.2) for g in space.family()}
    supernet.train()
    first = supernet(x, gamma)
    supernet(5 + torch.randn(4, 1, 8, 8), gamma)
    supernet.eval()
    assert torch.equal(first, supernet(x, gamma)), "extra forward passes leave no trace"


@SPACES
@pytest.mark.parametrize("size", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 9, 11), (1, 4, 5)])
def test_all_input_sizes_work(make: Callable[..., Case], size: tuple[int, int, int]) -> None:
    space, module = make(DataShape(size, 7))
    genome = space.sample(random.Random(0))
    for stage in ("trial", "final"):
        network = module.build(space, genome, stage, TrainingConfig())
        assert network(torch.randn(2, *size)).shape == (2, 7)
        assert network.eval()(torch.randn(1, *size)).shape == (1, 7)
    gamma = {g.name: torch.full((len(g.edges), len(g.operations)), 0.2) for g in space.family()}
    assert module.build_supernet(space)(torch.randn(2, *size), gamma).shape == (2, 7)


def test_resolution_falls_at_a_third_and_two_thirds_of_the_depth() -> None:
    assert [sorted(Macro(cells, 4).reductions) for cells in (3, 5, 8, 20)] == [[1, 2], [1, 3], [2, 5], [6, 13]]
    space, _ = cell()
    assert space.macro("search") == Macro(3, 4)
    sizes: list[tuple[int, ...]] = []
    network = cell_network.build(space, space.sample(random.Random(0)), "trial", TrainingConfig(layers=8, channels=4))
    for item in network.cells:
        item.register_forward_hook(lambda _module, _inputs, output: sizes.append(tuple(output.shape[1:])))
    network(torch.randn(2, 1, 8, 8))
    assert sizes == [(16, 8, 8)] * 2 + [(32, 4, 4)] * 3 + [(64, 2, 2)] * 3


def test_sizes_come_from_options_training_and_input() -> None:
    space, module = cell(search_cells=4, search_channels=6)
    supernet = module.build_supernet(space)
    assert len(supernet.cells) == 4 and supernet.stem[0].out_channels == 18
    small, large = cell()[0], cell(CIFAR)[0]
    for stage in ("search", "trial", "final"):
        assert large.macro(stage).cells > small.macro(stage).cells and large.macro(stage).channels >= small.macro(stage).channels
    genome = small.sample(random.Random(0))
    network = module.build(small, genome, "trial", TrainingConfig(layers=2, channels=5))
    assert len(network.cells) == 2 and network.stem[0].out_channels == 15


def test_parameter_counts_are_those_of_the_darts_paper() -> None:
    """DARTS_V2 at 20 cells and 36 channels: 3.349342 M as its authors' code reports; the search network (8 cells, C = 16): 1.930618 M."""
    space, _ = cell(CIFAR, search_cells=8, search_channels=16)
    genome = space.from_string(DARTS_V2)
    assert parameters(cell_network.build(space, genome, "final", TrainingConfig(layers=20, channels=36))) == 3_349_342
    assert parameters(cell_network.build_supernet(space)) == 1_930_618


def test_parameter_counts_are_those_of_the_benchmark(tables: Path) -> None:
    table = np.load(tables / "nb201" / "nb201.npz")
    space, _ = nb201(CIFAR)
    for place in range(0, 15_625, 1_563):
        genome = space.from_string(str(table["arch"][place]))
        network = nb201_network.build(space, genome, "final", TrainingConfig())
        assert parameters(network) == round(float(table["params_m"][place]) * 1e6)


def test_the_closed_form_counts_the_network_at_any_size() -> None:
    space, _ = nb201()
    for seed in range(5):
        genome = space.sample(random.Random(seed))
        network = nb201_network.build(space, genome, "final", TrainingConfig(layers=2, channels=6))
        assert parameters(network) == space.parameters(genome, cells=2, channels=6)


@SPACES
def test_copying_weights_draws_no_random_numbers_and_misses_nothing(make: Callable[[], Case]) -> None:
    space, module = make()
    torch.manual_seed(0)
    supernet = module.build_supernet(space)
    before = torch.get_rng_state()
    module.copy_weights(supernet, space.sample(random.Random(0)))
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(ValueError, match="has no 'weight'"):
        copy_matching(supernet, lambda: nn.Linear(2, 2))


@SPACES
def test_equal_seeds_give_equal_networks(make: Callable[[], Case]) -> None:
    space, module = make()
    genome = space.sample(random.Random(0))
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(module.build(space, genome, "trial", TrainingConfig()).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_an_inadmissible_genome_is_refused() -> None:
    space, module = cell()
    with pytest.raises(BadInput):
        module.build(space, Genome("cell", {"normal": {}, "reduction": {}}), "trial", TrainingConfig())


class SourceBySource(PerEdge):
    """Another way to compute the same mixing: all operations of a source before the next source."""

    def forward(self, states: Sequence[Tensor], gamma: Tensor | None = None) -> list[Tensor]:
        assert gamma is not None
        values: dict[int, Any] = dict(enumerate(states))
        total = self.plan.inputs + self.plan.nodes
        for source in range(total):
            for row, edge in enumerate(self.plan.edges):
                if edge.source == source:
                    for name, operation in self.operations[PerEdge.key(edge)].items():  # type: ignore[operator]
                        term = operation(values[source]) * gamma[row, self.plan.operations.index(name)]
                        values[edge.target] = values.get(edge.target, 0) + term
        return [values[node] for node in range(self.plan.inputs, total)]


@SPACES
def test_another_mixing_takes_the_place_of_the_plain_one(make: Callable[[], Case]) -> None:
    """The seam: equal parameter names, equal results in float64."""
    space, module = make()
    torch.manual_seed(0)
    plain = module.build_supernet(space).double()
    other = module.build_supernet(space, mixing=SourceBySource).double()
    other.load_state_dict(plain.state_dict())
    gamma = {g.name: torch.rand(len(g.edges), len(g.operations), dtype=torch.float64) for g in space.family()}
    x = torch.randn(3, 1, 8, 8, dtype=torch.float64)
    assert torch.allclose(plain(x, gamma), other(x, gamma), atol=1e-10, rtol=0)


def test_a_wrong_gamma_and_an_unreachable_node_are_errors() -> None:
    space, module = cell()
    gamma = {name: torch.zeros(8, 14) for name in CELLS}
    with pytest.raises(ValueError, match="gamma must have shape"):
        module.build_supernet(space)(torch.randn(2, 1, 8, 8), gamma)
    plan = CellPlan(1, 2, (EdgePlan(0, 1, ("skip_connect",)),), ("skip_connect",), 2, cell_network.SEARCH)
    with pytest.raises(ValueError, match="no incoming edge"):
        PerEdge(plan)([torch.zeros(1, 2, 3, 3)])
