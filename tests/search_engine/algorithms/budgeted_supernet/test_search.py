"""Budgeted super-networks as a search: the planted problem, the step, budgets that are refused, events, measured latency, digits."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.budgeted_supernet import checks, estimator, measuring, random_networks
from search_engine.algorithms.budgeted_supernet.search import BudgetedSupernet, BudgetedSupernetConfig
from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue import config, registry
from search_engine.datasets.base import SearchData
from search_engine.events import EventLog, decode_floats
from search_engine.spaces.block_costs.costs import BlockCosts
from tests.search_engine.algorithms.budgeted_supernet.planted_blocks import outcome, planted_search
from tests.search_engine.searches import image_data

SMALL = {"columns": 2, "scales": 2, "channels": 4}
TOY_RATE = {"structure_learning_rate": 0.05}
GATE = {"structure_learning_rate": 0.1, "steps": 200}
EMPTY_LOSS = 2.0


def fabric_search(
    data: SearchData | None = None, size: dict[str, Any] | None = None, kind: type[BudgetedSupernet] = BudgetedSupernet, seed: int = 0,
    structure_every: int = 1, **options: Any,
) -> BudgetedSupernet:
    """A fresh search of the fabric, a small one on small images unless said otherwise."""
    data = data or image_data()
    entry = registry.space("block_network")
    torch.manual_seed(seed)
    context = Context(
        space=entry.space(entry.config(**(SMALL if size is None else size)), data.shape), options=BudgetedSupernetConfig(**options),
        seed=seed, rng=random.Random(seed), metric="val_accuracy", log=EventLog("phase:0"), data=data, structure_every=structure_every,
    )
    search = kind()
    search.begin(context, None)
    return search


def run(search: BudgetedSupernet, steps: int | None = None) -> list[Any]:
    done = 0
    while not search.finished and (steps is None or done < steps):
        search.step()
        done += 1
    return search.context.log.drain()


def of_kind(events: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]


# ---- the planted problem


def test_without_a_price_redundant_blocks_stay() -> None:
    kept, cost, loss = outcome(planted_search(0, 0, **GATE))
    assert kept == [0, 1, 2, 3, 4, 5] and cost == 19 and loss == 0


@pytest.mark.parametrize("budget", [0, 3, 8])
def test_a_price_leaves_exactly_the_block_that_is_needed(budget: float) -> None:
    assert outcome(planted_search(0.05, budget, **GATE)) == ([0], 1, 0)


def test_too_high_a_price_leaves_the_empty_network() -> None:
    kept, cost, loss = outcome(planted_search(5, 0, **GATE))
    assert kept == [] and cost == 0 and loss == pytest.approx(EMPTY_LOSS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("weight", "budget", "kept"), [(0, 0, 6), (0.05, 0, 1), (0.05, 3, 1), (0.05, 8, 1), (5, 0, 0)])
def test_the_planted_problem_at_full_length(weight: float, budget: float, kept: int, seed: int) -> None:
    found, cost, loss = outcome(planted_search(weight, budget, seed=seed, **TOY_RATE))
    assert found == list(range(kept)) and cost == {6: 19, 1: 1, 0: 0}[kept]
    assert loss == (pytest.approx(EMPTY_LOSS) if kept == 0 else 0)


class WrongSign(BudgetedSupernet):
    """Climbs where it should descend."""

    def _estimate(self, logits: torch.Tensor, drawn: torch.Tensor, objective: torch.Tensor) -> torch.Tensor:
        return -estimator.logits_gradient(logits, drawn, objective)


def test_the_planted_problem_fails_for_the_wrong_sign() -> None:
    assert outcome(planted_search(0.05, 3, WrongSign, **GATE))[0] != [0]


def test_one_draw_for_the_whole_batch_has_no_gradient() -> None:
    """Draws must differ between examples: with equal ones the mean of the batch leaves nothing of the costs."""
    search = planted_search(0.05, 3, steps=5)
    drawn = search._draw()
    assert len(np.unique(drawn, axis=0)) > 10
    same = np.repeat(drawn[:1], len(drawn), axis=0)
    objective, _ = search._objective(torch.zeros(len(drawn)), same, same)
    assert float(estimator.logits_gradient(search._all_logits(), torch.from_numpy(same), objective).abs().max()) < 1e-6


# ---- the step


def test_one_step_moves_the_weights_by_the_mean_loss_and_the_logits_by_reinforce() -> None:
    """The step after the warm-up written out: same draw, same batch."""
    search, twin = (fabric_search(epochs=4, batch_size=16, warm_up_epochs=0, budget=0.5, cost_weight=3.0, momentum=0.0, weight_decay=0.0,
                                  gradient_clip=0.0) for _ in range(2))
    drawn = twin._draw()
    live = twin.space.live(drawn)
    inputs, labels = twin.train_part.take(twin.order.indices(0))
    losses = torch.nn.functional.cross_entropy(twin.network(inputs, torch.from_numpy(live).float()), labels, reduction="none")
    gradients = torch.autograd.grad(losses.mean(), twin.weights, allow_unused=True)
    above = np.maximum(0, twin.cost_of(drawn) - 0.5)
    objective = losses.detach() + torch.from_numpy(3.0 * above + (~live.any(axis=1))).float()
    before = [weight.detach().clone() for weight in search.weights]
    search.step()
    for weight, old, gradient in zip(search.weights, before, gradients, strict=True):
        moved = old if gradient is None else old - 0.05 * gradient
        assert torch.allclose(weight, moved, atol=1e-6)
    expected = estimator.logits_gradient(twin._all_logits(), torch.from_numpy(drawn), objective)[twin.asked]
    assert torch.allclose(search.logits.grad, expected, atol=1e-6)
    # Adam's first step is the rate times the sign.
    clear = expected.abs() > 1e-4
    assert clear.any() and torch.allclose(search.logits[clear], 3.0 - 0.1 * expected[clear].sign(), atol=1e-3)


def test_the_warm_up_moves_the_weights_only() -> None:
    search = fabric_search(epochs=3, batch_size=16, warm_up_epochs=1)
    start = search.logits.detach().clone()
    run(search, search.order.per_epoch)
    assert torch.equal(search.logits, start)
    run(search, 1)
    assert not torch.equal(search.logits, start)


def test_shortcuts_are_always_there_unless_asked_about() -> None:
    search = fabric_search()
    fixed = [place for place, block in enumerate(search.space.blocks) if block.operation == "skip_connect"]
    assert fixed and (search.probabilities()[fixed] == 1).all() and search._draw()[:, fixed].all()
    assert search.probabilities().max() == 1 and np.allclose(np.delete(search.probabilities(), fixed), 0.9526, atol=1e-4)
    free = fabric_search(stochastic="all")
    assert len(free.logits) == len(free.space.blocks)


def test_the_optimised_cost_may_be_the_pruned_one() -> None:
    sampled, pruned = (fabric_search(optimised_cost=cost, no_path_penalty=0, budget=0.1) for cost in ("sampled", "pruned"))
    drawn = np.zeros((1, len(sampled.space.blocks)), dtype=bool)
    drawn[0, -1] = True
    nothing = np.zeros_like(drawn)
    values = [float(search._objective(torch.zeros(1), drawn, nothing)[0]) for search in (sampled, pruned)]
    assert values[0] > values[1]


def test_a_draw_without_a_path_is_charged_and_counted() -> None:
    search = fabric_search(initial_logit=-6.0, no_path_penalty=7.0, cost_weight=0)
    search.step()
    (values,) = [payload.values for payload in of_kind(search.context.log.drain(), "metrics") if "objective" in payload.values]
    assert values["no_path_share"] > 0.5
    assert values["objective"] - values["train_loss"] == pytest.approx(7 * values["no_path_share"], abs=1e-4)


def test_a_loss_that_is_not_a_number_fails_with_its_reason() -> None:
    search = fabric_search(epochs=3)
    with torch.no_grad():
        search.network.stem[0].weight.fill_(float("nan"))
    with pytest.raises(TrialFailure, match="not a number at step 1 of"):
        search.step()


def test_a_resumed_search_goes_on_with_equal_bits() -> None:
    through, resumed = (fabric_search(epochs=4, batch_size=16, warm_up_epochs=1) for _ in range(2))
    run(through, 5)
    resumed.load_state_dict(unpack(pack(through.state_dict())))
    resumed.context.log.load_state_dict(through.context.log.state_dict())
    expected, found = run(through), run(resumed)
    assert [event.model_dump() for event in found] == [event.model_dump() for event in expected]
    assert pack(resumed.state_dict()) == pack(through.state_dict())


# ---- what is refused


@pytest.mark.parametrize("cost", ["flops", "parameters", "parallel"])
def test_a_budget_below_the_cheapest_path_is_refused_before_the_start(cost: str) -> None:
    run_config = {"algorithm": "budgeted_supernet", "options": {"budget": 0.001, "cost": cost}}
    with pytest.raises(BadInput, match="below the cheapest path") as caught:
        config.check(run_config)
    assert caught.value.field == "options.budget"
    # The message names a budget that works.
    least = float(str(caught.value).rsplit(" ", 1)[1])
    config.check({**run_config, "options": {"budget": least, "cost": cost}})


def test_vectors_are_refused_for_the_fabric() -> None:
    with pytest.raises(BadInput) as caught:
        config.check({"algorithm": "budgeted_supernet", "space": "block_network", "datasets": ["wine"]})
    assert caught.value.field.startswith("dataset")


@pytest.mark.parametrize(("name", "value"), [("budget", 1.2), ("budget", -0.1), ("cost_weight", -1.0)])
def test_options_out_of_range_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(BadInput) as caught:
        config.check({"algorithm": "budgeted_supernet", "options": {name: value}})
    assert caught.value.field == f"options.{name}"


# ---- measured latency


def test_latency_is_measured_once_recorded_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def measured(space: Any, network: Any, device: str) -> BlockCosts:
        calls.append(1)
        return BlockCosts(tuple(0.001 * (place + 1) for place in range(len(space.blocks))), 0.002)

    monkeypatch.setattr(measuring, "latencies", measured)
    search = fabric_search(cost="latency", epochs=2, batch_size=16, budget=0.9)
    events = run(search, 2)
    (notice,) = [item for item in of_kind(events, "notice") if item.name == "latency"]
    assert notice.values["stem_and_classifier_ms"] == pytest.approx(2) and len(calls) == 1
    assert search.handover()["prices"]["fixed"] == 0.002
    resumed = fabric_search(cost="latency", epochs=2, batch_size=16, budget=0.9)
    resumed.load_state_dict(unpack(pack(search.state_dict())))
    run(resumed)
    assert len(calls) == 1 and resumed.prices == search.prices


def test_a_measured_cheapest_path_above_the_budget_fails_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "latencies", lambda space, network, device: BlockCosts((0.001,) * len(space.blocks), 1.0))
    with pytest.raises(TrialFailure, match="below the cheapest path"):
        fabric_search(cost="latency", budget=0.1).step()


def test_real_latencies_are_positive_and_use_up_no_random_number() -> None:
    search = fabric_search()
    before, weights = torch.get_rng_state(), [weight.detach().clone() for weight in search.weights]
    prices = measuring.latencies(search.space, search.network, "cpu")
    assert torch.equal(torch.get_rng_state(), before) and prices.fixed > 0
    assert all(torch.equal(new, old) for new, old in zip(search.weights, weights, strict=True))
    for block, price in zip(search.space.blocks, prices.each, strict=True):
        assert (price > 0) == (block.operation != "skip_connect")


# ---- events


def test_frames_carry_probabilities_and_draws() -> None:
    search = fabric_search(epochs=2, batch_size=16)
    events = run(search)
    frames = of_kind(events, "structure")
    assert events[0].kind == "family" and [frame.step for frame in frames] == list(range(search.horizon + 1))
    edges = len(search.space.edges)
    last = decode_floats(frames[-1].groups["blocks"]).reshape(edges, 4)
    assert np.array_equal(last, search.structure()["blocks"])
    draws = decode_floats(frames[-1].samples["blocks"]).reshape(-1, edges, 4)
    assert len(draws) == 8 and set(np.unique(draws)) <= {0.0, 1.0}


def test_both_costs_are_reported_and_charts_have_the_budget() -> None:
    search = fabric_search(epochs=3, batch_size=16, budget=0.4)
    events = run(search)
    named = set().union(*(payload.values for payload in of_kind(events, "metrics")))
    assert {"train_loss", "cost_sampled", "cost_pruned", "cost_penalty", "reward_variance", "cost_derived", "val_accuracy"} <= named
    charts = of_kind(events, "charts")
    assert len(charts) == 3
    trajectory, cost = charts[-1].charts
    assert trajectory.form == "trajectory" and trajectory.marks[0].value == 0.4 and trajectory.marks[0].axis == "x"
    assert [series.name.split(":")[0] for series in cost.series] == ["sampled", "pruned", "most probable network"]
    assert len(decode_floats(trajectory.series[0].x)) == 3


def test_a_long_search_says_a_bounded_number_of_charts() -> None:
    events = run(planted_search(0.05, 3, steps=130))
    assert 60 <= len(of_kind(events, "charts")) <= 100


def test_a_search_that_ends_above_its_budget_says_so() -> None:
    search = fabric_search(epochs=1, batch_size=16, budget=0.3, cost_weight=0)
    assert [item.name for item in of_kind(run(search), "notice")] == ["over_budget"]


# ---- what comes out


def test_the_baseline_is_random_and_within_the_budget() -> None:
    search = fabric_search(budget=0.4)
    genomes = set()
    for _ in range(10):
        (baseline,) = search.baselines()
        share = float(search.cost_of(random_networks.mask_of(search.space, baseline.genome))[0])
        assert 0.2 < share <= 0.4 and baseline.title
        genomes.add(baseline.genome)
    assert len(genomes) > 5


def test_where_only_the_cheapest_path_fits_it_is_the_baseline() -> None:
    prices = fabric_search(budget=0.4).prices
    assert prices is not None
    space = fabric_search().space
    cost = checks.cost_function(space, "flops", prices, 1)
    genome = random_networks.within(space, cost, prices, checks.cheapest(space, cost, prices), random.Random(0))
    path = [prices.each[place] for place in space.path(list(prices.each)) if prices.each[place]]
    assert sorted(search_price(space, genome)) == sorted(path)


def search_price(space: Any, genome: Any) -> list[float]:
    return [space.prices("flops").each[place] for place in space.kept(genome) if space.blocks[place].stochastic]


def digits() -> SearchData:
    entry = registry.dataset("digits")
    samples: Any = entry.open(entry.config(), Path())
    data: SearchData = samples.search_data(0)
    return data


def test_digits_reach_a_budget_with_a_small_fabric() -> None:
    search = fabric_search(digits(), {"columns": 2, "scales": 3, "channels": 6}, epochs=10, warm_up_epochs=1, budget=0.4)
    run(search)
    point = search.report.points[-1]
    assert search.report.points[0]["derived"] == 1 and point["derived"] <= 0.4
    assert point["val_accuracy"] > 0.5, "chance is 0.1"


@pytest.mark.slow
def test_digits_reach_the_budget_with_the_defaults() -> None:
    search = fabric_search(digits(), {}, structure_every=100)
    run(search)
    point = search.report.points[-1]
    assert point["derived"] <= 0.25 and point["val_accuracy"] > 0.95
