"""The loop and who listens to it: which hook is called when, and what a listener may do."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.darts import DartsConfig, DartsSearch
from search_engine.algorithms.simplex.loop import Listener
from search_engine.base.checkpoint import pack, unpack
from search_engine.events import Cost, EventLog
from search_engine.spaces.base import SpaceConfig
from search_engine.spaces.genomes import Genome
from tests.search_engine.algorithms.simplex.planted import OPERATIONS, SHAPE, PlantedSpace, planted_data, registered


class Spy(Listener):
    """Writes down every hook, holds the structure on odd steps, spends a sample a step, and prefers the last operation everywhere."""

    name = "spy"

    def __init__(self, loop: Any) -> None:
        super().__init__(loop)
        self.heard: list[str] = []

    def network_changes(self) -> dict[str, Any]:
        assert not hasattr(self.loop, "network")
        self.heard.append("network_changes")
        return {}

    def structure(self, alpha: Any, generator: torch.Generator) -> Any:
        self.heard.append("structure")
        return alpha

    def created(self) -> None:
        assert self.loop.alpha_optimizer is not None
        self.heard.append("created")

    def begun(self) -> None:
        self.heard.append("begun")

    def before_step(self) -> None:
        self.heard.append(f"before {self.loop.done}")

    def holds_structure(self) -> bool:
        return self.loop.done % 2 == 1

    def after_step(self) -> Cost:
        self.heard.append(f"after {self.loop.done}")
        return Cost(forward_backward=1)

    def derived(self, genome: Genome, weights: dict[str, Any]) -> Genome:
        return Genome(genome.space, {"operations": [OPERATIONS[-1]] * 3})

    def numbers(self) -> dict[str, float]:
        return {"heard": float(len(self.heard))}

    def state_dict(self) -> dict[str, Any]:
        return {"heard": list(self.heard)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.heard = list(state["heard"])


class Watched(DartsSearch):
    def listen(self) -> list[Listener]:
        return [Spy(self), *super().listen()]


def search_of(kind: type[DartsSearch], **options: Any) -> Any:
    torch.manual_seed(0)
    context = Context(
        space=PlantedSpace(SpaceConfig(), SHAPE), options=DartsConfig(**{"steps": 4, **options}), seed=0, rng=random.Random(0),
        metric="val_accuracy", log=EventLog("phase:0"), data=planted_data(0),
    )
    search = kind()
    with registered():
        search.begin(context, None)
    return search


def spy_of(search: Any) -> Spy:
    spy: Spy = search.listeners[0]
    return spy


def test_every_hook_is_called_in_its_place() -> None:
    search = search_of(Watched)
    assert spy_of(search).heard == ["network_changes", "structure", "created", "begun"]
    search.step()
    search.step()
    assert spy_of(search).heard[4:] == ["before 0", "after 1", "before 1", "after 2"]


def test_the_listeners_stand_in_one_order() -> None:
    """What changes the search comes before what watches it, and that before what tells of it."""
    assert [listener.name for listener in search_of(DartsSearch).listeners] == [
        "shrinking", "partial_channels", "edge_normalisation", "skip_dropout", "habits", "progress", "skip_cap",
    ]


def test_a_listener_can_hold_the_structure_and_its_cost_counts() -> None:
    search = search_of(Watched)
    costs, moved = [], []
    for _ in range(3):
        before, weights = search.alpha.parameters[0].detach().clone(), search.weights[0].detach().clone()
        costs.append(search.step().forward_backward)
        moved.append(not torch.equal(before, search.alpha.parameters[0]))
        assert not torch.equal(weights, search.weights[0])
    assert moved == [True, False, True] and costs == [64 + 64 + 1, 64 + 1, 64 + 64 + 1]
    assert search.cost.forward_backward == sum(costs)


class Stopped(Spy):
    """Stops the search at the end of its first epoch."""

    def after_step(self) -> Cost:
        if self.loop.epoch_ends:
            self.loop.stopped = "the spy has seen enough"
        return super().after_step()


class StoppedEarly(DartsSearch):
    def listen(self) -> list[Listener]:
        return [Stopped(self), *super().listen()]


def test_a_listeners_stop_is_kept_by_those_that_come_after_it() -> None:
    search = search_of(StoppedEarly, steps=1000)
    while not search.finished:
        search.step()
    assert search.done == search.train_order.per_epoch < 1000
    assert search.stopped == "the spy has seen enough" and search.stop_reason == "stopped"


def test_what_is_derived_is_what_the_listeners_leave() -> None:
    search = search_of(Watched)
    search.step()
    events = search.context.log.drain()
    (finalist,) = search.best()
    assert finalist.genome.content["operations"] == [OPERATIONS[-1]] * 3
    derived = [event.payload for event in events if event.kind == "derived"]
    assert [Genome.from_json(item.genome) for item in derived] == [finalist.genome]
    assert [event.payload.values["heard"] for event in events if event.kind == "metrics"] == [4.0, 6.0]


def test_a_listeners_state_travels_with_the_loop() -> None:
    search, other = search_of(Watched), search_of(Watched)
    search.step()
    other.load_state_dict(unpack(pack(search.state_dict())))
    assert spy_of(other).heard == spy_of(search).heard


@pytest.mark.parametrize("xi", [0.0, 1.0])
def test_a_step_is_algorithm_1_line_by_line(xi: float) -> None:
    """Written out with autograd: line 1 at the old weights, line 2 at the new alpha."""
    plain = {"momentum": 0.0, "weight_decay": 0.0, "gradient_clip": 0.0, "structure_weight_decay": 0.0}
    search = search_of(DartsSearch, estimator="exact", xi=xi, **plain)
    alpha = search.alpha.parameters[0].detach().clone().requires_grad_(True)
    w = [weight.detach().clone().requires_grad_(True) for weight in search.weights]
    train = search.train_part.take(search.train_order.indices(0))
    val = search.val_part.take(search.val_order.indices(0))
    names = list(dict(search.network.named_parameters()))

    def loss(batch: Any, weights: list[torch.Tensor], alphas: torch.Tensor) -> torch.Tensor:
        named = dict(zip(names, weights, strict=True))
        logits = torch.func.functional_call(search.network, named, (batch[0], {"plant": alphas.softmax(-1)}))
        return torch.nn.functional.cross_entropy(logits, batch[1])

    rate = search._learning_rate()
    search.step()
    # 1. Update architecture alpha by descending d/d alpha L_val(w - xi d/dw L_train(w, alpha), alpha)
    inner = torch.autograd.grad(loss(train, w, alpha), w, create_graph=True)
    ahead = [weight - xi * rate * gradient for weight, gradient in zip(w, inner, strict=True)]
    (gradient,) = torch.autograd.grad(loss(val, ahead, alpha), [alpha])
    assert torch.allclose(search.alpha.parameters[0].grad, gradient, atol=1e-6)
    assert torch.allclose(search.alpha.parameters[0], alpha - 0.03 * gradient.sign(), atol=1e-4)
    # 2. Update weights w by descending d/dw L_train(w, alpha)
    outer = torch.autograd.grad(loss(train, w, search.alpha.parameters[0].detach()), w)
    assert all(torch.allclose(new, old - rate * g, atol=1e-6) for new, old, g in zip(search.weights, w, outer, strict=True))
