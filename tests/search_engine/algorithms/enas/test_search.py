"""ENAS: the two movements in turn and neither through the other, the final ranking beside chance, what is said and charged."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from search_engine.algorithms.base import Context
from search_engine.algorithms.enas.random_paths import RandomPaths
from search_engine.algorithms.enas.search import Enas, EnasConfig
from search_engine.algorithms.enas.skip_penalty import skip_penalty
from search_engine.algorithms.policy.network import Controller
from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.base import Part, SearchData
from search_engine.events import Event, EventLog, decode_floats
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.macro import MacroConfig, MacroSpace
from search_engine.spaces.neuron_graph import NeuronGraphConfig, NeuronGraphSpace
from search_engine.spaces.policy_weights import policy_weights
from search_engine.supernets.opening import open_supernet
from tests.search_engine import toys
from tests.search_engine.searches import SHAPE, image_data

SMALL: dict[str, dict[str, int]] = {
    "macro": {"layers": 3, "search_channels": 2},
    "cell": {"nodes": 2, "search_cells": 3, "search_channels": 2},
    "nb201": {"cells": 1, "channels": 2},
}
# 48 examples in batches of 12: four weight steps an epoch.
OPTIONS: dict[str, Any] = {
    "epochs": 3, "warm_up_epochs": 1, "batch_size": 12, "controller_steps": 2, "arcs": 3, "reward_batch_size": 16, "hidden": 8,
    "final_samples": 3,
}
SPACES = pytest.mark.parametrize("space", sorted(SMALL))


def enas(
    space: str = "macro", seed: int = 0, data: SearchData | None = None, structure_every: int = 1, device: str = "cpu", amp: bool = False,
    **options: Any,
) -> Any:
    """A fresh search on three classes of small images."""
    entry = registry.space(space)
    torch.manual_seed(seed)
    context = Context(
        space=entry.space(entry.config(**SMALL[space]), SHAPE), options=EnasConfig(**{**OPTIONS, **options}), seed=seed,
        rng=random.Random(seed), metric="val_accuracy", log=EventLog("phase:0"), data=data or image_data(), structure_every=structure_every,
        device=device, amp=amp,
    )
    search = Enas()
    search.begin(context, None)
    return search


def run(search: Any, until: Callable[[], bool] | None = None) -> list[Event]:
    events = search.context.log.drain()
    while not search.finished and not (until and until()):
        search.step()
        events += search.context.log.drain()
    return events


def of_kind(events: list[Event], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]


def copies(module: nn.Module) -> list[torch.Tensor]:
    return [value.detach().clone() for value in module.parameters()]


def equal(before: list[torch.Tensor], module: nn.Module) -> bool:
    return all(torch.equal(old, new) for old, new in zip(before, module.parameters(), strict=True))


# ---- the loop


def test_warm_up_then_weights_and_controller_in_turn_then_the_ranking() -> None:
    search = enas()
    stages = []
    while not search.finished:
        stages.append(search.stage)
        search.step()
    assert stages == ["warm_up"] * 4 + (["weights"] * 4 + ["controller"] * 2) * 2 + ["ranking"] * 6
    assert len(stages) == search.horizon == search.steps_done
    # Without a warm-up, and with nothing but one.
    assert enas(warm_up_epochs=0).stage == "weights" and enas(warm_up_epochs=0).horizon == 3 * 6 + 6
    assert enas(warm_up_epochs=9).horizon == 3 * 4 + 6


@SPACES
def test_neither_is_moved_through_the_other(space: str) -> None:
    """A weight step leaves the controller bit for bit as it is, an update of the controller the weights, and each moves its own."""
    search = enas(space)
    while not search.finished:
        stage, weights, policy = search.stage, copies(search.shared.network), copies(search.controller)
        search.step()
        assert equal(policy, search.controller) == (stage != "controller"), stage
        assert equal(weights, search.shared.network) == (stage in ("controller", "ranking")), stage
        assert all(value.grad is None for value in search.controller.parameters()) or stage != "warm_up"


def test_a_weight_step_moves_one_path_and_nothing_else() -> None:
    search = enas(momentum=0.9, weight_decay=0.01)
    for _ in range(3):
        search.step()
    before = {name: value.detach().clone() for name, value in search.shared.network.named_parameters()}
    search.step()
    (frame,) = of_kind(search.context.log.drain(), "policy")[-1:]
    space = search.context.space
    network = space.layers_of(space.genome_of(frame.sampled))
    used = {f"layers.{place}.operations.{layer.operation}" for place, layer in enumerate(network)}
    moved = {name for name, value in search.shared.network.named_parameters() if not torch.equal(value, before[name])}
    operations = {name.rsplit(".", name.count(".") - 3)[0] for name in moved if ".operations." in name}
    assert operations <= used and moved, "only operations of the sampled path"
    assert any(name.startswith("classifier") for name in moved)


def test_warm_up_paths_are_uniform_and_do_not_ask_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    search = enas(epochs=40, warm_up_epochs=40, structure_every=1)
    for method in ("sample", "sample_batch"):
        monkeypatch.setattr(search.controller, method, lambda *_: pytest.fail("the controller was asked"))
    frames = of_kind(run(search, until=lambda: search.stage == "ranking"), "policy")[1:]
    first = [frame.sampled[0] for frame in frames]
    assert len(first) == 160
    assert all(10 <= first.count(choice) <= 45 for choice in range(6)), "each of six operations about 27 times"


def test_after_the_warm_up_paths_come_from_the_policy() -> None:
    """A policy that is sure of one path trains only that one."""
    search = enas(warm_up_epochs=0, tanh_constant=0.0)
    with torch.no_grad():
        for head in search.controller.heads:
            head.bias[4] = 30.0
    search.step()
    (frame,) = of_kind(search.context.log.drain(), "policy")[-1:]
    assert [frame.sampled[place] for place in (0, 1, 3)] == [4, 4, 4]


# ---- the controller's update


def test_the_update_is_reinforce_with_the_baseline_from_before() -> None:
    """The step against the formula, term by term, on a twin."""
    search, twin = enas(skip_weight=0.5), enas(skip_weight=0.5)
    batch = [sampled.choices for sampled in search.controller.sample_batch(random.Random(3), 4)]
    for rewards, baseline in (([0.1, 0.2, 0.3, 0.8], 0.35), ([0.9, 0.9, 0.1, 0.1], 0.35)):
        # The first batch is compared with its own mean; the second with the average before it, 0.35.
        log_probs, entropies = twin.controller.score(batch)
        penalty = skip_penalty(twin.controller, batch, 0.4)
        gain = sum((reward - baseline) * log_prob for reward, log_prob in zip(rewards, log_probs, strict=True)) / 4
        loss = -gain - 1e-4 * entropies.mean() + 0.5 * penalty
        twin.learner._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(twin.controller.parameters(), 5.0)
        twin.learner._optimiser.step()
        values = search._learn(batch, rewards)
        assert 0 <= values["skip_share"] <= 1 and values["skip_penalty"] == pytest.approx(float(penalty.detach()))
        for name, value in search.controller.named_parameters():
            assert torch.allclose(value, dict(twin.controller.named_parameters())[name], atol=1e-6), name
    assert search.baseline.value == pytest.approx(0.95 * 0.35 + 0.05 * 0.5)


def test_the_skip_penalty_is_the_divergence_from_the_wanted_share() -> None:
    """Per layer the sum over its skips, the mean over layers: here one and two skips. At p = 1/2 each gives the same."""
    space = MacroSpace(MacroConfig(layers=3), SHAPE)
    controller = Controller(space.decisions, hidden=8)
    with torch.no_grad():
        for attention in controller.attentions:
            attention.vector.zero_()  # type: ignore[operator, union-attr]
    batch = [space.decisions.sample(random.Random(place)) for place in range(5)]
    each = 0.5 * math.log(0.5 / 0.4) + 0.5 * math.log(0.5 / 0.6)
    assert float(skip_penalty(controller, batch, 0.4).detach()) == pytest.approx((1 + 2) / 2 * each, abs=1e-6)
    assert float(skip_penalty(controller, batch, 0.5).detach()) == pytest.approx(0.0, abs=1e-6)
    plain = enas("nb201")
    sampled = [one.choices for one in plain.controller.sample_batch(random.Random(0), 2)]
    assert float(skip_penalty(plain.controller, sampled, 0.4)) == 0.0, "a space without skip connections"


def test_the_penalty_alone_brings_the_share_of_skips_to_its_target() -> None:
    search = enas(skip_weight=0.8, skip_target=0.15)
    rng = random.Random(0)
    for _ in range(80):
        batch = [sampled.choices for sampled in search.controller.sample_batch(rng, 3)]
        search._learn(batch, [0.5] * 3)
    tables = search.controller.probabilities()
    skips = [table[1] for table, decision in zip(tables, search.context.space.decisions, strict=True) if decision.kind == "skip"]
    assert np.mean(skips) == pytest.approx(0.15, abs=0.05)


# ---- the end


@SPACES
def test_it_ends_with_its_best_sample_and_the_best_of_chance(space: str) -> None:
    search = enas(space)
    run(search)
    finalists, (baseline,) = search.best(), search.baselines()
    assert all(finalist.finish == "retrain" for finalist in (*finalists, baseline))
    values = [finalist.value for finalist in finalists]
    assert values == sorted(values, reverse=True) and len({search.context.space.hash(one.genome) for one in finalists}) == len(finalists)
    # Ranked on the whole validation part with the shared weights, batch statistics included.
    for one in (*finalists, baseline):
        assert one.value == search.shared.rank(one.genome).accuracy
    figures = search.handover()
    assert figures["policy_max"] == values[0] and figures["random_max"] == baseline.value and figures["examples"] == 48
    assert "best of 3 random paths" in baseline.title
    chance = search.final_samples.genomes[3:]
    assert baseline.genome in chance and baseline.value == max(search.shared.rank(genome).accuracy for genome in chance)


def test_the_comparison_with_chance_is_said_by_a_control() -> None:
    search = enas()
    run(search)
    control = RandomPaths()
    control.begin(search.context, unpack(pack(search.handover())))
    assert control.control and not control.finished and control.step().samples == 0 and control.finished
    (said,) = of_kind(search.context.log.drain(), "control")
    chance = [search.shared.rank(genome).accuracy for genome in search.final_samples.genomes[3:]]
    assert said.values["random_mean"] == pytest.approx(np.mean(chance))
    assert f"{said.values['policy_max']:.4f} at best" in said.message and control.best() == []
    with pytest.raises(ValueError):
        RandomPaths().begin(search.context, None)


@pytest.mark.parametrize("steps", [2, 9, 18])
def test_a_search_that_its_budget_cuts_ranks_on_one_minibatch(steps: int) -> None:
    """In the warm-up, in the middle, and in the middle of the ranking."""
    search = enas()
    for _ in range(steps):
        search.step()
    finalists, baselines = search.best(), search.baselines()
    assert finalists == search.best() and baselines == search.baselines(), "asked twice, answered equally"
    assert search.handover()["examples"] == search.shared.rough_examples == 16
    assert finalists[0].value == search.shared.rank_roughly(finalists[0].genome).accuracy


def test_an_architecture_that_was_ranked_is_not_ranked_again() -> None:
    search = enas(warm_up_epochs=3, tanh_constant=0.0)
    with torch.no_grad():
        for head in search.controller.heads:
            head.bias[2] = 40.0
        for attention in search.controller.attentions:
            attention.vector.zero_()
    run(search, until=lambda: search.stage == "ranking")
    costs = [search.step().forward for _ in range(3)]
    hashes = [search.context.space.hash(genome) for genome in search.final_samples.genomes[:3]]
    assert costs == [48 if hash_ not in hashes[:place] else 0 for place, hash_ in enumerate(hashes)]
    assert len(search.final_samples._values) == 3


# ---- costs and events


def test_every_pass_is_charged() -> None:
    search = enas()
    while not search.finished:
        stage, cost = search.stage, search.step()
        if stage in ("warm_up", "weights"):
            assert (cost.forward_backward, cost.forward) == (12, 0)
        elif stage == "controller":
            assert (cost.forward_backward, cost.forward) == (0, 3 * 16)
        assert cost.flops > 0 or cost.samples == 0
    assert of_kind(search.context.log.drain(), "metrics")[-1].samples == search.cost.samples


@SPACES
def test_decisions_are_declared_and_the_policy_is_shown(space: str) -> None:
    search = enas(space)
    events = run(search)
    (declared,) = of_kind(events, "decisions")
    assert events[0].payload == declared and [one.key for one in declared.decisions] == [one.key for one in search.context.space.decisions]
    frames = of_kind(events, "policy")
    assert [frame.step for frame in frames] == list(range(search.horizon + 1))
    sizes = [len(one.choices) for one in declared.decisions]
    for frame in frames:
        parts = np.split(decode_floats(frame.probabilities), np.cumsum(sizes)[:-1])
        assert all(part.sum() == pytest.approx(1, abs=1e-5) for part in parts)
        if frame.step:
            search.context.space.decisions.validate(frame.sampled)
    first, last = decode_floats(frames[0].probabilities), decode_floats(frames[-1].probabilities)
    assert not np.array_equal(first, last) and np.array_equal(first, decode_floats(frames[4].probabilities)), "the warm-up leaves it alone"
    assert {frame.values["stage"] for frame in frames} == {0.0, 1.0, 2.0, 3.0}
    assert {"entropy_share", "baseline", "reward"} <= set(frames[-1].values)
    assert [notice.name for notice in of_kind(events, "notice")] == ["weights", "ranking"]
    assert of_kind(events, "derived")[0].step == 0
    assert len({event.key for event in events}) == len(events)
    assert bool(of_kind(events, "family")) == bool(of_kind(events, "structure")) == (space != "macro")


def test_frames_follow_every_so_many_steps_and_metrics_are_means() -> None:
    every, fourth = run(enas()), run(enas(structure_every=4))
    assert [frame.step for frame in of_kind(fourth, "policy")] == [0, 4, 8, 12, 16, 20, 22]
    losses = {payload.step: payload.values["train_loss"] for payload in of_kind(every, "metrics") if "train_loss" in payload.values}
    first = of_kind(fourth, "metrics")[0]
    assert first.values["train_loss"] == pytest.approx(np.mean([losses[step] for step in (1, 2, 3, 4)]))
    rewards = {payload.step: payload.values["reward"] for payload in of_kind(every, "metrics") if "reward" in payload.values}
    assert sorted(rewards) == [9, 10, 15, 16]
    assert of_kind(fourth, "metrics")[3].values["reward"] == pytest.approx((rewards[15] + rewards[16]) / 2)


def test_a_policy_is_drawn_on_the_familys_edges() -> None:
    """nb201: an edge's probabilities themselves. Cells: each node has two operations in all; a sure policy is its genome's one-hot."""
    for name in ("nb201", "cell"):
        entry = registry.space(name)
        space: Any = entry.space(entry.config(), DataShape((1, 8, 8), 10))
        for seed in range(5):
            genome = space.sample(random.Random(seed))
            choices = space.choices_of(genome)
            tables = [np.eye(len(one.choices))[choice] for one, choice in zip(space.decisions, choices, strict=True)]
            weights, expected = policy_weights(space, tables), space.one_hot(genome)
            assert weights is not None and all(np.array_equal(weights[group], expected[group]) for group in expected)
        uniform = [np.full(len(one.choices), 1 / len(one.choices)) for one in space.decisions]
        spread = policy_weights(space, uniform)
        assert spread is not None
        assert sum(table.sum() for table in spread.values()) == pytest.approx(6 if name == "nb201" else 2 * 4 * 2)
    assert policy_weights(MacroSpace(MacroConfig(), SHAPE), []) is None


# ---- bad input, checkpoints, whole runs


def test_a_loss_that_is_not_a_number_fails_with_its_reason() -> None:
    data = image_data()
    inputs = np.full(data.train.inputs.shape, np.nan, np.float32)
    part = Part(inputs=inputs, labels=data.train.labels, indices=data.train.indices)
    bad = SearchData(
        dataset="rows", shape=SHAPE, train=part, validation=part, preprocessing=data.preprocessing, class_names=data.class_names
    )
    search = enas(data=bad)
    before = copies(search.shared.network)
    with pytest.raises(TrialFailure, match="not a number at step 1"):
        search.step()
    assert equal(before, search.shared.network)


def test_what_it_cannot_search_is_refused() -> None:
    with pytest.raises(BadInput, match="ENAS cannot search 'neuron_graph'"):
        check({"algorithm": "enas", "space": "neuron_graph"})
    with pytest.raises(BadInput, match="single paths"):
        open_supernet(NeuronGraphSpace(NeuronGraphConfig(), SHAPE), "paths")
    context = Context(**{**enas().context.__dict__, "data": None})
    with pytest.raises(TypeError, match="samples"):
        Enas().begin(context, None)


@SPACES
def test_a_resumed_search_goes_on_with_equal_bits(space: str) -> None:
    whole = run(enas(space))
    search = enas(space)
    found = run(search, until=lambda: search.done == 9)
    state = unpack(pack({"phase": search.state_dict(), "log": search.context.log.state_dict()}))
    rng = search.context.rng.getstate()
    search.step()  # A state that was given away must not change afterwards.
    resumed = enas(space)
    with torch.no_grad():
        for value in (*resumed.shared.network.parameters(), *resumed.controller.parameters()):
            value.normal_()
    resumed.context.log.drain()
    resumed.load_state_dict(state["phase"])
    resumed.context.log.load_state_dict(state["log"])
    resumed.context.rng.setstate(rng)
    found += run(resumed)
    assert [event.model_dump() for event in found] == [event.model_dump() for event in whole]


def test_a_whole_run_finishes_both_and_compares_them(tmp_path: Path) -> None:
    values = {"algorithm": "enas", "seed": 2, **registry.algorithm("enas").quick}
    values["finale"] = {**values["finale"], "export": False}
    result = LocalRun(check(values, tmp_path), tmp_path, tmp_path, slice_seconds=1e9).run()
    assert result["status"] == "completed", result["reason"]
    rows = toys.science(tmp_path / "events.jsonl")
    text = [str(row) for row in rows]
    assert sum("random paths through the super-network, finished in the same way" in row for row in text) == 1
    assert any("as many random paths" in row for row in text)


@pytest.mark.gpu
@pytest.mark.parametrize("amp", [False, True])
@SPACES
def test_it_searches_on_a_gpu(space: str, amp: bool) -> None:
    """The super-network on CUDA, the controller on the CPU; without mixed precision the first loss is the CPU's."""
    search = enas(space, device="cuda", amp=amp)
    first = of_kind(run(search, until=lambda: search.done == 1), "metrics")[0].values["train_loss"]
    if not amp:
        twin = enas(space)
        expected = of_kind(run(twin, until=lambda: twin.done == 1), "metrics")[0].values["train_loss"]
        assert first == pytest.approx(expected, abs=1e-3)
    run(search)
    assert all(value.is_cuda for value in search.shared.weights) and not any(value.is_cuda for value in search.controller.parameters())
    assert 0 <= search.best()[0].value <= 1
