"""DARTS as a search: the planted problem, the step by hand, who may change what, events, costs, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.darts import DartsConfig, DartsSearch
from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue import config, registry
from search_engine.datasets.base import Part, SearchData
from search_engine.events import decode_floats
from tests.search_engine.algorithms.simplex.planted import OPERATIONS, TRUTH, planted_data, planted_search
from tests.search_engine.searches import network_search

ESTIMATORS = ("first", "finite_difference", "exact")


def run(search: DartsSearch, steps: int | None = None) -> list[Any]:
    """Steps (default: to the end) and the events that they said."""
    done = 0
    while not search.finished and (steps is None or done < steps):
        search.step()
        done += 1
    return search.context.log.drain()


def of_kind(events: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]


# ---- the planted problem (A3)


def assert_recovers(seed: int, estimator: str) -> None:
    search = planted_search(seed, steps=600, estimator=estimator, structure_every=600)
    run(search)
    (finalist,) = search.best()
    assert finalist.genome.content["operations"] == TRUTH and finalist.finish == "retrain"
    weights = search.structure()["plant"]
    assert weights.max(axis=1).min() > 0.4, "recovered, but hardly decided"


def test_the_planted_structure_is_recovered() -> None:
    assert_recovers(0, "first")


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("seed", range(5))
def test_the_planted_structure_is_recovered_from_every_seed(seed: int, estimator: str) -> None:
    assert_recovers(seed, estimator)


# ---- the derived genome (A4)


def test_none_is_never_chosen_and_an_edge_of_none_wins_no_place() -> None:
    space = network_search("cell").context.space
    names = space.family()[0].operations
    edges = space.family()[0].edges
    weights = {}
    for group in ("normal", "reduction"):
        table = np.full((len(edges), len(names)), 0.05)
        table[:, names.index("none")] = 0.9
        for row, (source, target) in enumerate(edges):
            # Per node: the first source has the most none of all and otherwise little; two later ones have a real operation.
            if source == "c_{k-2}" and target != "0":
                table[row, names.index("none")] = 100.0
                table[row, 1:] = 0.01
            else:
                table[row, names.index("sep_conv_3x3")] = 0.3
        weights[group] = table
    derived = space.derive(weights)
    for group in ("normal", "reduction"):
        for source, target, operation in derived.content[group]["edges"]:
            assert operation == "sep_conv_3x3"
            assert target == "0" or source != "c_{k-2}"


# ---- the step (A5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_one_step_is_alpha_first_then_the_weights(estimator: str) -> None:
    """The tenth step written out again: the architecture gradient at the old weights (looking ahead with momentum and weight decay),
    then SGD with momentum on the weights at the new alpha."""
    options = DartsConfig(estimator=estimator, steps=50, xi=20, weight_decay=0.01, structure_learning_rate=0.1)
    search = planted_search(0, **options.model_dump())
    run(search, 9)
    network, alpha = search.network, search.alpha.parameters[0].detach().clone().requires_grad_(True)
    weights = [weight.detach().clone().requires_grad_(True) for weight in search.weights]
    buffers = [search.weight_optimizer.state[weight]["momentum_buffer"].clone() for weight in search.weights]
    rate = options.final_learning_rate + (options.learning_rate - options.final_learning_rate) * (1 + np.cos(np.pi * 9 / 49)) / 2
    batches = [search.train_part.take(search.train_order.indices(9)), search.val_part.take(search.val_order.indices(9))]
    search.step()

    def loss(level: int, weights: list[torch.Tensor], a: torch.Tensor) -> torch.Tensor:
        named = dict(zip(dict(network.named_parameters()), weights, strict=True))
        logits = torch.func.functional_call(network, named, (batches[level][0], {"plant": a.softmax(-1)}))
        return torch.nn.functional.cross_entropy(logits, batches[level][1])

    ahead = list(weights)
    if estimator != "first":
        gradients = torch.autograd.grad(loss(0, weights, alpha), weights, create_graph=True)
        ahead = [
            w.detach() - 20 * rate * (0.9 * b + g + options.weight_decay * w.detach())
            for w, b, g in zip(weights, buffers, gradients, strict=True)
        ]
    expected = torch.autograd.grad(loss(1, ahead, alpha), alpha)[0]
    found = search.alpha.parameters[0].grad
    assert found is not None and float((found - expected).norm() / expected.norm()) < 0.02

    reached = search.alpha.parameters[0].detach()
    gradients = torch.autograd.grad(loss(0, weights, reached), weights)
    norm = float(torch.sqrt(sum((g**2).sum() for g in gradients)))
    clip = min(1.0, options.gradient_clip / (norm + 1e-6))
    for weight, g, buffer, now in zip(weights, gradients, buffers, search.weights, strict=True):
        after = weight - rate * (0.9 * buffer + clip * g + options.weight_decay * weight)
        assert torch.allclose(now, after, atol=1e-6)


def test_the_structure_moves_against_its_gradient() -> None:
    """Adam's first step is the learning rate, against the sign of each entry."""
    search = planted_search(0, steps=5, structure_weight_decay=0.0)
    before = search.alpha.parameters[0].detach().clone()
    search.step()
    gradient = search.alpha.parameters[0].grad
    assert gradient is not None
    assert torch.allclose(search.alpha.parameters[0] - before, -0.03 * gradient.sign(), atol=1e-4)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("space", ["planted", "cell", "nb201"])
def test_each_level_leaves_the_other_alone(space: str, estimator: str) -> None:
    search = planted_search(0, steps=9, estimator=estimator) if space == "planted" else network_search(space, steps=9, estimator=estimator)
    search.step()
    train_loss = search._loss(search.train_part, search.train_order)
    state, alphas = unpack(pack(search.network.state_dict())), [alpha.detach().clone() for alpha in search.alpha.parameters]
    search._move_structure(train_loss, 0.02)
    assert all(torch.equal(value, state[name]) for name, value in search.network.state_dict().items())
    assert not any(torch.equal(old, new) for old, new in zip(alphas, search.alpha.parameters, strict=True))

    alphas = [alpha.detach().clone() for alpha in search.alpha.parameters]
    search._move_weights(train_loss, 0.02)
    assert all(torch.equal(old, new) for old, new in zip(alphas, search.alpha.parameters, strict=True))
    assert not torch.equal(search.weights[0], state[next(iter(dict(search.network.named_parameters())))])


def test_no_alpha_is_a_parameter_of_the_network_or_of_its_optimiser() -> None:
    search = network_search("cell")
    alphas = {id(alpha) for alpha in search.alpha.parameters}
    assert not alphas & {id(weight) for weight in search.network.parameters()}
    assert not alphas & {id(weight) for group in search.weight_optimizer.param_groups for weight in group["params"]}
    assert {id(weight) for weight in search.network.parameters()} == {id(weight) for weight in search.weights}


@pytest.mark.parametrize(
    ("space", "estimator"),
    [
        *(("planted", name) for name in ESTIMATORS),
        ("cell", "first"),
        *(pytest.param("cell", name, marks=pytest.mark.slow) for name in ESTIMATORS[1:]),
    ],
)
def test_a_resumed_search_goes_on_with_equal_bits(space: str, estimator: str) -> None:
    def fresh(seed: int = 0) -> DartsSearch:
        options = {"steps": 20, "estimator": estimator, "warm_up_epochs": 1, "stable_epochs": 9}
        return planted_search(seed, **options) if space == "planted" else network_search(space, weights_seed=seed, **options)

    through, interrupted = fresh(), fresh()
    run(through, 9)
    run(interrupted, 9)
    state = unpack(pack({"phase": interrupted.state_dict(), "log": interrupted.context.log.state_dict()}))
    run(interrupted, 2)  # A state that was given away must not change afterwards.
    # Other initial weights: everything must come from the checkpoint. The data and the seed of the phase are the same.
    resumed = fresh()
    with torch.no_grad():
        for weight in (*resumed.weights, *resumed.alpha.parameters):
            weight.normal_()
    resumed.load_state_dict(state["phase"])
    resumed.context.log.load_state_dict(state["log"])
    expected, found = run(through, 10), run(resumed, 10)
    assert [event.model_dump() for event in found] == [event.model_dump() for event in expected]
    assert len(of_kind(found, "metrics")) == 10
    assert pack(resumed.state_dict()) == pack(through.state_dict())


# ---- horizon, schedule, habits


def test_the_horizon_is_steps_or_epochs_of_the_weights_half() -> None:
    assert planted_search(0, steps=7).horizon == 7
    assert planted_search(0, epochs=3).horizon == 3 * 8  # 512 of 1,024 examples in batches of 64
    assert planted_search(0, epochs=2, structure_data="validation").horizon == 2 * 16


def test_the_learning_rate_falls_along_a_cosine_to_its_end() -> None:
    events = run(planted_search(0, steps=11))
    rates = [payload.values["learning_rate"] for payload in of_kind(events, "metrics") if payload.step > 0]
    assert rates[0] == 0.025 and rates[-1] == pytest.approx(0.001) and rates[5] == pytest.approx(0.013)
    assert rates == sorted(rates, reverse=True)


def test_the_warm_up_moves_the_weights_only() -> None:
    search = planted_search(0, epochs=3, warm_up_epochs=1)
    start, weights = search.structure()["plant"], search.weights[0].detach().clone()
    costs = [search.step() for _ in range(8)]
    assert np.array_equal(search.structure()["plant"], start)
    assert not torch.equal(search.weights[0], weights)
    assert all(cost.forward_backward == 64 for cost in costs)
    notices = of_kind(search.context.log.drain(), "notice")
    assert [notice.name for notice in notices] == ["warm_up"]
    assert search.step().forward_backward == 128
    assert not np.array_equal(search.structure()["plant"], start)


def test_a_stop_habit_ends_the_search_with_a_last_frame() -> None:
    search = planted_search(0, steps=400, stable_epochs=2, structure_every=1000)
    events = run(search)
    assert search.steps_done < 400 and search.finished
    assert [notice.name for notice in of_kind(events, "notice")] == ["stable_ranking"]
    assert of_kind(events, "structure")[-1].step == search.steps_done


def test_a_habit_counts_on_after_a_resume() -> None:
    whole = planted_search(0, steps=400, stable_epochs=2, structure_every=1000)
    run(whole)
    assert 8 < whole.steps_done < 400
    interrupted, resumed = (planted_search(0, steps=400, stable_epochs=2, structure_every=1000) for _ in range(2))
    run(interrupted, whole.steps_done - 7)
    resumed.load_state_dict(unpack(pack(interrupted.state_dict())))
    run(resumed)
    assert resumed.steps_done == whole.steps_done and resumed.stopped == whole.stopped == "stable ranking"


# ---- events and costs


def test_the_family_is_declared_once_and_frames_follow_every_so_many_steps() -> None:
    search = planted_search(0, steps=10, structure_every=4)
    events = run(search)
    assert events[0].kind == "family" and events[0].step == 0 and len(of_kind(events, "family")) == 1
    frames = of_kind(events, "structure")
    assert [frame.step for frame in frames] == [0, 4, 8, 10]
    last = decode_floats(frames[-1].groups["plant"]).reshape(3, len(OPERATIONS))
    assert np.array_equal(last, search.structure()["plant"])
    assert len({event.key for event in events}) == len(events)


def test_metrics_are_means_since_the_last_report() -> None:
    every, fourth = (of_kind(run(planted_search(0, steps=8, structure_every=every)), "metrics") for every in (1, 4))
    names = {"train_loss", "train_accuracy", "val_loss", "val_accuracy", "entropy", "learning_rate", "structure_max"}
    assert set(every[1].values) == names
    by_step = {payload.step: payload.values for payload in every}
    for payload in fourth[1:]:
        steps = range(payload.step - 3, payload.step + 1)
        for name in ("train_loss", "val_accuracy"):
            assert payload.values[name] == pytest.approx(np.mean([by_step[step][name] for step in steps]))
        assert payload.values["entropy"] == by_step[payload.step]["entropy"]
    assert every[-1].values["structure_max"] == pytest.approx(float(planted_after(8).max()))


def planted_after(steps: int) -> Any:
    search = planted_search(0, steps=steps)
    run(search)
    return search.structure()["plant"]


def test_the_derived_genome_is_said_when_it_changes() -> None:
    search = planted_search(0, steps=150)
    events = run(search)
    derived = of_kind(events, "derived")
    assert derived[0].step == 0 and derived[0].changed_edges == 3
    frames = {frame.step: decode_floats(frame.groups["plant"]).reshape(3, -1) for frame in of_kind(events, "structure")}
    space: Any = search.context.space
    said = {payload.step: payload.genome for payload in derived}
    before: list[str] = []
    for step in sorted(frames):
        names = space.derive({"plant": frames[step]}).content["operations"]
        assert (step in said) == (names != before)
        if step in said and before:
            (payload,) = (item for item in derived if item.step == step)
            assert payload.changed_edges == sum(a != b for a, b in zip(names, before, strict=True))
        before = names
    assert derived[-1].genome == search.best()[0].genome.to_json()


@pytest.mark.parametrize(("estimator", "passes"), [("first", 2), ("finite_difference", 5), ("exact", 4)])
def test_every_pass_is_charged(estimator: str, passes: int) -> None:
    search = planted_search(0, steps=3, estimator=estimator)
    costs = [search.step() for _ in range(3)]
    assert [cost.forward_backward for cost in costs] == [passes * 64] * 3
    assert of_kind(search.context.log.drain(), "metrics")[-1].samples == 3 * passes * 64


def test_flops_are_measured_and_second_order_costs_more() -> None:
    costs = {name: network_search("cell", steps=2, estimator=name).step() for name in ("first", "finite_difference")}
    assert 0 < 1.5 * costs["first"].flops < costs["finite_difference"].flops


def test_without_a_look_ahead_second_order_is_first_order() -> None:
    """xi = 0: bit for bit, and at its price."""
    first, second = planted_search(0, steps=5), planted_search(0, steps=5, estimator="finite_difference", xi=0)
    assert run(first) == run(second)


# ---- data


def marked_data() -> SearchData:
    """Training inputs are below 0, validation inputs above: a batch shows where it comes from."""
    data = planted_data(0)

    def part(sign: float, count: int) -> Part:
        return Part(inputs=sign * np.abs(data.train.inputs[:count]), labels=data.train.labels[:count], indices=np.arange(count))

    return SearchData(
        dataset="planted", shape=data.shape, train=part(-1, 400), validation=part(1, 200), preprocessing=data.preprocessing,
        class_names=data.class_names,
    )


def test_the_two_levels_never_share_an_example() -> None:
    search = planted_search(0, data=marked_data(), train_portion=0.25)
    assert (len(search.train_part), len(search.val_part)) == (100, 300)
    rows = {tuple(row) for row in search.train_part.raw.tolist()}
    assert not rows & {tuple(row) for row in search.val_part.raw.tolist()}
    assert float(search.train_part.raw.max()) <= 0 and float(search.val_part.raw.max()) <= 0, "the validation part stays unseen"


def test_the_validation_part_moves_the_structure_where_asked() -> None:
    search = planted_search(0, data=marked_data(), structure_data="validation")
    assert (len(search.train_part), len(search.val_part)) == (400, 200)
    assert float(search.train_part.raw.max()) <= 0 <= float(search.val_part.raw.min())


def test_a_loss_that_is_not_a_number_fails_with_its_reason() -> None:
    data = planted_data(0)
    broken = np.full_like(data.train.inputs, np.nan)
    part = Part(inputs=broken, labels=data.train.labels, indices=data.train.indices)
    bad = SearchData(
        dataset="planted", shape=data.shape, train=part, validation=part, preprocessing=data.preprocessing, class_names=data.class_names
    )
    search = planted_search(0, data=bad, steps=5)
    before = [weight.detach().clone() for weight in (*search.weights, *search.alpha.parameters)]
    with pytest.raises(TrialFailure, match="not a number at step 1 of 5"):
        search.step()
    assert all(torch.equal(old, new) for old, new in zip(before, (*search.weights, *search.alpha.parameters), strict=True))


def test_without_samples_it_does_not_begin() -> None:
    search = planted_search(0)
    context = Context(**{**search.context.__dict__, "data": None})
    with pytest.raises(TypeError, match="samples"):
        DartsSearch().begin(context, None)


# ---- through the real spaces and the registry


@pytest.mark.parametrize("space", ["cell", "nb201"])
def test_it_searches_the_real_spaces(space: str) -> None:
    search = network_search(space, steps=6, structure_learning_rate=0.1)
    events = run(search)
    assert set(search.structure()) == {group.name for group in search.report.family}
    moved = [not np.array_equal(decode_floats(frame.groups[group]), decode_floats(of_kind(events, "structure")[0].groups[group]))
             for frame in of_kind(events, "structure")[1:] for group in frame.groups]
    assert all(moved)
    (finalist,) = search.best()
    search.context.space.validate(finalist.genome)


def test_the_registry_offers_it_where_it_can_work() -> None:
    checked = config.check({"algorithm": "darts", "space": "cell", "datasets": ["digits"], "options": {"xi": 0.5}})
    assert isinstance(checked.options, DartsConfig) and checked.options.xi == 0.5
    assert {entry.id for entry in registry.spaces_for(registry.algorithm("darts"))} >= {"cell", "nb201"}
    for bad, field in (({"estimator": "third"}, "options.estimator"), ({"train_portion": 1.0}, "options.train_portion")):
        with pytest.raises(BadInput) as caught:
            config.check({"algorithm": "darts", "space": "cell", "datasets": ["digits"], "options": bad})
        assert caught.value.field == field
    with pytest.raises(BadInput, match="trials"):
        config.check({"algorithm": "darts", "space": "cell", "datasets": ["digits"], "budget": {"trials": 10}})


def test_every_option_has_a_description_and_the_habits_stand_last() -> None:
    properties = DartsConfig.model_json_schema()["properties"]
    assert all(item.get("description") and item.get("title") for item in properties.values())
    assert next(iter(properties)) == "epochs" and list(properties)[-1] == "stable_epochs"


def test_digits_are_searched_within_the_default_horizon() -> None:
    """The ready-made search: about seventy steps, the halves of 1,011 training images."""
    entry = registry.dataset("digits")
    samples: Any = entry.open(entry.config(), Path())
    search = network_search("cell", data=samples.search_data(0), small=False)
    assert search.horizon == 72
    assert search.train_order.size(0) in (63, 64)


@pytest.mark.gpu
@pytest.mark.parametrize("amp", [False, True])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_it_searches_on_a_gpu(estimator: str, amp: bool) -> None:
    """The same code on CUDA; without mixed precision the first step's alphas agree with the CPU's."""
    search = network_search("cell", steps=4, estimator=estimator, device="cuda", amp=amp)
    search.step()
    assert all(alpha.is_cuda for alpha in search.alpha.parameters)
    if not amp:
        twin = network_search("cell", steps=4, estimator=estimator)
        twin.step()
        for found, expected in zip(search.alpha.parameters, twin.alpha.parameters, strict=True):
            assert found.grad is not None and expected.grad is not None
            assert torch.allclose(found.grad.cpu(), expected.grad, atol=1e-3)
    state = unpack(pack(search.state_dict()))
    run(search)
    resumed = network_search("cell", steps=4, estimator=estimator, device="cuda", amp=amp)
    resumed.load_state_dict(state)
    run(resumed)
    assert all(torch.isfinite(alpha).all() for alpha in resumed.alpha.parameters)
