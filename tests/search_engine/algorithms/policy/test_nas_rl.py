"""NAS-RL: batches, rewards, failures, the window, and that it learns where the answer was planted."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch

from search_engine.algorithms.base import Result
from search_engine.algorithms.policy.nas_rl import NasRl, SteadyNasRl, advise
from search_engine.base import checkpoint
from search_engine.base.generators import random_state, restore_random
from search_engine.catalogue.config import check
from search_engine.datasets.learn_to_count import LearnToCount
from search_engine.events import Cost, decode_floats
from search_engine.search.local_run import LocalRun
from search_engine.spaces.data_shape import NO_INPUT, DataShape
from search_engine.spaces.nb201 import NB201Config, NB201Space
from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
from tests.search_engine import toys
from tests.search_engine.algorithms.policy.by_hand import METRIC, begun, count, search


def counting(n: int = 5, seed: int = 0, **options: Any) -> NasRl:
    return begun("nas_rl", SequenceSpace(SequenceConfig(n=n), NO_INPUT), seed, **options)  # type: ignore[no-any-return]


def told(phase: NasRl, rewards: list[float | None], first: int = 0) -> list[float]:
    """Answer one generation; returns the rewards that the policy's update saw."""
    seen: list[float] = []
    update = phase.learner.update

    def spy(batch: Any, values: Any, **options: Any) -> Any:
        seen.extend(values)
        return update(batch, values, **options)

    phase.learner.update = spy  # type: ignore[method-assign]
    proposals = phase.ask()
    assert len(proposals) == len(rewards)
    results = [
        Result(first + index, proposal.genome, "failed" if value is None else "completed", {} if value is None else {METRIC: value}, Cost())
        for index, (proposal, value) in enumerate(zip(proposals, rewards, strict=True))
    ]
    phase.tell(results)
    phase.learner.update = update  # type: ignore[method-assign]
    return seen


def test_a_generation_is_a_batch_and_one_update() -> None:
    phase = counting(batch=3)
    assert told(phase, [0.1, 0.2, 0.3]) == [0.1, 0.2, 0.3]
    assert phase.learner.version == 1 and phase.learner.baseline.value == pytest.approx(0.2)
    assert [finalist.value for finalist in phase.best()] == [0.3, 0.2, 0.1]


def test_the_reward_is_a_power_of_the_score_and_keeps_its_sign() -> None:
    assert told(counting(batch=3, reward_power=3), [0.5, 1.0, -0.5]) == [0.125, 1.0, -0.125]
    assert told(counting(batch=2, reward_power=2), [0.5, -0.5]) == [0.25, -0.25]


def test_failed_children_are_dropped_or_penalised() -> None:
    assert told(counting(batch=3), [0.5, None, 0.7]) == [0.5, 0.7]
    assert told(counting(batch=3, failed="penalise"), [0.5, None, 0.7]) == [0.5, 0.0, 0.7]
    nothing = counting(batch=2)
    assert told(nothing, [None, None]) == [] and nothing.learner.version == 0
    assert nothing.best() == []


def test_a_steady_window_updates_after_every_batch_of_tells() -> None:
    phase = counting(batch=3, scheduling="steady", window=2)
    assert isinstance(phase, SteadyNasRl) and phase.scheduling == "steady"
    versions = []
    open_ = [phase.ask()[0], phase.ask()[0]]
    for number in range(7):
        phase.tell([Result(number, open_.pop(0).genome, "completed", {METRIC: 0.1 * number}, Cost())])
        versions.append(phase.learner.version)
        open_.append(phase.ask()[0])
    assert versions == [0, 0, 1, 1, 1, 2, 2]


def test_it_goes_on_from_its_state_with_trials_open() -> None:
    options: dict[str, Any] = {"batch": 3, "scheduling": "steady", "window": 4, "stale_after": 0}
    phase, open_ = counting(**options), []
    for number in range(17):
        open_.append(phase.ask()[0].genome)
        if len(open_) == 4:
            phase.tell([Result(number, open_[0], "completed", {METRIC: LearnToCount().reward(open_.pop(0))}, Cost())])
    again = counting(**options)
    again.load_state_dict(checkpoint.unpack(checkpoint.pack(phase.state_dict())))
    restore_random(again.context.rng, random_state(phase.context.rng))
    for number in range(17, 34):
        genomes = [one.ask()[0].genome for one in (phase, again)]
        assert genomes[0] == genomes[1]
        reward = LearnToCount().reward(genomes[0])
        for one in (phase, again):
            one.tell([Result(number, genomes[0], "completed", {METRIC: reward}, Cost())])


@pytest.mark.parametrize("scheduling", ["generational", "steady"])
def test_failures_leave_no_hole(scheduling: str) -> None:
    phase = counting(batch=4, scheduling=scheduling, failed="penalise")
    numbers = iter(range(10_000))
    rewards = search(phase, lambda genome: None if next(numbers) % 5 == 0 else LearnToCount().reward(genome), 80)
    assert len(rewards) == 80 and phase.tally.failed == 16 and phase.learner.version == 20
    assert all(bool(torch.isfinite(parameter).all()) for parameter in phase.controller.parameters())


def test_a_settled_policy_can_end_the_search() -> None:
    phase = counting(n=2, batch=4, learning_rate=0.3, entropy_weight=0.0, stop_settled=True)
    asked = 0
    while asked < 400 and (proposals := phase.ask()):
        rewards = [LearnToCount().reward(proposal.genome) for proposal in proposals]
        phase.tell(
            [
                Result(asked + index, proposal.genome, "completed", {METRIC: reward}, Cost())
                for index, (proposal, reward) in enumerate(zip(proposals, rewards, strict=True))
            ]
        )
        asked += len(proposals)
    assert asked < 400
    assert [event.payload.name for event in phase.context.log.drain() if event.kind == "notice"] == ["policy_settled"]  # type: ignore[union-attr]


def test_the_policy_is_shown_live(tmp_path: Path) -> None:
    """The decisions once, then frames whose strips are distributions."""
    values = {
        "algorithm": "nas_rl", "space": "sequence", "datasets": ["learn_to_count"], "space_options": {"n": 4}, "seed": 1,
        "budget": {"trials": 24}, "options": {"batch": 4},
    }
    LocalRun(check(values, tmp_path), tmp_path, tmp_path).run()
    rows = [row for row in toys.science(tmp_path / "events.jsonl") if row[2] in ("decisions", "policy", "metrics")]
    kinds = [row[2] for row in rows]
    assert (kinds.count("decisions"), kinds.count("policy"), kinds.count("metrics")) == (1, 6, 6)
    frame = json.loads(next(row[4] for row in rows if row[2] == "policy"))
    strips = decode_floats(frame["probabilities"]).reshape(4, 4)
    assert strips.sum(1) == pytest.approx([1] * 4, abs=1e-5)
    assert {"entropy", "entropy_share", "baseline", "reward", "gradient_norm"} <= set(frame["values"])
    assert 0.9 < frame["values"]["entropy_share"] <= 1


def test_advice_where_the_budget_allows_hardly_an_update() -> None:
    phase = counting(batch=8)
    assert "updates" in advise(phase.context.options, phase.context.space, 10)[0]
    assert advise(phase.context.options, phase.context.space, 100) == []


class SignTurned(NasRl):
    """Mutant: what the field calls log-probability and cross-entropy confused."""

    def _reward(self, result: Result) -> float | None:
        value = super()._reward(result)
        return None if value is None else -value


def last(seed: int, phase: NasRl | None = None) -> float:
    return fmean(count("nas_rl", seed, 5, 600, phase)[-100:])


def test_learning_to_count_to_five_fast_gate() -> None:
    """n = 5, 600 trials, mean of the last 100: measured .58 to .70 (5 seeds), the mutant .06, random search .21."""
    assert fmean(last(seed) for seed in range(2)) >= 0.45
    assert last(0, SignTurned()) <= 0.15


def test_the_policy_is_also_drawn_on_the_edges_of_a_family() -> None:
    """On NAS-Bench-201 cells every decision is an edge's operation: the weights of the family are the policy's own probabilities."""
    space = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))
    phase = begun("nas_rl", space, 0, batch=4)
    events = phase.context.log.drain()
    [family] = [event.payload for event in events if event.kind == "family"]
    assert [group.name for group in family.groups] == ["cell"]
    told(phase, [0.2, 0.4, 0.1, 0.9])
    events = phase.context.log.drain()
    edges, policy = ([event.payload for event in events if event.kind == kind][-1] for kind in ("structure", "policy"))
    assert edges.groups["cell"] == policy.probabilities and edges.step == policy.step
    assert decode_floats(policy.probabilities).reshape(6, 5).sum(axis=1) == pytest.approx([1.0] * 6)
