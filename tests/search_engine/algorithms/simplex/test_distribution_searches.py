"""Gumbel-Softmax, Dirichlet and logit-normal as searches: the planted structure, what a step moves, what is computed, what is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import BadInput
from search_engine.catalogue import config, registry
from search_engine.events import decode_floats
from search_engine.structures import GumbelSoftmaxStructure, HardGumbelStructure
from tests.search_engine.algorithms.simplex.distribution_searches import (
    PLANT,
    plant_search,
    run,
    small_search,
    with_wrong_sign,
    without_gradient,
)
from tests.search_engine.algorithms.simplex.planted import OPERATIONS, TRUTH

ALGORITHMS = ("gumbel_softmax", "dirichlet", "logit_normal")
GDAS = {"hard": True, "levels": "bilevel", "temperature_start": 10.0}


def of_kind(events: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]


def found(search: Any) -> list[str]:
    run(search)
    (finalist,) = search.best()
    names: list[str] = finalist.genome.content["operations"]
    return names


# ---- the planted problem (three edges, five operations, 600 steps)


@pytest.mark.parametrize("name", ["relaxed", "hard", "dirichlet", "logit_normal"])
def test_the_planted_structure_is_recovered(name: str) -> None:
    search = plant_search(name, 0)
    assert found(search) == TRUTH
    assert search.structure()["plant"].max(axis=1).min() > 0.4, "recovered, but hardly decided"  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize("name", list(PLANT))
@pytest.mark.parametrize("seed", range(5))
def test_the_planted_structure_is_recovered_from_every_seed(name: str, seed: int) -> None:
    assert found(plant_search(name, seed)) == TRUTH


@pytest.mark.parametrize("name", ["relaxed", "dirichlet"])
@pytest.mark.parametrize("broken", [without_gradient, with_wrong_sign])
def test_a_structure_without_its_gradient_finds_nothing(name: str, broken: Any) -> None:
    """Draws that are detached, or whose gradient has the wrong sign."""
    assert found(plant_search(name, 0, broken, steps=150)) != TRUTH


@pytest.mark.slow
@pytest.mark.parametrize("name", list(PLANT))
@pytest.mark.parametrize("broken", [without_gradient, with_wrong_sign])
def test_it_finds_nothing_from_any_seed(name: str, broken: Any) -> None:
    assert [seed for seed in range(5) if found(plant_search(name, seed, broken)) == TRUTH] == []


# ---- who moves what


def test_a_single_level_step_moves_both_on_one_minibatch_of_all_the_data() -> None:
    search = small_search("gumbel_softmax", "cell", steps=4)
    assert not hasattr(search, "val_part") and len(search.train_part) == 48
    weights, alphas = search.weights[0].detach().clone(), search.alpha.parameters[0].detach().clone()
    cost = search.step()
    assert cost.forward_backward == 8
    assert not torch.equal(weights, search.weights[0]) and not torch.equal(alphas, search.alpha.parameters[0])


def test_the_hard_search_moves_the_weights_first(monkeypatch: pytest.MonkeyPatch) -> None:
    search = small_search("gumbel_softmax", "cell", steps=4, **GDAS)
    moves = []
    for name in ("_move_weights", "_move_structure"):
        move = getattr(search, name)
        monkeypatch.setattr(search, name, lambda *args, move=move, name=name: (moves.append(name), move(*args))[1])
    assert search.step().forward_backward == 16
    assert moves == ["_move_weights", "_move_structure"]
    assert len(search.train_part) == len(search.val_part) == 24


@pytest.mark.parametrize("algorithm", ["dirichlet", "logit_normal"])
def test_the_others_move_the_structure_first(algorithm: str) -> None:
    assert small_search(algorithm, "nb201").order == "structure_first"


# ---- a hard draw computes one operation per edge


@pytest.mark.parametrize("space", ["cell", "nb201"])
def test_only_drawn_operations_are_computed_and_learn(space: str) -> None:
    search = small_search("gumbel_softmax", space, steps=4, **GDAS)
    before = {name: value.detach().clone() for name, value in search.network.named_parameters()}
    draw = search.choice.sample(None, search.generator("weights"))
    search._move_weights(search._loss(search.train_part, search.train_order, "weights"), 0.1)
    learnt = {name for name, value in search.network.named_parameters() if not torch.equal(value, before[name])}
    network: Any = search.network
    drawn = set()
    for name, module in network.named_modules():
        if not hasattr(module, "plan"):
            continue
        group = "cell" if space == "nb201" else "reduction" if network.cells[int(name.split(".")[1])].reduction else "normal"
        for edge, column in zip(module.plan.edges, draw[group].argmax(dim=1).tolist(), strict=True):
            drawn.add(f"{name}.operations.{module.key(edge)}.{module.plan.operations[column]}.")
    inside = {name for name in learnt if ".operations." in name}
    assert inside, "something was drawn that learns"
    assert all(any(name.startswith(prefix) for prefix in drawn) for name in inside)


@pytest.mark.parametrize("space", ["cell", "nb201"])
def test_what_is_computed_does_not_change_the_value(space: str) -> None:
    losses = {}
    for evaluate in ("all", "chosen", "chosen_bare"):
        search = small_search("gumbel_softmax", space, steps=4, evaluate=evaluate, **GDAS)
        loss = search._loss(search.train_part, search.train_order, "weights")
        gradients = torch.autograd.grad(loss(search.weights, search.alpha.parameters), search.alpha.parameters)
        losses[evaluate] = (loss.loss, gradients)
    # Operations that are computed are added up by source, a single one per edge by edge: equal to rounding.
    assert losses["all"][0] == pytest.approx(losses["chosen"][0], rel=1e-6) and losses["chosen"][0] == losses["chosen_bare"][0]
    for first, second in (("all", "chosen"), ("chosen", "chosen_bare"), ("all", "chosen_bare")):
        assert not torch.allclose(losses[first][1][0], losses[second][1][0], rtol=1e-3, atol=0), "but the structure's gradient differs"


def test_a_hard_step_costs_a_fraction_of_a_relaxed_one() -> None:
    """One operation per edge instead of eight (five)."""
    for space, share in (("cell", 0.5), ("nb201", 0.7)):
        relaxed = small_search("gumbel_softmax", space, steps=2, levels="bilevel").step()
        hard = small_search("gumbel_softmax", space, steps=2, **GDAS).step()
        assert 0 < hard.flops < share * relaxed.flops and hard.forward_backward == relaxed.forward_backward


# ---- temperature, terms of the objective


def test_the_temperature_falls_over_the_horizon_and_is_shown() -> None:
    search = small_search("gumbel_softmax", "nb201", steps=5, temperature_start=2.0, temperature_end=0.4)
    values = [payload.values for payload in of_kind(run(search), "metrics")]
    assert [round(value["temperature"], 6) for value in values] == [2.0, 2.0, 1.6, 1.2, 0.8, 0.4]
    assert all(0 < value["draw_max"] <= 1 for value in values)


@pytest.mark.filterwarnings("error:Converting a tensor with requires_grad:UserWarning")
def test_a_resource_term_prefers_cheap_operations() -> None:
    free, dear = (small_search("gumbel_softmax", "nb201", steps=30, resource_weight=weight) for weight in (0.0, 20.0))
    events = run(dear)
    run(free)
    counts = [payload.values["expected_parameters"] for payload in of_kind(events, "metrics")]
    assert counts[-1] < 0.5 * counts[0] and float(dear._parameters().detach()) < 0.7 * float(free._parameters().detach())  # type: ignore[attr-defined]


def test_the_dirichlet_anchor_holds_the_concentrations_at_one() -> None:
    results = {}
    for options in ({"regulariser": "none"}, {"regulariser": "kl", "kl_weight": 100.0}):
        search = plant_search("dirichlet", 0, steps=60, **options)
        assert all(group["weight_decay"] == 0 for group in search.alpha_optimizer.param_groups)
        run(search)
        results[options["regulariser"]] = search.numbers()["kl_per_edge"]
    assert results["kl"] < 0.05 * results["none"]
    decayed = plant_search("dirichlet", 0, regulariser="l2", structure_weight_decay=0.01)
    assert decayed.structure_terms() is None and decayed.alpha_optimizer.param_groups[0]["weight_decay"] == 0.01


def test_the_dirichlet_search_loses_operations_half_way() -> None:
    search = small_search("dirichlet", "cell", steps=8)
    run(search, 8)
    structure = search.structure()
    assert structure is not None
    assert all(((table > 0).sum(axis=1) == 5).all() for table in structure.values()), "of eight operations five are left"


def test_the_logit_normal_prior_holds_mean_and_spread() -> None:
    results = {}
    for weight in (0.0, 100.0):
        search = plant_search("logit_normal", 0, steps=60, kl_weight=weight, spread=2.0, spread_is="variance")
        assert search.numbers()["spread"] == pytest.approx(2**0.5)
        run(search)
        results[weight] = search.numbers()["kl_per_edge"]
    assert results[100.0] < 0.05 * results[0.0]


def test_the_logit_normal_prior_follows_a_restriction() -> None:
    search = small_search("logit_normal", "nb201", steps=8, shrink_stages=2, pinned=True)
    events = run(search)
    assert all(np.isfinite(payload.values["kl_per_edge"]) for payload in of_kind(events, "metrics"))


# ---- frames, checkpoints, refusals


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("space", ["cell", "nb201"])
def test_it_searches_the_real_spaces_and_shows_draws(algorithm: str, space: str) -> None:
    search = small_search(algorithm, space, steps=4, structure_learning_rate=0.1)
    events = run(search)
    frames = of_kind(events, "structure")
    for group, (edges, operations) in search.choice.shapes.items():
        draws = [decode_floats(frame.samples[group]).reshape(-1, edges, operations) for frame in frames]
        assert all(len(draw) == 16 and np.allclose(draw.sum(axis=-1), 1, atol=1e-5) for draw in draws)
        assert not np.array_equal(draws[0], draws[-1])
        assert not np.array_equal(decode_floats(frames[0].groups[group]), decode_floats(frames[-1].groups[group]))
    (finalist,) = search.best()
    search.context.space.validate(finalist.genome)
    names = set(of_kind(events, "metrics")[-1].values)
    assert {"temperature", "draw_max", "entropy", "train_loss"} <= names


@pytest.mark.parametrize("name", list(PLANT))
def test_a_resumed_search_goes_on_with_equal_bits(name: str) -> None:
    options = {"steps": 16, "structure_every": 1}
    through, interrupted = plant_search(name, 0, **options), plant_search(name, 0, **options)
    run(through, 7)
    run(interrupted, 7)
    state = unpack(pack({"phase": interrupted.state_dict(), "log": interrupted.context.log.state_dict()}))
    run(interrupted, 2)
    resumed = plant_search(name, 0, **options)
    with torch.no_grad():
        for value in (*resumed.weights, *resumed.alpha.parameters):
            value.normal_()
    resumed.load_state_dict(state["phase"])
    resumed.context.log.load_state_dict(state["log"])
    expected, after = run(through), run(resumed)
    assert [event.model_dump() for event in after] == [event.model_dump() for event in expected]
    assert pack(resumed.state_dict()) == pack(through.state_dict())


def test_the_options_make_the_structure() -> None:
    assert type(small_search("gumbel_softmax", "nb201").choice) is GumbelSoftmaxStructure
    hard = small_search("gumbel_softmax", "nb201", hard=True).choice
    assert isinstance(hard, HardGumbelStructure) and hard.chosen_only
    assert not small_search("gumbel_softmax", "nb201", hard=True, evaluate="chosen_bare").choice.chosen_only  # type: ignore[attr-defined]
    assert small_search("dirichlet", "nb201", concentrations="scaled_softmax").choice.form == "scaled_softmax"  # type: ignore[attr-defined]
    pinned = small_search("logit_normal", "nb201", pinned=True).choice
    assert pinned.named()["cell.mu"].shape == (6, len(registry.space("nb201").space.operations) - 1)


@pytest.mark.parametrize(
    ("algorithm", "options", "field"),
    [
        ("gumbel_softmax", {"temperature_start": 0.0}, "options.temperature_start"),
        ("gumbel_softmax", {"temperature_end": -1.0}, "options.temperature_end"),
        ("gumbel_softmax", {"resource_weight": -0.1}, "options.resource_weight"),
        ("gumbel_softmax", {"levels": "three"}, "options.levels"),
        ("gumbel_softmax", {"partial_channels": 3}, "options.partial_channels"),
        ("dirichlet", {"kl_weight": -1.0}, "options.kl_weight"),
        ("dirichlet", {"regulariser": "l1"}, "options.regulariser"),
        ("logit_normal", {"spread": 0.0}, "options.spread"),
    ],
)
def test_bad_options_are_refused_by_name(algorithm: str, options: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        config.check({"algorithm": algorithm, "space": "cell", "datasets": ["digits"], "options": options})
    assert caught.value.field == field


def test_what_a_space_cannot_do_is_refused_before_the_start() -> None:
    from search_engine.algorithms.simplex.gumbel_softmax import GumbelSoftmaxConfig, check
    from search_engine.spaces.base import SpaceConfig
    from tests.search_engine.algorithms.simplex.planted import SHAPE, PlantedSpace

    space = PlantedSpace(SpaceConfig(), SHAPE)
    check(GumbelSoftmaxConfig(hard=True), space)
    with pytest.raises(BadInput) as caught:
        check(GumbelSoftmaxConfig(hard=True, evaluate="chosen_bare"), space)
    assert caught.value.field == "options.evaluate"
    with pytest.raises(BadInput) as caught:
        check(GumbelSoftmaxConfig(resource_weight=1.0), space)
    assert caught.value.field == "options.resource_weight" and OPERATIONS[2] in str(caught.value)
