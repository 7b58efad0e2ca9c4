"""What failed stands in the summary and in result.json, and is counted once however often the run was interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from search_engine.commands import main
from search_engine.search.coordinator import Coordinator
from search_engine.search.local_run import LocalRun
from tests.search_engine import toys

WORDS = ["run", "--algorithm", "random", "--space", "bits", "--dataset", "ones", "--budget", "trials=30", "--set", "max_failures=100"]


@pytest.fixture(autouse=True)
def _every_third_trial_fails(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    instant = Coordinator.instant

    def failing(self: Coordinator, trial: object) -> object:
        outcome = instant(self, trial)  # type: ignore[arg-type]
        number = trial.number  # type: ignore[attr-defined]
        return outcome if number % 3 else {**outcome, "status": "failed", "reason": f"reason {number % 2}", "metrics": {}}  # type: ignore[dict-item]

    monkeypatch.setattr(Coordinator, "instant", failing)
    with toys.registered():
        yield


def test_in_the_result_and_in_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "result.json").read_text())["failures"]
    failed = {"trials_told": 30, "trials_failed": 10, "reasons": {"reason 0": 5, "reason 1": 5}, "others": []}
    assert told == {**failed, "trials_doubted": 0, "doubts": []}
    assert "10 of 30 trials failed: reason 0 (5); reason 1 (5)" in capsys.readouterr().out


def test_once_each_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said after the last commit is said again, and counted once."""
    advance, commit, commits = Coordinator.advance, LocalRun._commit, []

    def die(self: LocalRun) -> None:
        if len(commits) == 25:
            raise KeyboardInterrupt
        commits.append(1)
        commit(self)

    with monkeypatch.context() as patched:
        patched.setattr(Coordinator, "advance", lambda self, outcomes=None, seconds=0.0, events=None: advance(self, outcomes, 0.0, events))
        patched.setattr(LocalRun, "_commit", die)
        assert main([*WORDS, "--out", str(tmp_path)]) == 1
    assert main([*WORDS, "--out", str(tmp_path), "--resume"]) == 0
    assert json.loads((tmp_path / "result.json").read_text())["failures"]["trials_failed"] == 10

