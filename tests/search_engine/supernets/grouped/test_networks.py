"""Whole super-networks, grouped by source and edge by edge: equal values and gradients in float64."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from search_engine.algorithms.bayes.conversion import to_bayesian
from search_engine.algorithms.simplex.estimators import ESTIMATORS, EstimatorName, VirtualStep
from search_engine.base.training_config import TrainingConfig
from search_engine.supernets import nb201_network
from search_engine.supernets.grouped.by_source import BySource
from search_engine.supernets.mixing import PerEdge
from search_engine.supernets.skip_dropout import install_skip_dropout
from tests.search_engine.supernets.grouped.twins import assert_equal, cell, derivatives, gamma_of, inputs_of, loss_of, nb201, twins

SMALL: dict[str, tuple[Any, Any]] = {
    "cell": cell(1, 8, 8, search_channels=2, nodes=2),
    "large maps": cell(2, 9, 11, search_channels=2, search_cells=3, nodes=1),
    "nb201": nb201(1, 8, 9, channels=2),
}
WHERE = pytest.mark.parametrize("where", SMALL)
EVALUATE = pytest.mark.parametrize("evaluate", ["all", "chosen", "chosen_bare"])


def of_network(network: nn.Module, x: Tensor, gamma: dict[str, Tensor] | None, *, twice: bool = False) -> list[Tensor | None]:
    """Logits, and gradients in the inputs, the structure and every weight."""
    inputs = x.clone().requires_grad_()
    weights = None if gamma is None else {name: value.clone().requires_grad_() for name, value in gamma.items()}
    of = [inputs, *(weights or {}).values(), *network.parameters()]
    return derivatives(lambda: network(inputs, weights), of, twice=twice)


def both(where: str, *, some: bool = False, twice: bool = False, gamma: bool = True, **options: Any) -> None:
    module, space = SMALL[where]
    plain, grouped = twins(module, space, **options)
    x, weights = inputs_of(space), gamma_of(space, some=some) if gamma else None
    assert_equal(of_network(grouped, x, weights, twice=twice), of_network(plain, x, weights, twice=twice))


@pytest.mark.parametrize(
    "case",
    [
        cell(1, 8, 8, search_channels=4), cell(3, 8, 8, search_channels=2, search_cells=4, nodes=1),
        cell(3, 13, 9, search_channels=2, nodes=3), cell(1, 4, 5, search_channels=2, nodes=2), nb201(1, 8, 8),
        nb201(3, 11, 13, channels=3, cells=2),
    ],
)  # fmt: skip
def test_all_operations(case: tuple[Any, Any]) -> None:
    """Normal cells, reductions and cells after a reduction, even and odd sides, maps above and below where the arithmetic changes."""
    module, space = case
    plain, grouped = twins(module, space)
    assert any(type(item) is BySource for item in grouped.modules()) and not any(isinstance(item, BySource) for item in plain.modules())
    x, weights = inputs_of(space), gamma_of(space)
    assert_equal(of_network(grouped, x, weights), of_network(plain, x, weights))


@WHERE
@EVALUATE
def test_some_operations(where: str, evaluate: Any) -> None:
    """What is not computed has no gradient: None, not zero."""
    both(where, some=True, evaluate=evaluate)


def test_another_choice_of_operations_is_grouped_anew() -> None:
    """A stage of shrinking, or a draw with zeros of its own, in one network."""
    module, space = SMALL["nb201"]
    plain, grouped = twins(module, space, evaluate="chosen")
    for weights in (gamma_of(space), gamma_of(space, some=True), gamma_of(space)):
        assert_equal(of_network(grouped, inputs_of(space), weights), of_network(plain, inputs_of(space), weights))


@WHERE
@EVALUATE
def test_partial_channels(where: str, evaluate: Any) -> None:
    module, space = SMALL[where]
    wide = nb201(*space.shape.input, channels=4) if module is nb201_network else cell(*space.shape.input, search_channels=4, nodes=2)
    plain, grouped = twins(*wide, share=2, evaluate=evaluate)
    weights = gamma_of(wide[1], some=evaluate != "all")
    assert_equal(of_network(grouped, inputs_of(space), weights), of_network(plain, inputs_of(space), weights))


@WHERE
@pytest.mark.parametrize("some", [False, True])
def test_dropout_on_skip_connections(where: str, some: bool) -> None:
    """The same values drop, although the sources come in another order than the edges."""
    both(where, dropout=0.4, some=some, evaluate="chosen" if some else "all")


@WHERE
@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}])
def test_second_derivatives(where: str, options: dict[str, Any]) -> None:
    """Of everything in everything: what the exact estimator and the largest eigenvalue ask for."""
    both(where, twice=True, **options)


@WHERE
def test_without_weights_of_the_structure(where: str) -> None:
    both(where, gamma=False)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("where", ["cell", "nb201"])
def test_architecture_gradients(where: str, estimator: EstimatorName) -> None:
    module, space = SMALL[where]
    gamma = gamma_of(space)
    found = []

    for network in twins(module, space):
        x, alphas = inputs_of(space, examples=6), [value.clone().requires_grad_() for value in gamma.values()]
        step = VirtualStep(0.1, 0.9, 1e-3)
        result = ESTIMATORS[estimator](
            loss_of(network, gamma, x[:3]), loss_of(network, gamma, x[3:]), list(network.parameters()), alphas, step)
        found.append([result.val_loss, *result.gradients])
    # A finite difference divides rounding by its shift.
    assert_equal(found[1], found[0], 1e-8 if estimator == "finite_difference" else 1e-10)


@WHERE
def test_float32_logits(where: str) -> None:
    module, space = SMALL[where]
    plain, grouped = twins(module, space, dtype=torch.float32)
    x, weights = inputs_of(space, torch.float32, 16), gamma_of(space, torch.float32)
    assert (plain(x, weights) - grouped(x, weights)).abs().max() <= 1e-5


@WHERE
def test_names_order_and_initial_values_are_those_of_the_plain_form(where: str) -> None:
    plain, grouped = twins(*SMALL[where])
    one, other = plain.state_dict(), grouped.state_dict()
    assert list(one) == list(other) and all(torch.equal(value, other[name]) for name, value in one.items())
    assert [name for name, _ in plain.named_parameters()] == [name for name, _ in grouped.named_parameters()]


@WHERE
def test_equal_calls_give_equal_bits(where: str) -> None:
    module, space = SMALL[where]
    _, grouped = twins(module, space, dtype=torch.float32)
    x, weights = inputs_of(space, torch.float32), gamma_of(space, torch.float32)
    first = of_network(grouped, x, weights)
    grouped(x[:2], gamma_of(space, torch.float32, some=True))
    again = of_network(grouped, x, weights)
    assert all((a is None and b is None) or torch.equal(a, b) for a, b in zip(first, again, strict=True))  # type: ignore[arg-type]


def test_super_networks_are_grouped_and_derived_networks_are_not() -> None:
    for module, space in SMALL.values():
        assert sum(isinstance(item, BySource) for item in module.build_supernet(space).modules()) >= 3
        network = module.build(space, space.sample(random.Random(0)), "trial", TrainingConfig())
        mixings = [item for item in network.modules() if isinstance(item, PerEdge)]
        assert mixings and all(type(item) is PerEdge for item in mixings)


def test_paths_and_one_operation_per_edge_are_left_to_the_plain_form() -> None:
    """Bit for bit."""
    for module, space in SMALL.values():
        plain, grouped = twins(module, space, dtype=torch.float32, evaluate="chosen")
        x, genome = inputs_of(space, torch.float32), space.sample(random.Random(0))
        assert torch.equal(plain.forward_path(x, genome), grouped.forward_path(x, genome))  # type: ignore[operator]
    module, space = SMALL["nb201"]
    plain, grouped = twins(module, space, dtype=torch.float32, evaluate="chosen")
    one = {name: nn.functional.one_hot(torch.arange(len(value)) % 5, 5).float() for name, value in gamma_of(space).items()}
    assert_equal(of_network(grouped, inputs_of(space, torch.float32), one), of_network(plain, inputs_of(space, torch.float32), one), 0.0)


def test_layers_exchanged_after_a_pass_are_seen() -> None:
    """A dropout in the place of a skip connection; layers with a distribution, which only the plain form can compute."""
    module, space = SMALL["cell"]
    x, weights = inputs_of(space), gamma_of(space)
    plain, grouped = twins(module, space)
    for network in (plain, grouped):
        network(x, weights)
        generator = torch.Generator().manual_seed(2)
        for dropout in install_skip_dropout(network):
            dropout.rate, dropout.generator = 0.5, generator
    assert_equal(of_network(grouped, x, weights), of_network(plain, x, weights))
    logits = []
    for network in twins(module, space):
        network(x, weights)
        torch.manual_seed(4)
        twin = to_bayesian(network).double()
        logits.append([twin(x, weights)])
    assert_equal(logits[1], logits[0], 0.0)


class Dispatched(TorchDispatchMode):
    """Counts the operations that reach a kernel or make a view."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return function(*args, **(kwargs or {}))


def work(network: nn.Module, x: Tensor, gamma: dict[str, Tensor]) -> tuple[int, int]:
    """(operations of a forward and a backward pass, bytes kept between them)."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    parameters = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    with Dispatched() as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(x, {name: value.requires_grad_() for name, value in gamma.items()}).sum().backward()
    return counter.count, sum(size for pointer, size in kept.items() if pointer not in parameters)


@pytest.mark.parametrize("case", [cell(1, 8, 8), cell(1, 16, 16, search_cells=4, search_channels=8), nb201(1, 8, 8)])
def test_fewer_operations_and_less_memory(case: tuple[Any, Any]) -> None:
    module, space = case
    plain, grouped = (work(network, inputs_of(space, torch.float32, 64), gamma_of(space, torch.float32))
                      for network in twins(module, space, dtype=torch.float32))
    if module is not nb201_network:  # A convolution there is one call, and a product and a view for every row of a kernel here.
        assert grouped[0] <= 0.95 * plain[0]
    assert grouped[1] <= 0.6 * plain[1]
