"""What every search on the simplex is made of: the orders in which weights and structure move, further terms, common random numbers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.config import BilevelConfig
from search_engine.algorithms.simplex.estimators import ESTIMATORS, VirtualStep
from search_engine.algorithms.simplex.relaxation import BatchLoss
from search_engine.algorithms.simplex.search import Order, SimplexSearch
from search_engine.base.checkpoint import pack, unpack
from search_engine.events import EventLog, decode_floats
from search_engine.spaces.base import SpaceConfig
from search_engine.structures import GumbelSoftmaxStructure, SoftmaxStructure, StructureDistribution
from search_engine.training import precision
from tests.search_engine.algorithms.simplex.planted import SHAPE, TRUTH, PlantedSpace, planted_data, registered
from tests.search_engine.searches import network_search


class Plain(SimplexSearch):
    """A softmax structure, moved in the order that its class says."""

    title = "Plain"
    moves: Order = "structure_first"
    pull = 0.0
    """Adds pull * sum(alpha) to the structure's loss."""

    @property
    def order(self) -> Order:
        return self.moves

    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> StructureDistribution:
        return SoftmaxStructure(shapes, generator, device)

    def structure_terms(self) -> torch.Tensor | None:
        return self.pull * self.choice.parameters[0].sum() if self.pull else None


class WeightsFirst(Plain):
    moves = "weights_first"


class SingleLevel(Plain):
    moves = "single_level"


class Drawn(Plain):
    """Gumbel-Softmax draws at a temperature that follows the step."""

    choice: GumbelSoftmaxStructure

    def make_structure(self, shapes: dict[str, tuple[int, int]], generator: torch.Generator, device: str) -> StructureDistribution:
        return GumbelSoftmaxStructure(shapes, generator, device)

    def before_step(self) -> None:
        self.choice.temperature = 2.0 - self.progress

    def numbers(self) -> dict[str, float]:
        return {"temperature": self.choice.temperature}

    def draws(self) -> dict[str, Any]:
        return self.choice.draws(5, self.generator("picture"))


def search_of(kind: type[SimplexSearch], **options: Any) -> Any:
    torch.manual_seed(0)
    context = Context(
        space=PlantedSpace(SpaceConfig(), SHAPE), options=BilevelConfig(**{"steps": 20, **options}), seed=0, rng=random.Random(0),
        metric="val_accuracy", log=EventLog("phase:0"), data=planted_data(0),
    )
    search = kind()
    with registered():
        search.begin(context, None)
    return search


def values(search: Any) -> tuple[list[torch.Tensor], torch.Tensor]:
    """(weights, alpha), as leaves of their own."""
    leaves = [weight.detach().clone().requires_grad_(True) for weight in search.weights]
    return leaves, search.alpha.parameters[0].detach().clone().requires_grad_(True)


def loss_of(search: Any, batch: Any, weights: list[torch.Tensor], alpha: torch.Tensor) -> torch.Tensor:
    named = dict(zip(dict(search.network.named_parameters()), weights, strict=True))
    logits = torch.func.functional_call(search.network, named, (batch[0], {"plant": alpha.softmax(-1)}))
    return torch.nn.functional.cross_entropy(logits, batch[1])


PLAIN_SGD = {"momentum": 0.0, "weight_decay": 0.0, "gradient_clip": 0.0, "structure_weight_decay": 0.0}


@pytest.mark.parametrize("kind", [Plain, WeightsFirst, SingleLevel])
def test_who_moves_first_decides_at_what_the_gradients_are_taken(kind: type[Plain]) -> None:
    search = search_of(kind, **PLAIN_SGD)
    for _ in range(3):
        search.step()
    (old_w, old_a), done = values(search), search.done
    train = search.train_part.take(search.train_order.indices(done))
    rate = search._learning_rate()
    search.step()
    new_w, new_a = values(search)
    move = train if kind is SingleLevel else search.val_part.take(search.val_order.indices(done))
    at_w = new_w if kind is WeightsFirst else old_w
    at_a = new_a if kind is Plain else old_a
    gradients = torch.autograd.grad(loss_of(search, train, old_w, at_a), old_w)
    assert all(torch.allclose(new, old - rate * g, atol=1e-6) for new, old, g in zip(new_w, old_w, gradients, strict=True))
    (expected,) = torch.autograd.grad(loss_of(search, move, at_w, old_a), old_a)
    assert torch.allclose(search.alpha.parameters[0].grad, expected, atol=1e-6)
    # The other orders' gradients differ by more than the tolerance: the test tells them apart.
    (wrong,) = torch.autograd.grad(loss_of(search, move, old_w if kind is WeightsFirst else new_w, old_a), old_a)
    assert not torch.allclose(search.alpha.parameters[0].grad, wrong, atol=1e-6)


def test_a_single_level_uses_all_training_data_and_one_pass() -> None:
    search = search_of(SingleLevel)
    assert len(search.train_part) == 1024 and not hasattr(search, "val_part")
    assert search.step().forward_backward == 64
    metrics = [event.payload for event in search.context.log.drain() if event.kind == "metrics"][-1]
    assert "train_loss" in metrics.values and "val_loss" not in metrics.values


def test_a_single_level_that_is_held_moves_the_weights_alone() -> None:
    search = search_of(SingleLevel, warm_up_epochs=1)
    weights, alpha = values(search)
    search.step()
    assert torch.equal(alpha, search.alpha.parameters[0]) and not torch.equal(weights[0], search.weights[0])


@pytest.mark.parametrize("kind", [Plain, WeightsFirst, SingleLevel])
def test_further_terms_belong_to_the_structure_alone(kind: type[Plain]) -> None:
    plain, pulled = search_of(kind), search_of(type("Pulled", (kind,), {"pull": 0.25}))
    if kind is Plain:
        # The weights move after alpha, and would see the difference.
        plain._move_structure(plain._loss(plain.train_part, plain.train_order), 0.1)
        pulled._move_structure(pulled._loss(pulled.train_part, pulled.train_order), 0.1)
    else:
        plain.step()
        pulled.step()
        assert all(torch.equal(a, b) for a, b in zip(plain.weights, pulled.weights, strict=True))
    assert torch.allclose(pulled.alpha.parameters[0].grad, plain.alpha.parameters[0].grad + 0.25, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [Plain, WeightsFirst, SingleLevel])
def test_every_order_recovers_the_plant(kind: type[Plain], seed: int) -> None:
    torch.manual_seed(seed)
    search = search_of(kind, steps=600)
    while not search.finished:
        search.step()
    assert search.best()[0].genome.content["operations"] == TRUTH


def test_the_structures_gradient_can_be_clipped() -> None:
    search = search_of(Plain, structure_gradient_clip=0.001)
    search.step()
    assert float(search.alpha.parameters[0].grad.norm()) == pytest.approx(0.001, rel=1e-3)


# ---- draws


def architecture_gradients(search: Any, loss: type[BatchLoss]) -> dict[str, torch.Tensor]:
    """By finite difference and exactly, at the same weights, batches and draws; momentum and a long look-ahead."""
    torch.manual_seed(0)

    def level(part: Any, order: Any, noise: int) -> BatchLoss:
        return loss(search.network, search.alpha, part.take(order.indices(search.done)), search.precision, "classification", noise)

    found = {}
    for name in ("first", "finite_difference", "exact"):
        train, val = level(search.train_part, search.train_order, 1), level(search.val_part, search.val_order, 2)
        step = VirtualStep(0.5, 0.9, 3e-4, search._momentum_buffers())
        found[name] = ESTIMATORS[name](train, val, search.weights, search.alpha.parameters, step).gradients[0]
    return found


class FreshNoise(BatchLoss):
    """The wrong variant: every pass draws anew."""

    def __call__(self, *args: Any) -> torch.Tensor:
        self._noise += 1
        return super().__call__(*args)


def implicit_error(gradients: dict[str, torch.Tensor]) -> float:
    """Of the term that looks ahead, relative."""
    exact = gradients["exact"] - gradients["first"]
    return float((gradients["finite_difference"] - gradients["first"] - exact).norm() / exact.norm())


def test_the_passes_of_an_estimator_share_their_draws() -> None:
    search = search_of(Drawn)
    for _ in range(10):
        search.step()
    assert implicit_error(architecture_gradients(search, BatchLoss)) < 0.05
    assert implicit_error(architecture_gradients(search, FreshNoise)) > 0.5


@pytest.mark.parametrize("estimator", ["first", "finite_difference"])
def test_a_step_computes_in_the_network_itself(estimator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters are not exchanged for a pass, which takes milliseconds where there are many."""
    search = search_of(Plain, estimator=estimator)
    monkeypatch.setattr(torch.func, "functional_call", lambda *_: pytest.fail("the parameters were exchanged"))
    search.step()


def test_draws_differ_between_levels_and_steps_and_repeat_within() -> None:
    search = search_of(Drawn)

    def draw(level: str) -> torch.Tensor:
        result: torch.Tensor = search.alpha.sample(None, search.generator(level))["plant"]
        return result

    assert torch.equal(draw("weights"), draw("weights")) and not torch.equal(draw("weights"), draw("structure"))
    before = draw("weights")
    search.step()
    assert not torch.equal(draw("weights"), before)


def test_what_a_method_adds_is_shown_and_restored() -> None:
    search = search_of(Drawn, steps=11)
    events = []
    for _ in range(5):
        search.step()
        events += search.context.log.drain()
    frame = [event.payload for event in events if event.kind == "structure"][-1]
    draws = decode_floats(frame.samples["plant"]).reshape(5, 3, 5)
    assert np.allclose(draws.sum(-1), 1, atol=1e-5) and len(np.unique(draws[:, 0, 0])) == 5
    temperatures = [event.payload.values["temperature"] for event in events if event.kind == "metrics"]
    assert temperatures[0] == 2.0 and temperatures[-1] == pytest.approx(2.0 - 0.4)
    restored = search_of(Drawn, steps=11)
    restored.load_state_dict(unpack(pack(search.state_dict())))
    assert restored.choice.temperature == pytest.approx(2.0 - 0.5)
    search.step()
    restored.step()
    assert torch.equal(search.alpha.parameters[0], restored.alpha.parameters[0])


@pytest.mark.parametrize(("estimator", "half"), [("first", True), ("exact", True), ("finite_difference", False)])
def test_finite_differences_are_taken_in_full_precision(estimator: str, half: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their shift of the weights is smaller than half precision resolves: the product with the Hessian would be rounding noise."""
    asked: list[bool] = []

    class Recorded(precision.Precision):
        def __init__(self, device: str, amp: bool) -> None:
            asked.append(amp)
            super().__init__(device, amp)

    monkeypatch.setattr(precision, "Precision", Recorded)
    network_search("cell", amp=True, estimator=estimator)
    assert asked == [half]
