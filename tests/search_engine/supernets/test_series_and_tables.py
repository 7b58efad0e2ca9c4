"""Networks along time and of columns: super-network and derived network are one function, what they can say, their code elsewhere."""

from __future__ import annotations

import importlib
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from search_engine.algorithms.bayes.conversion import to_bayesian, to_plain
from search_engine.base.lazy import load_object
from search_engine.base.training_config import TrainingConfig
from search_engine.bundle.onnx_file import write_onnx
from search_engine.bundle.program_file import exported
from search_engine.catalogue import registry
from search_engine.primitives.modules import SEARCH, TRAINED, build_primitive
from search_engine.primitives.names import PRIMITIVES, TABULAR
from search_engine.primitives.tabular import Category, Tokens
from search_engine.spaces.data_shape import Categories, DataShape
from search_engine.supernets.cell_network import CellNetwork
from search_engine.supernets.partial_channels import partial_channels
from search_engine.training.flops import FlopCounter
from tests.search_engine.bundle.test_source import assert_same

SERIES = DataShape((3, 21), 4)
TABLE = DataShape((7,), 3, columns=(Categories(1, 3),))
SHAPES = {"cell_1d": SERIES, "macro_1d": SERIES, "tabular_cell": TABLE}
KINDS = pytest.mark.parametrize("space_id", sorted(SHAPES))
CELLS = pytest.mark.parametrize("space_id", ["cell_1d", "tabular_cell"])


def space_of(space_id: str, shape: DataShape | None = None, **options: Any) -> Any:
    entry = registry.space(space_id)
    return entry.space(entry.config(**options), shape or SHAPES[space_id])


def module_of(space_id: str) -> Any:
    return importlib.import_module(registry.space(space_id).builder.partition(":")[0])


def inputs(space: Any, count: int = 6) -> Tensor:
    return torch.randn(count, *space.shape.input)


@KINDS
def test_one_path_of_the_super_network_is_the_derived_network(space_id: str) -> None:
    space, module = space_of(space_id), module_of(space_id)
    torch.manual_seed(0)
    supernet = module.build_supernet(space)
    rng, x = random.Random(0), inputs(space)
    for _ in range(3):
        genome = space.sample(rng)
        size = supernet.macro if isinstance(supernet, CellNetwork) else None
        training = TrainingConfig(layers=size.cells, channels=size.channels) if size else TrainingConfig(channels=supernet.channels)
        network = module.build(space, genome, "final", training)
        network.load_state_dict(module.copy_weights(supernet, genome))
        alone = network(x)
        assert torch.allclose(supernet.forward_path(x, genome), alone, atol=1e-5) and alone.std() > 1e-3
        if "supernet" in space.offers:
            gamma = {name: torch.from_numpy(values).float() for name, values in space.one_hot(genome).items()}
            assert torch.allclose(supernet(x, gamma), alone, atol=1e-5)


@CELLS
def test_the_structure_has_gradients_and_no_parameters_of_its_own(space_id: str) -> None:
    space, module = space_of(space_id), module_of(space_id)
    torch.manual_seed(0)
    for supernet in (module.build_supernet(space), module.build_supernet(space, mixing=partial_channels(2))):
        gamma = {
            group.name: torch.full((len(group.edges), len(group.operations)), 1 / len(group.operations), requires_grad=True)
            for group in space.family()
        }
        supernet(inputs(space), gamma).square().sum().backward()
        for weights in gamma.values():
            assert weights.grad is not None and torch.isfinite(weights.grad).all() and (weights.grad[:, 1:] != 0).any(dim=0).all()
        assert not any(value.shape == weights.shape for value in supernet.parameters() for weights in gamma.values() if value.dim() == 1)


@CELLS
def test_a_bayesian_twin_has_a_distribution_on_every_map(space_id: str) -> None:
    space = space_of(space_id)
    network = module_of(space_id).build_supernet(space)
    plain = {type(module) for module in network.modules()} & {nn.Conv1d, nn.Linear}
    twin = to_bayesian(network)
    assert plain and not any(type(module) in plain for module in twin.modules())
    back, x = to_plain(twin.eval()), inputs(space)
    gamma = {group.name: torch.full((len(group.edges), len(group.operations)), 0.3) for group in space.family()}
    assert torch.allclose(twin(x, gamma), back(x, gamma), atol=1e-5)


# ---- what a table's network can say


def interaction(operation: str) -> float:
    """How far a network of one cell with one such operation is from a sum of functions of single columns: the mixed difference
    f(a, b) - f(a', b) - f(a, b') + f(a', b') of its logits."""
    space = space_of("tabular_cell", DataShape((4,), 3), nodes=1)
    torch.manual_seed(0)
    genome = space.genome({"normal": [("c_{k-1}", "0", operation), ("c_{k-2}", "0", "skip_connect")]})
    network = module_of("tabular_cell").build(space, genome, "trial", TrainingConfig(layers=1, channels=8))
    x = torch.randn(64, 4)
    network(x)
    network.eval()
    corners = x[:32].repeat(4, 1, 1).double()
    corners[1, :, 0] = corners[3, :, 0] = 1.3
    corners[2, :, 1] = corners[3, :, 1] = -0.7
    with torch.no_grad():
        whole, first, second, both = (network.double()(corner) for corner in corners)
    return float((whole - first - second + both).abs().max())


@pytest.mark.parametrize("operation", ["linear", "skip_connect"])
def test_one_linear_layer_is_a_sum_of_functions_of_single_columns(operation: str) -> None:
    assert interaction(operation) < 1e-12


@pytest.mark.parametrize("operation", ["gated_linear", "residual_block", "attention"])
def test_the_other_operations_relate_columns(operation: str) -> None:
    assert interaction(operation) > 1e-6


# ---- columns


def test_a_category_is_a_row_of_embeddings_and_an_unknown_one_its_bias_alone() -> None:
    torch.manual_seed(0)
    token = Category(3, 5)
    rows = token(torch.cat([torch.eye(3), torch.zeros(1, 3)]))
    assert rows.shape == (4, 5, 1)
    assert torch.allclose(rows[:3, :, 0], token.embedding.weight.T + token.embedding.bias)
    assert torch.equal(rows[3, :, 0], token.embedding.bias)


def test_each_column_becomes_a_token_of_its_own() -> None:
    torch.manual_seed(0)
    tokens = Tokens(TABLE.widths, 4)
    assert TABLE.widths == (1, 3, 1, 1, 1) and tokens.sizes == [1, 3, 3]
    x = torch.randn(2, 7)
    before = tokens(x)
    assert before.shape == (2, 4, 5)
    for place, column in enumerate((0, 1, 1, 1, 2, 3, 4)):
        changed = x.clone()
        changed[:, place] += 1.0
        touched = (tokens(changed) != before).any(dim=1).any(dim=0)
        assert touched.tolist() == [number == column for number in range(5)]


# ---- what they cost


@pytest.mark.parametrize("name", TABULAR)
def test_flops_and_parameters_of_a_table_s_primitives_in_closed_form(name: str) -> None:
    channels, columns, batch = 16, 5, 3
    module = build_primitive(name, channels, 1, replace(TRAINED, dims=1, places=columns))
    assert PRIMITIVES[name].parameters(channels, places=columns) == sum(value.numel() for value in module.parameters())
    bare = build_primitive(name, channels, 1, replace(SEARCH, dims=1, places=columns))
    assert PRIMITIVES[name].parameters(channels, places=columns, affine=False) == sum(value.numel() for value in bare.parameters())
    across, along, between = channels * columns**2, channels**2 * columns, 2 * channels * columns**2
    products = {
        "linear": across + along, "gated_linear": across + 2 * along, "residual_block": across + 2 * along,
        "attention": 4 * along + between,
    }
    with FlopCounter() as counter:
        module(torch.randn(batch, channels, columns))
    assert counter.total == 2 * batch * products.get(name, 0)


@KINDS
def test_the_count_of_a_network_is_torch_s_own(space_id: str) -> None:
    space = space_of(space_id)
    torch.manual_seed(0)
    network = module_of(space_id).build(space, space.sample(random.Random(1)), "final", TrainingConfig()).eval()
    x = inputs(space)
    with torch.no_grad(), FlopCounter() as counter:
        network(x)
    with torch.no_grad(), FlopCounterMode(display=False) as theirs:
        network(x)
    assert counter.total == theirs.get_total_flops() > 0


# ---- elsewhere


@pytest.mark.parametrize("seed", range(3))
@KINDS
def test_its_code_computes_the_same(space_id: str, seed: int) -> None:
    space = space_of(space_id)
    torch.manual_seed(seed)
    network = load_object(registry.space(space_id).builder)(space, space.sample(random.Random(seed)), "final", TrainingConfig(channels=4))
    with torch.no_grad():
        network.train()(inputs(space, 8))
    text = assert_same(network, space.shape.input)
    assert "search_engine" not in text
    assert_same(network, space.shape.input, training=True)


@KINDS
def test_onnx_computes_the_same(space_id: str, tmp_path: Path) -> None:
    space = space_of(space_id)
    torch.manual_seed(0)
    genome = space.sample(random.Random(2))
    if space_id == "tabular_cell":
        first, second = "c_{k-2}", "c_{k-1}"
        edges = [(first, "0", "linear"), (second, "0", "gated_linear"), (first, "1", "residual_block"), (second, "1", "attention")]
        genome = space.genome({"normal": [*edges, ("0", "2", "skip_connect"), ("1", "2", "linear")]})
    network = load_object(registry.space(space_id).builder)(space, genome, "final", TrainingConfig(channels=4))
    with torch.no_grad():
        network.train()(inputs(space, 8))
    examples = inputs(space, 4)
    write_onnx(exported(network.eval(), examples), examples, tmp_path / "model.onnx", None, {}, "classification")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    others = inputs(space, 7)
    (found,) = session.run(["logits"], {"x": others.numpy()})
    with torch.no_grad():
        assert np.abs(found - network(others).numpy()).max() < 1e-4
