"""What is said before the start of a search that compresses its networks, against what it is charged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.compression import Compression
from search_engine.catalogue.config import CheckedRun, check
from search_engine.events import Cost
from search_engine.search import estimate as estimates
from search_engine.search.declared_flops import DeclaredFlops
from search_engine.search.estimate import estimate
from search_engine.search.fold_work import declared_trial_cost
from search_engine.search.forecast import Plan
from search_engine.search.local_run import LocalRun
from search_engine.search.trial_work import genome_training
from search_engine.search.unit_needs import kinds, unit_needs
from search_engine.search.work import Work

from .test_compressing import CHECKED, finish, trial


def config(**options: Any) -> dict[str, Any]:
    space = {"filters_min": 2, "filters_max": 40, "dense_max": 40}
    own = {**CHECKED["options"], "plain_sample": 0, "compress_steps": 8, **options}
    return {**CHECKED, "space_options": space, "seed": 4, "options": own, "finale": {**CHECKED["finale"], "export": False}}


@pytest.fixture(autouse=True)
def _search_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests have the finale and what a unit needs."""
    monkeypatch.setattr(estimates, "_finale", lambda *_: {"samples": 0.0, "seconds": 0.0})
    monkeypatch.setattr(estimates, "refuse_too_large", lambda *_: [])


def charged(checked: CheckedRun, folder: Path) -> tuple[int, float]:
    """(trials, samples) of the whole search, as if those that repeat an earlier one, which cost nothing, were paid for."""
    LocalRun(checked, folder, folder).run()
    events = [json.loads(line)["data"] for line in (folder / "events.jsonl").read_text().splitlines()]
    own = {event["candidate"]: event for event in events if event["kind"] == "trial_told"}
    paid = [own[event["candidate"] if event["reused_from"] is None else event["reused_from"]] for event in own.values()]
    return len(paid), sum(Cost.model_validate(event["cost"]).samples for event in paid)


@pytest.mark.parametrize("options", [
    {}, {"compress": "with_inheritance", "generations": 3, "compress_every": 2}, {"epochs": 1, "plain_sample": 2},
], ids=["compressed", "every second generation", "own epochs and a sample"])  # fmt: skip
def test_the_declared_samples_are_those_that_are_charged(options: dict[str, Any], tmp_path: Path) -> None:
    checked = check(config(**options))
    said = estimate(checked, tmp_path)
    trials, samples = charged(checked, tmp_path / "run")
    assert said["trials"] == trials == checked.options.networks * checked.options.generations
    assert said["samples"] == pytest.approx(samples, rel=1e-12)


def test_the_declared_flops_are_those_of_a_network_that_loses_nothing(tmp_path: Path) -> None:
    """Nobody knows before what goes: the declared are never less, and the same where nothing does."""
    for strength, exact in ((0.0, True), (30.0, False)):
        how = Compression(strength=strength, threshold=0.7, steps=8, epochs=0, learning_rate=0.2)
        work = trial(tmp_path, how, checked=check({**config(), "budget": {"flops": 1e12}}))
        space = work.resources.space
        training = genome_training(work.training, space, work.genome, {})
        passes = declared_trial_cost(training, work.resources.search_data, 1, how)
        declared = DeclaredFlops(work.resources.checked, work.resources).of(work.genome, space.hash(work.genome), training, passes)
        outcome = finish(work)
        assert (outcome["compressed"]["flops"][0] == outcome["compressed"]["flops"][1]) == exact
        assert outcome["cost"]["flops"] == pytest.approx(declared, rel=1e-6) if exact else outcome["cost"]["flops"] < declared


def test_seconds_hold_the_compression_and_the_networks_trained_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second for every unit: six trials of 12 steps of training and 8 of compression, two of them trained as they are, too."""

    def begun(work: Work) -> float:
        with work.generators.active():
            work.begin()
        return 1.0

    monkeypatch.setattr(estimates, "_seconds_per_unit", begun)
    assert estimate(check(config(plain_sample=2)), tmp_path)["seconds"] == 6 * (12 + 8) + 2 * 12
    assert estimate(check(config(compress="none")), tmp_path)["seconds"] == 6 * 12


def test_a_forecast_counts_the_examples_of_the_compression() -> None:
    assert Plan.of(check(config(compress="none"))).trial_units == 2 * 96
    assert Plan.of(check(config())).trial_units == 2 * 96 + 8 * 16
    assert Plan.of(check(config(epochs=5))).trial_units == 5 * 96 + 8 * 16
    every = {"compress": "with_inheritance", "generations": 3, "compress_every": 2}
    assert Plan.of(check(config(**every))).trial_units == pytest.approx(2 * 96 + 2 / 3 * 8 * 16)


def test_a_step_of_the_compression_is_a_unit_too(tmp_path: Path) -> None:
    """Beside the training of the network as it is: its penalty takes memory of its own."""
    checked, plain = check(config()), check(config(compress="none"))
    [kind] = [kind for kind in kinds(checked) if kind.what == "step of a trial"]
    specs = kind.specs(checked, tmp_path, tmp_path)
    assert sum("compress" in spec.arguments for spec in specs) == len(specs) / 2 == len(kind.specs(plain, tmp_path, tmp_path))
    need, before = ({need.what: need for need in unit_needs(each, tmp_path)}["step of a trial"] for each in (checked, plain))
    assert need.memory >= before.memory and need.flops >= before.flops
