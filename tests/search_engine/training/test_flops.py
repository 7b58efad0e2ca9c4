"""The counter of FLOPs says what torch's own says, whatever passes through it, but of convolutions by groups what they really take."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from search_engine.base.lazy import load_object
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.training.flops import FlopCounter
from tests.search_engine.spaces.test_contract import BUILT, space

aten = torch.ops.aten


def both(work: Callable[[], object]) -> tuple[int, int]:
    """(ours, torch's) of the same work."""
    with FlopCounter() as ours:
        work()
    with FlopCounterMode(display=False, custom_mapping={aten.convolution_backward: backward}) as torchs:
        work()
    return ours.total, torchs.get_total_flops()


def backward(gradient: Any, inputs: Any, weight: Any, _: Any, *settings: Any, out_shape: Any, **named: Any) -> int:
    """torch's own number with the products between groups taken out of the weights' gradient."""
    groups, wanted = settings[-2:]
    whole = flop_registry[aten.convolution_backward].__wrapped__
    (of_inputs, of_weights) = (
        whole(gradient, inputs, weight, _, *settings[:-1], [*one, False], out_shape=out_shape) if any(one) else 0
        for one in ([wanted[0], False], [False, wanted[1]])
    )
    return int(of_inputs + of_weights // groups)


@pytest.mark.parametrize("space_id", BUILT)
def test_a_training_step_of_every_family_of_networks(space_id: str) -> None:
    one = space(space_id)
    genome = one.sample(random.Random(5))
    network = load_object(registry.space(space_id).builder)(one, genome, "trial", TrainingConfig(**one.training_of(genome))).train()
    inputs = torch.zeros(2, *one.shape.input)

    def step() -> None:
        output = network(inputs)
        if output.requires_grad:
            output.sum().backward()

    ours, torchs = both(step)
    assert ours == torchs > 0


def convolutions() -> list[nn.Module]:
    return [
        nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.Conv2d(4, 4, 3, groups=4), nn.ConvTranspose2d(4, 2, 3, stride=2), nn.Conv2d(4, 4, 1),
    ]


@pytest.mark.parametrize("layer", convolutions(), ids=lambda layer: repr(layer).partition("(")[0] + str(layer.groups))
@pytest.mark.parametrize("wanted", ["all", "inputs", "weights"])
def test_only_the_gradients_that_are_wanted_count(layer: nn.Module, wanted: str) -> None:
    inputs = torch.randn(2, 4, 7, 7, requires_grad=wanted != "weights")
    leaves = {"all": [inputs, *layer.parameters()], "inputs": [inputs], "weights": list(layer.parameters())}[wanted]
    # torch's counter cannot follow a leaf into a module here.
    ours, torchs = both(lambda: torch.autograd.grad(layer(inputs.clone()).square().sum(), leaves))
    assert ours == torchs > 0


def test_second_order_gradients() -> None:
    layer = nn.Sequential(nn.Linear(5, 12), nn.Tanh(), nn.Linear(12, 2))
    inputs = torch.randn(2, 5)

    def curvature() -> None:
        first = torch.autograd.grad(layer(inputs).square().sum(), list(layer.parameters()), create_graph=True)
        torch.autograd.grad(sum(item.square().sum() for item in first), list(layer.parameters()))  # type: ignore[arg-type]

    ours, torchs = both(curvature)
    assert ours == torchs > 0


@pytest.mark.parametrize("layer", convolutions(), ids=lambda layer: repr(layer).partition("(")[0] + str(layer.groups))
@pytest.mark.parametrize("first", ["x", "w", "xw"])
@pytest.mark.parametrize("second", ["x", "w", "xw"])
def test_of_the_second_derivative_of_a_convolution_what_is_wanted_counts(layer: Any, first: str, second: str) -> None:
    """torch computes more, and its counter counts that. `first` are the gradients that are differentiated, `second` those of that."""
    leaves = {"x": torch.randn(2, 4, 7, 7, requires_grad=True), "w": layer.weight}
    inputs, weight = leaves["x"] * 1, leaves["w"] * 1  # torch cannot say of a leaf whether its gradient is wanted.
    with FlopCounter() as counter:
        given = torch.func.functional_call(layer, {"weight": weight}, (inputs,))
        gradients = torch.autograd.grad(given.sin().sum(), [leaves[name] for name in first], create_graph=True)
        torch.autograd.grad(sum(one.sin().sum() for one in gradients), [leaves[name] for name in second])  # type: ignore[arg-type]
    # The convolution, its gradients; of what comes back from each of these: to the gradient it was made of, and to the other tensor;
    # of what comes back to the result: to both.
    passes = 1 + len(first) + len(first) + ("x" in second and "w" in first) + ("w" in second and "x" in first) + len(second)
    maps = inputs if isinstance(layer, nn.ConvTranspose2d) else given
    assert counter.total == passes * 2 * maps.shape[0] * weight.numel() * maps.shape[2:].numel()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_products_without_gradients(mode: Callable[[], torch.no_grad]) -> None:
    """In inference mode `linear` and `matmul` arrive whole, and count by their parts."""
    batch, weight, bias = torch.randn(2, 3, 4), torch.randn(5, 4), torch.randn(5)

    def products() -> None:
        with mode():
            F.linear(batch, weight, bias)
            torch.matmul(batch, weight.t())
            torch.baddbmm(torch.zeros(1), batch, batch.transpose(1, 2))
            F.scaled_dot_product_attention(batch, batch, batch)
            F.conv2d(batch.unsqueeze(1), torch.randn(2, 1, 2, 2))

    ours, torchs = both(products)
    assert ours == torchs > 0


def test_counters_in_one_another_both_count() -> None:
    one = torch.ones(2, 2)
    with FlopCounter() as outer:
        one @ one
        with FlopCounter() as inner:
            one @ one
    assert (outer.total, inner.total) == (32, 16)


def test_a_depthwise_convolution_takes_a_product_per_weight_and_pixel_and_so_does_each_gradient() -> None:
    layer, inputs = nn.Conv2d(6, 6, 3, padding=1, groups=6, bias=False), torch.randn(2, 6, 5, 4, requires_grad=True)
    with FlopCounter() as counter:
        layer(inputs).sum().backward()
    assert counter.total == 3 * 2 * (2 * 6 * 5 * 4) * 9
