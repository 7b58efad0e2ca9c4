"""Budgets in seconds end within a unit: a trial under way is cut, those that wait are not begun; the finale has a bound of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue.config import check
from search_engine.datasets.digits import Digits, DigitsConfig
from search_engine.search.local_run import LocalRun
from search_engine.search.work import OUT_OF_SECONDS, Work
from search_engine.training.trainer import Trainer

SMALL = {"epochs": 2, "train_examples": 256, "batch_size": 64, "channels": 4, "layers": 1}
FINALE = {"baselines": 0, "export": False, "redundancy": False, "training": {**SMALL, "epochs": 3}}


def values(**changes: Any) -> dict[str, Any]:
    where = {"algorithm": "random", "space": "nb201", "datasets": ["digits"], "options": {"window": 4}, "training": SMALL}
    return {**where, "finale": FINALE, **changes}


def rows(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [row["data"] for row in map(json.loads, (folder / "events.jsonl").read_text().splitlines()) if row["kind"] == kind]


class Ticking:
    """Every unit of work takes one second by this clock, whatever it takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("search_engine.search.work.time.perf_counter", lambda: self.now)
        advance, begin = Work.advance, Work.begin
        self.begun = 0

        def tick(work: Work) -> None:
            advance(work)
            self.now += 1

        def count(work: Work) -> None:
            self.begun += not work._begun
            begin(work)

        monkeypatch.setattr(Work, "advance", tick)
        monkeypatch.setattr(Work, "begin", count)


@pytest.mark.parametrize("together", [1, 4])
def test_the_charge_goes_over_a_budget_in_seconds_by_less_than_a_unit(
    together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial takes 8 units; four are open at once. Of 13 seconds one trial is told, the second is cut, the others are not begun."""
    clock = Ticking(monkeypatch)
    given = values(budget={"seconds": 13}, finale=FINALE, together=together, options={"window": 4})
    result = LocalRun(check(given), tmp_path, tmp_path, slice_seconds=3).run()
    told = rows(tmp_path, "trial_told")
    assert 13 <= result["budget"]["seconds"] < 14
    if together == 1:
        assert result["status"] == "completed" and result["stop_reason"] == "budget"
        # After the first tell a fifth was asked.
        assert [row["status"] for row in told] == ["completed", *["cancelled"] * 4]
        assert {row["reason"] for row in told[1:]} == {OUT_OF_SECONDS}
        assert result["budget"]["trials"] == result["tried"]["trials"] == result["tried"]["architectures"] == 1
        # Two trials and the finale: those that waited cost nothing.
        assert clock.begun == 3


def test_what_was_asked_after_a_cut_trial_reaches_the_finale_but_not_the_algorithm(tmp_path: Path) -> None:
    from search_engine.events import Cost
    from search_engine.search.coordinator import Coordinator
    from search_engine.search.trial_work import cut_outcome

    coordinator = Coordinator(check(values(budget={"seconds": 10})), tmp_path, tmp_path)
    specs = coordinator.advance().opened
    heard = []
    phase = coordinator.phase
    assert phase is not None and len(specs) == 4
    phase.tell = lambda results: heard.extend(result.number for result in results)  # type: ignore[attr-defined]
    good = {"status": "completed", "reason": "", "machine": False, "cost": Cost().model_dump(), "seconds": 1.0}
    outcomes = {
        "trial:0": {**good, "metrics": {"val_accuracy": 0.3}}, "trial:1": cut_outcome(OUT_OF_SECONDS, Cost(), 9.0),
        "trial:2": {**good, "metrics": {"val_accuracy": 0.8}}, "trial:3": {**good, "metrics": {"val_accuracy": 0.5}},
    }
    later = coordinator.advance(outcomes)
    # Trial 4 was asked when trial 0 was told, before the cut was known.
    assert heard == [0] and [spec.source for spec in later.opened] == ["trial:4"]
    coordinator.advance({"trial:4": cut_outcome(OUT_OF_SECONDS, Cost(), 0.0)})
    assert heard == [0]
    assert next(item["candidate"] for item in coordinator.finalists) == 2


def test_a_budget_that_no_trial_fits_into_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ticking(monkeypatch)
    result = LocalRun(check(values(budget={"seconds": 3})), tmp_path, tmp_path).run()
    assert (result["status"], result["reason"]) == ("failed", "no trial gave a result within the budget of 3 s")


def test_the_finale_s_bound_ends_its_training_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ticking(monkeypatch)
    finale = {**FINALE, "seconds": 5}
    result = LocalRun(check(values(budget={"trials": 1}, finale=finale)), tmp_path, tmp_path, slice_seconds=2).run()
    words = "ended after 6 of 12 steps, when its 5 s (finale.seconds) were used up"
    assert result["status"] == "completed" and "test_accuracy" in result["best"][0]["metrics"]
    assert (result["reproducible"], result["reproducible_note"]) == (False, f"a final training {words}")
    assert [row["message"] for row in rows(tmp_path, "notice") if row["name"] == "ended_early"] == [f"the final training {words}"]


@pytest.mark.parametrize("early_stop", [0, 5])
def test_a_training_that_is_ended_early_is_scored_with_the_weights_that_it_has(early_stop: int) -> None:
    import torch

    from search_engine.training.evaluation import evaluate

    data = Digits(DigitsConfig()).search_data(seed=0)
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    trainer = Trainer(network, data, TrainingConfig(epochs=4, augment="none", early_stop=early_stop), seed=0)
    for _ in range(trainer.steps_total // 4 + 3):
        trainer.advance()
    trainer.end_early()
    assert trainer.finished and [report["epoch"] for report in trainer.epoch_reports()] == [1, 2]
    score = evaluate(network, data.validation, data.preprocessing, "cpu", task="classification")
    assert trainer.metrics()["val_accuracy"] == pytest.approx(score["accuracy"])
