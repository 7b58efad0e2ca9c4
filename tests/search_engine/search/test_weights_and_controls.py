"""What the search loop gives beyond ask and tell: inherited weights, controls after the search, baselines, several data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.algorithms.base import (
    AlgorithmConfig,
    AlgorithmEntry,
    Domains,
    Finalist,
    Inherit,
    Proposal,
    Result,
    StepPhase,
    TrialPhase,
)
from search_engine.algorithms.trials.ranking import Ranking
from search_engine.base.errors import BadInput, TrialFailure
from search_engine.catalogue.config import check
from search_engine.events import ControlScored, Cost
from search_engine.search.local_run import LocalRun
from search_engine.search.starting_weights import copy_parts
from tests.search_engine import toys

SMALL = {"epochs": 1, "train_examples": 64, "channels": 2, "layers": 1}


class Heirs(TrialPhase):
    """One genome again and again: every trial goes on with the weights of the one before, except the last."""

    scheduling = "generational"
    keeps_weights = True

    def begin(self, context: Any, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.genome = context.space.sample(context.rng)
        self.told: list[int] = []
        self.ranking = Ranking(context.metric)

    def ask(self) -> list[Proposal]:
        if len(self.told) == 3:
            return [Proposal(self.genome, fidelity={"learning_rate": 0.011})]
        inherit = Inherit(self.told[-1], ("",)) if self.told else None
        return [Proposal(self.genome, inherit=inherit)] if len(self.told) < 4 else []

    def tell(self, results: list[Result]) -> None:
        for result in results:
            self.told.append(result.number)
            self.ranking.add(result, str(result.number))

    def forgotten(self) -> list[int]:
        return self.told[-2:-1]

    def best(self) -> list[Finalist]:
        return self.ranking.finalists()

    def state_dict(self) -> dict[str, Any]:
        return {"told": self.told, "ranking": self.ranking.state_dict(), "genome": self.genome.to_json()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.told = state["told"]
        self.ranking.load_state_dict(state["ranking"])


class Counting(StepPhase):
    """Four steps of ten examples; knows how many data sets it was given."""

    name = "search"

    def begin(self, context: Any, handover: dict[str, Any] | None) -> None:
        super().begin(context, handover)
        self.done = 0
        self.started_from = handover

    def step(self) -> Cost:
        self.done += 1
        return Cost(forward_backward=10)

    @property
    def finished(self) -> bool:
        return self.done >= 4

    @property
    def steps_done(self) -> int:
        return self.done

    def best(self) -> list[Finalist]:
        genome = self.context.space.sample(self.context.rng)
        return [Finalist(genome, domains=(place,)) for place in range(len(self.context.domains))]

    def baselines(self) -> list[Finalist]:
        return [Finalist(self.context.space.sample(self.context.rng), title="one more, drawn at random")]

    def handover(self) -> dict[str, Any]:
        return {"steps": np.array(self.done)}

    def state_dict(self) -> dict[str, Any]:
        return {"done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.done = state["done"]


class Repetition(Counting):
    """The control: says how far the search had come."""

    name = "repetition"
    title = "Repetition"
    control = True

    def step(self) -> Cost:
        cost = super().step()
        if self.finished:
            assert self.started_from is not None
            values = {"search_steps": float(self.started_from["steps"]), "steps": float(self.done)}
            self.context.emit(ControlScored(name=self.name, title=self.title, message="as often as the search", values=values), self.done)
        return cost


class Broken(Counting):
    name = "broken"
    title = "Broken"
    control = True

    def step(self) -> Cost:
        raise TrialFailure("loss is not a number")


def entry(phases: Any, **changes: Any) -> AlgorithmEntry:
    values: dict[str, Any] = {
        "id": "toy", "title": "Toy", "family": "sampling", "summary": "", "source": "", "needs": frozenset({"trials"}),
        "space_needs": frozenset({"sample"}), "config": AlgorithmConfig, "phases": phases, "spaces": ("cell",), **changes,
    }
    return AlgorithmEntry(**values)


def config(**changes: Any) -> dict[str, Any]:
    finale = {"training": SMALL, "onnx": False, "export": False, "redundancy": False}
    return {"algorithm": "toy", "datasets": ["digits"], "seed": 2, "training": SMALL, "finale": finale, **changes}


def run(out: Path, values: dict[str, Any], *, reloads: bool = False) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    local = LocalRun(check(values, out), out, out, slice_seconds=0 if reloads else 1e9)
    local.reloads = reloads
    return local.run(), [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in events if event["kind"] == kind]


def test_a_trial_starts_from_the_weights_of_an_earlier_one(tmp_path: Path) -> None:
    heirs = entry(lambda options: [Heirs()])
    with toys.registered(algorithms=(heirs,), spaces=(), datasets=()):
        result, events = run(tmp_path / "a", config(budget={"trials": 10}))
        run(tmp_path / "b", config(budget={"trials": 10}), reloads=True)
    assert result["status"] == "completed", result["reason"]
    assert toys.science(tmp_path / "a" / "events.jsonl") == toys.science(tmp_path / "b" / "events.jsonl")
    assert [row["inherited_from"] for row in of(events, "candidate_born")] == [None, 0, 1, None]
    losses = [row["metrics"]["train_loss"] for row in of(events, "trial_told")]
    # One genome, one order of examples: only the starting weights differ, and each trial's are trained longer.
    assert losses[0] > losses[1] > losses[2]
    assert all(row["reused_from"] is None for row in of(events, "trial_told")), "other starting weights are another trial"
    assert not list(tmp_path.glob("*/weights/*")), "nothing is left of what nobody inherits any more"


def test_forgotten_weights_go_when_the_step_is_committed(tmp_path: Path) -> None:
    heirs = entry(lambda options: [Heirs()])
    seen: list[list[str]] = []
    with toys.registered(algorithms=(heirs,), spaces=(), datasets=()):
        longer = config(budget={"trials": 10}, training={**SMALL, "train_examples": 192})
        local = LocalRun(check(longer, tmp_path), tmp_path, tmp_path, slice_seconds=0)
        local.run(report=lambda *_: seen.append(sorted(path.name for path in (tmp_path / "weights").glob("*"))))
    # While the third trial trains, the first one's weights are gone; those it started from are there.
    assert ["trial-1.safetensors"] in seen and ["trial-0.safetensors", "trial-1.safetensors"] not in seen


def test_inherited_parts_are_copied_and_misfits_fail_the_trial() -> None:
    import torch
    from torch import nn

    def network(width: int) -> nn.Module:
        return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, width))

    donor, heir, other = network(2), network(2), network(5)
    before = heir[1].weight.clone()
    assert copy_parts(heir, donor.state_dict(), ["0"]) == 2
    assert torch.equal(heir[0].weight, donor[0].weight) and torch.equal(heir[1].weight, before)
    with pytest.raises(TrialFailure, match=r"1\.weight"):
        copy_parts(other, donor.state_dict(), ["0", "1"])


def test_a_control_runs_after_the_search_and_is_not_charged(tmp_path: Path) -> None:
    both = entry(lambda options: [Counting(), Broken(), Repetition()], needs=frozenset({"gradients"}), budgets=frozenset({"samples"}))
    with toys.registered(algorithms=(both,), spaces=(), datasets=()):
        result, events = run(tmp_path / "whole", config())
        cut, cut_events = run(tmp_path / "cut", config(budget={"samples": 20}))
        run(tmp_path / "reloaded", config(), reloads=True)
    assert (result["budget"]["samples"], cut["budget"]["samples"]) == (40, 20)
    assert (result["stop_reason"], cut["stop_reason"]) == ("horizon", "budget")
    whole_controls, cut_controls = of(events, "control"), of(cut_events, "control")
    assert [row["values"] for row in whole_controls] == [{}, {"search_steps": 4, "steps": 4}]
    assert [row["values"] for row in cut_controls] == [{}, {"search_steps": 2, "steps": 4}]
    assert whole_controls[0]["message"] == "the control could not be finished: loss is not a number"
    assert toys.science(tmp_path / "whole" / "events.jsonl") == toys.science(tmp_path / "reloaded" / "events.jsonl")
    kinds = [event["kind"] for event in events]
    assert kinds.index("search_stopped") < kinds.index("control") < kinds.index("finalist")


def test_a_phase_names_its_own_baseline(tmp_path: Path) -> None:
    own = entry(lambda options: [Counting()], needs=frozenset({"gradients"}), budgets=frozenset({"samples"}))
    with toys.registered(algorithms=(own,), spaces=(), datasets=()):
        result, events = run(tmp_path, config())
    assert [(row["role"], row["title"]) for row in of(events, "finalist")] == [
        ("finalist", "best architecture found"), ("baseline", "one more, drawn at random"),
    ]
    assert "test_accuracy" in result["baseline"][0]["metrics"]


def test_each_data_set_has_its_finalist(tmp_path: Path) -> None:
    halves = ({"labels": [0, 1, 2, 3, 4]}, {"labels": [5, 6, 7]})
    several = entry(
        lambda options, count: [Counting()], needs=frozenset({"gradients"}), budgets=frozenset({"samples"}),
        domains=Domains(least=2, most=3, default=(("digits", halves[0]), ("digits", halves[1])), one_finalist_each=True),
    )
    with toys.registered(algorithms=(several,), spaces=(), datasets=()):
        with pytest.raises(BadInput, match="searches 2 to 3 data sets in order"):
            check(config())
        with pytest.raises(BadInput, match="the space 'cell' works on one data set, not 2"):
            check(config(datasets=[], dataset_options=[]))

