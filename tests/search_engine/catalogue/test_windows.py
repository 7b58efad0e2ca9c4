"""How many trials a new run keeps open: from the config alone, written into it, and never changed afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search_engine.algorithms.trials.random_search import RandomConfig
from search_engine.catalogue import registry
from search_engine.catalogue.advice import advice
from search_engine.catalogue.config import check, check_new
from search_engine.commands import main

TINY: dict[str, Any] = {"train_examples": 64}
TRAINED: dict[str, Any] = {
    "space": "mlp", "datasets": ["digits"], "budget": {"trials": 2}, "training": TINY,
    "finale": {"baselines": 0, "export": False, "redundancy": False, "training": TINY},
}
INSTANT: dict[str, Any] = {"space": "sequence", "datasets": ["learn_to_count"], "budget": {"trials": 2}}
BEARS = {"random": 8, "grid": 8, "bayesian": 4, "regularized_evolution": 4, "nas_rl": 1, "evo_nas": 1, "local_search": 1}
"""Measured: benchmarks.nb201_incumbents --windows."""
OF_THEIR_OWN = {"hierarchical_evolution": 4}
"""In a space that has no table, and measured on a planted truth there: algorithms/hierarchical_evolution/test_search.py."""


@pytest.mark.parametrize("algorithm", BEARS)
def test_a_new_run_has_its_algorithm_s_window_where_candidates_are_trained(algorithm: str) -> None:
    trained, instant = check_new({"algorithm": algorithm, **TRAINED}), check_new({"algorithm": algorithm, **INSTANT})
    assert trained.config.options == {"window": BEARS[algorithm]} and trained.options.open_trials == BEARS[algorithm]
    assert instant.config.options == {"window": 1} and instant.options.open_trials == 1


def test_every_algorithm_with_a_window_is_measured() -> None:
    assert {name for name, entry in registry.algorithms().items() if "window" in entry.config.model_fields} == {*BEARS, *OF_THEIR_OWN}
    assert {name: registry.algorithm(name).window for name in OF_THEIR_OWN} == OF_THEIR_OWN


def test_what_is_given_stays_and_what_was_made_before_keeps_its_meaning() -> None:
    given = {"algorithm": "random", **TRAINED, "options": {"window": 3}}
    assert check_new(given).config.options == {"window": 3}
    old = check({"algorithm": "random", **TRAINED})
    assert old.config.options == {} and old.options.open_trials == 1 == RandomConfig().open_trials
    assert "window" not in check_new({"algorithm": "darts"}).config.options, "a search by steps has none"


def test_one_open_trial_is_said_where_trials_take_time() -> None:
    def said(config: dict[str, Any]) -> list[str]:
        return [sentence for sentence in advice(check_new(config)) if "one worker" in sentence]

    [sentence] = said({"algorithm": "random", **TRAINED, "options": {"window": 1}})
    assert "window of 1" in sentence and "default is 8" in sentence
    assert said({"algorithm": "local_search", **TRAINED}) and "default is" not in said({"algorithm": "local_search", **TRAINED})[0]
    assert not said({"algorithm": "random", **TRAINED}) and not said({"algorithm": "random", **INSTANT})
    assert not said({"algorithm": "nas_rl", **TRAINED, "options": {"window": 1}}), "it works by batches"


def test_the_command_line_completes_a_new_run_and_resumes_an_older_one_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "run.json"
    config.write_text(json.dumps({"algorithm": "regularized_evolution", **TRAINED, "options": {"population": 12}}))
    new, old = tmp_path / "new", tmp_path / "old"
    assert main(["run", str(config), "--out", str(new), "--json"]) == 0
    assert main(["run", str(config), "--out", str(new), "--json", "--resume"]) == 0
    with monkeypatch.context() as former:
        former.setattr("search_engine.commands.run.check_new", check)
        assert main(["run", str(config), "--out", str(old), "--json"]) == 0
    assert main(["run", str(config), "--out", str(old), "--json", "--resume"]) == 0
    kinds = [[json.loads(line)["kind"] for line in (folder / "events.jsonl").read_text().splitlines()] for folder in (new, old)]
    begun = [[kind for kind in found if kind in ("candidate_born", "trial_told")][:2] for found in kinds]
    assert begun == [["candidate_born", "candidate_born"], ["candidate_born", "trial_told"]]
