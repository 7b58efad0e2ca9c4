"""AdaNet as a search: what it grows on problems of known depth, each step's reason, what wrong variants do, checkpoints, controls."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
import torch

from search_engine.algorithms.adanet import report
from search_engine.algorithms.adanet.controls import PlainNetwork, RandomDepths, plain_width
from search_engine.algorithms.adanet.finishing import finish
from search_engine.algorithms.adanet.search import AdaNet, AdaNetConfig
from search_engine.algorithms.base import Context
from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue import config
from search_engine.datasets.base import SearchData
from search_engine.events import EventLog, decode_floats
from search_engine.supernets.ensemble_network import Subnetwork
from search_engine.training.evaluation import evaluate
from tests.search_engine.algorithms.adanet.problems import depths, growing, grown, problem
from tests.search_engine.searches import image_data

LAMBDAS = (0.0, 0.005, 0.05, 0.5)


def of_kind(events: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]


def objectives(search: AdaNet) -> list[float]:
    """F before the first iteration and after each accepted one."""
    return [search.report.rounds[0].before, *(done.loss + done.penalty for done in search.report.rounds if done.accepted)]


def assert_strictly_decreasing(search: AdaNet) -> None:
    values = objectives(search)
    assert all(after < before for before, after in itertools.pairwise(values)), values
    assert all(done.accepted for done in search.report.rounds[:-1]), "a rejected candidate ends the search"


# ---- what it grows: a fast gate, and the twelve runs


def gate(name: str, weight: float) -> AdaNet:
    """A short search: two iterations."""
    return grown(problem(name), complexity_weight=weight, iterations=2)


def test_a_line_needs_no_depth_at_a_price() -> None:
    search = gate("linear", 0.05)
    assert set(depths(search)) == {0} and search.report.rounds[-1].train_accuracy > 0.97
    assert_strictly_decreasing(search)


def test_exclusive_or_needs_a_hidden_layer() -> None:
    search = gate("xor", 0.005)
    assert max(depths(search)) >= 1 and search.report.rounds[-1].train_accuracy > 0.93
    assert_strictly_decreasing(search)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ["linear", "xor", "sinprod"])
def test_depth_and_objective_at_four_prices(name: str, seed: int) -> None:
    runs = {weight: grown(problem(name, seed), seed=seed, complexity_weight=weight) for weight in LAMBDAS}
    for search in runs.values():
        assert_strictly_decreasing(search)
    sums = [sum(depths(runs[weight])) for weight in LAMBDAS]
    if name == "linear":
        assert set(depths(runs[0.05])) == {0} and runs[0.05].report.rounds[-1].train_accuracy > 0.97
    if name == "xor":
        assert sums == sorted(sums, reverse=True)
        assert max(depths(runs[0.005])) >= 1 and runs[0.005].report.rounds[-1].train_accuracy > 0.93
    assert sums[0] > sums[-1]


# ---- wrong variants


class ComplexityUnused(AdaNet):
    """r plays no part in F."""

    def _penalty(self, depth: int) -> float:
        return self.options.l1_weight


class AcceptsAlways(AdaNet):
    """Adds a candidate whether or not F falls."""

    def _accepts(self, before: float, found: report.Tried) -> bool:
        return True


def test_without_the_complexity_a_line_gets_depth() -> None:
    assert max(depths(grown(problem("linear"), ComplexityUnused, complexity_weight=0.05, iterations=1))) > 0


def test_accepting_without_a_decrease_leaves_the_objective_where_it_was() -> None:
    """At this price no second subnetwork pays: F stays, and the check of a strict decrease sees it."""
    options = {"complexity_weight": 0.0, "l1_weight": 0.4, "iterations": 3, "epochs": 5}
    search = grown(problem("xor"), AcceptsAlways, **options)
    with pytest.raises(AssertionError):
        assert_strictly_decreasing(search)
    right = grown(problem("xor"), **options)
    assert_strictly_decreasing(right)


def test_without_a_bound_the_price_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs grow while weights shrink: the penalty is all but gone, and a line gets depth at a price of 0.05."""
    bounded = grown(problem("xor"), complexity_weight=0.5, iterations=1, epochs=60, learning_rate=0.03)
    monkeypatch.setattr(Subnetwork, "bound", lambda self, values: values)
    free = grown(problem("xor"), complexity_weight=0.5, iterations=1, epochs=60, learning_rate=0.03)
    assert max(depths(bounded), default=0) == 0 and max(depths(free)) == 1
    assert free.report.rounds[0].tried[1].penalty < 0.5 * free.report.rounds[0].tried[1].loss + 0.3


# ---- the loop


def test_candidates_are_as_deep_as_the_last_and_one_deeper() -> None:
    search = growing(problem("xor"), complexity_weight=0.0, iterations=3, epochs=2)
    expected = [0, 1]
    while not search.finished:
        members = len(search.ensemble.members)
        assert search.depths == expected
        search.step()
        if len(search.ensemble.members) > members:
            last = search.ensemble.subnets[-1].depth
            expected = [last, last + 1]
    assert growing(problem("xor"), initial_depth=2).depths == [2, 3]
    assert growing(problem("xor"), initial_depth=2, deepest=2).depths == [2]


def test_the_frozen_ensemble_does_not_change() -> None:
    search = growing(problem("xor"), complexity_weight=0.0, iterations=2, epochs=3, connections=True)
    while not search.ensemble.members:
        search.step()
    member = search.ensemble.members[0]
    before = {name: value.clone() for name, value in member.network.state_dict().items()}
    while not search.finished:
        search.step()
    assert all(torch.equal(before[name], value) for name, value in member.network.state_dict().items())


def test_a_candidate_is_trained_on_what_the_ensemble_leaves() -> None:
    """One step of a candidate written out: the loss of f + w h with f fixed, and the price of |w|."""
    search = growing(problem("xor"), complexity_weight=0.05, iterations=2, epochs=2)
    while not search.ensemble.members:
        search.step()
    search.step()
    made = search.candidate
    assert made is not None and made.trained == 1
    positions = made.order.indices(1)
    inputs, labels = search.ensemble.parts["train"].take(positions)
    member = search.ensemble.members[0]
    f = float(search.ensemble.weights[0]) * member.network(inputs)[-1].detach()
    h = made.member.network(inputs)[-1]
    loss = torch.nn.functional.softplus(1 - (2 * labels - 1) * (f + made.weight * h)[:, 0]).mean()
    weight = made.weight.detach().clone()
    (gradient,) = torch.autograd.grad(loss + search._penalty(made.member.subnet.depth) * made.weight.abs(), made.weight)
    found, _ = made.train()
    assert found == pytest.approx(float(loss.detach()), rel=1e-5)
    assert float(made.weight.grad) == pytest.approx(float(gradient), rel=1e-4) and not torch.equal(made.weight, weight)


def test_weights_are_found_together_and_before_is_the_last_after() -> None:
    search = grown(problem("xor"), complexity_weight=0.001, iterations=3, epochs=8)
    rounds = search.report.rounds
    for earlier, later in itertools.pairwise(rounds):
        assert later.before == pytest.approx(earlier.loss + earlier.penalty, abs=1e-12)
    assert rounds[0].before == pytest.approx(math.log1p(math.e))
    objective = search._objective(None)
    assert objective.value(search.ensemble.weights).total == pytest.approx(rounds[-1].loss + rounds[-1].penalty)


def test_where_nothing_pays_the_ensemble_is_the_constant() -> None:
    search = grown(problem("xor"), l1_weight=10.0, epochs=1, iterations=3)
    assert search.iteration == 1 and not search.report.rounds[0].accepted
    (finalist,) = search.best()
    assert finalist.genome.content["weights"] == [0.0]
    (step, *_) = [item for item in of_kind(search.context.log.drain(), "growth_step") if "ensemble stops" in item.reason]
    assert not step.accepted and "best weight is 0" in step.reason


def test_with_the_rademacher_complexity_a_linear_model_costs_something_too() -> None:
    search = grown(problem("xor"), complexity="rademacher", complexity_weight=0.1, iterations=2, epochs=3, rademacher_steps=20)
    assert 0 < search.complexities[0] < 1 and 0 < search.complexities[1] < 1
    notices = of_kind(search.context.log.drain(), "notice")
    assert [notice.values["depth"] for notice in notices][:2] == [0, 1]


def test_a_diverging_candidate_fails_with_its_reason() -> None:
    search = growing(problem("xor"), surrogate="exponential", learning_rate=10.0, epochs=50)
    with pytest.raises(TrialFailure, match="not a number"):
        while not search.finished:
            search.step()
            with torch.no_grad():
                if search.candidate is not None:
                    search.candidate.weight.mul_(-1000)


# ---- events


def test_every_candidate_is_a_growth_step_with_both_objectives_and_its_reason() -> None:
    search = grown(problem("xor"), complexity_weight=0.005, iterations=3, epochs=8)
    events = search.context.log.drain()
    steps = of_kind(events, "growth_step")
    assert [step.number for step in steps] == list(range(len(steps))) and len(steps) == 2 * search.iteration
    for first, second in zip(steps[::2], steps[1::2], strict=True):
        assert first.accepted + second.accepted <= 1 and first.before == second.before
        names = [f"objective_depth_{int(item.values['depth'])}" for item in (first, second)]
        for item in (first, second):
            assert item.values[names[0]] == first.after and item.values[names[1]] == second.after
            assert item.after == pytest.approx(item.values["loss"] + item.values["penalty"]) and item.reason
        taken = [item for item in (first, second) if item.accepted]
        assert all(item.after == min(first.after, second.after) < item.before for item in taken)
    champions, charts = of_kind(events, "champion"), of_kind(events, "charts")
    assert len(champions) == sum(step.accepted for step in steps) and len(charts) == search.iteration
    assert [len(champion.genome["subnetworks"] if "subnetworks" in champion.genome else champion.genome["content"]["subnetworks"])
            for champion in champions] == list(range(1, len(champions) + 1))
    assert all(champion.added_nodes for champion in champions[1:])
    objective, mixture, _ = charts[-1].charts
    assert decode_floats(objective.series[0].y).tolist() == pytest.approx(
        [search.report.rounds[0].before, *(done.loss + done.penalty for done in search.report.rounds)], rel=1e-6
    )
    assert mixture.categories and len(decode_floats(mixture.series[0].y)) == len(search.ensemble.members)


def test_every_pass_is_charged() -> None:
    search = growing(problem("xor"), iterations=1, epochs=1, batch_size=100)
    costs = []
    while not search.finished:
        costs.append(search.step())
    assert [cost.forward_backward for cost in costs] == [100] * 6 + [0] + [100] * 6 + [0]
    assert [cost.forward for cost in costs if not cost.forward_backward] == [1200, 1200]
    assert search.planned_samples() == pytest.approx(search.cost.samples) and search.horizon == len(costs)


# ---- what comes out


@pytest.mark.parametrize("connections", [False, True])
def test_the_finished_network_is_the_grown_ensemble(connections: bool) -> None:
    data = image_data()
    options = {"complexity_weight": 0.0, "l1_weight": 0.0, "initial_depth": 1, "iterations": 3, "epochs": 1, "batch_size": 16}
    search = grown(data, connections=connections, **options)
    (finalist,) = search.best()
    assert finalist.finish == "as_is" and len(finalist.genome.content["subnetworks"]) == 3
    finished = finish(search.space, finalist, data, 0, "cpu")
    scores = finished.score("val", data.validation)
    assert scores["accuracy"] == pytest.approx(finalist.value)
    assert scores["loss"] == pytest.approx(search.report.rounds[-1].val_loss, rel=1e-4)
    assert scores["loss"] == evaluate(finished.network, data.validation, data.preprocessing)["loss"] and finished.cost.forward == 0


def test_subnetworks_without_a_weight_are_left_out() -> None:
    search = grown(problem("xor"), complexity_weight=0.0, iterations=3, epochs=3)
    whole = search.best()[0]
    with torch.no_grad():
        search.ensemble.weights[1] = 0.0
    (finalist,) = search.best()
    assert len(finalist.genome.content["subnetworks"]) == len(whole.genome.content["subnetworks"]) - 1
    finished = finish(search.space, finalist, problem("xor"), 0, "cpu")
    assert finished.score("val", problem("xor").validation)["accuracy"] == pytest.approx(finalist.value)
    assert len(finished.network.subnetworks) == 2


@pytest.mark.parametrize("steps", [1, 10, 11])
def test_a_search_that_is_cut_early_still_has_a_network(steps: int) -> None:
    search = growing(problem("xor"), iterations=1, epochs=1, complexity="rademacher", rademacher_steps=5)
    for _ in range(steps):
        search.step()
    (finalist,) = search.best()
    finish(search.space, finalist, problem("xor"), 0, "cpu").score("val", problem("xor").validation)
    assert len(finalist.genome.content["subnetworks"]) == 1


@pytest.mark.parametrize("options", [{}, {"connections": True}, {"complexity": "rademacher", "rademacher_steps": 5}])
def test_a_reload_after_any_step_goes_on_with_equal_bits(options: dict[str, Any]) -> None:
    """Cut in the training of a first and of a second candidate, right after a weighing, and after an iteration."""
    values = {"complexity_weight": 0.001, "iterations": 2, "epochs": 1, "batch_size": 200, **options}
    whole = growing(problem("xor"), **values)
    resumed = growing(problem("xor"), **values)
    while not whole.finished:
        torch.manual_seed(whole.done)
        whole.step()
        fresh = growing(problem("xor"), **values)
        fresh.load_state_dict(unpack(pack(resumed.state_dict())))
        fresh.context.log.load_state_dict(resumed.context.log.state_dict())
        torch.manual_seed(whole.done - 1)
        fresh.step()
        resumed = fresh
        assert pack(resumed.state_dict()) == pack(whole.state_dict())
        assert [event.model_dump() for event in fresh.context.log.drain()] == [event.model_dump() for event in whole.context.log.drain()]
    assert resumed.finished and len(whole.ensemble.members) >= 1


def test_options_that_contradict_each_other_are_refused_by_name() -> None:
    for options, field in (
        ({"initial_depth": 3, "deepest": 2}, "options.initial_depth"),
        ({"controls": ["plain_network", "plain_network"]}, "options.controls"),
        ({"complexity_weight": -0.1}, "options.complexity_weight"),
        ({"rademacher_bound": 0}, "options.rademacher_bound"),
    ):
        with pytest.raises(BadInput) as caught:
            config.check({"algorithm": "adanet", "options": options})
        assert caught.value.field == field


# ---- controls


def controlled(kind: type[Any], data: SearchData, handover: dict[str, Any] | None) -> Any:
    search = growing(data)
    torch.manual_seed(0)
    context = Context(**{**search.context.__dict__, "log": EventLog("phase:1"), "rng": random.Random(1), "options": AdaNetConfig(width=8)})
    control = kind()
    control.begin(context, handover)
    return control


def test_controls_get_as_many_samples_and_say_how_they_did() -> None:
    data = problem("xor")
    handover = {"subnetworks": 3, "deepest": 2, "samples": 3000.0, "parameters": 200, "val_accuracy": 0.9}
    for kind in (PlainNetwork, RandomDepths):
        control = controlled(kind, data, handover)
        spent = 0
        while not control.finished:
            spent += control.step().forward_backward
        assert spent == 3000 and control.best() == []
        (scored,) = of_kind(control.context.log.drain(), "control")
        assert scored.name == kind.condition and 0 <= scored.values["val_accuracy"] <= 1 and scored.values["adanet_val_accuracy"] == 0.9
        assert kind is RandomDepths or abs(scored.values["parameters"] - 200) < 20
        assert controlled(kind, data, None).finished


@pytest.mark.parametrize(("depth", "parameters"), [(1, 500), (2, 500), (3, 5000), (1, 1)])
def test_the_plain_network_has_the_nearest_number_of_parameters(depth: int, parameters: int) -> None:
    def count(width: int) -> int:
        return 65 * width + (depth - 1) * (width + 1) * width + (width + 1) * 10

    width = plain_width(64, 10, depth, parameters)
    assert all(abs(count(width) - parameters) <= abs(count(other) - parameters) for other in range(1, 200))
