"""A search that has a plan of its own ends by it: it needs no budget, and a larger one adds nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check, check_new, needs_budget
from search_engine.search.estimate import estimate
from search_engine.search.local_run import LocalRun
from search_engine.search.work import Progress

GRID: dict[str, Any] = {"algorithm": "grid", "space": "sequence", "space_options": {"n": 3}, "datasets": ["learn_to_count"]}
COLONY: dict[str, Any] = {
    **registry.algorithm("deepswarm").quick, "algorithm": "deepswarm", "options": {"ant_count": 2, "max_depth": 1},
    "finale": {"export": False, "redundancy": False, "training": {"epochs": 1, "train_examples": 64}}, "budget": None,
}


@pytest.mark.parametrize(("config", "planned", "reason"), [(GRID, 27, "exhausted"), (COLONY, 3, "horizon")])
def test_a_plan_suffices(config: dict[str, Any], planned: int, reason: str, tmp_path: Path) -> None:
    run = LocalRun(check_new(config), tmp_path, tmp_path / "run", slice_seconds=0.0)
    seen: list[str] = []
    left: list[bool] = []

    def note(search: Progress, work: Progress | None, local: LocalRun) -> None:
        seen.append(search.text)
        if local.stopwatch.trials_over or local.coordinator.meter.trials:
            left.append(local.left() is not None)

    result = run.run(report=note)
    assert all(left) and (left or config is GRID), "the time left is said as soon as a trial is over"
    assert (result["status"], result["stop_reason"], result["budget"]["trials"]) == ("completed", reason, planned)
    assert estimate(check(config), tmp_path)["trials"] == planned
    assert not [text for text in seen if "planned trials" not in text and "training the best" not in text and "finished" not in text]
    more = check({**config, "budget": {"trials": 10 * planned}})
    assert estimate(more, tmp_path)["trials"] == planned


@pytest.mark.parametrize("budget", [None, {"trials": 270}])
def test_the_time_left_of_a_grid_is_what_its_plan_leaves(budget: dict[str, int] | None, tmp_path: Path) -> None:
    run = LocalRun(check_new({**GRID, "budget": budget}), tmp_path, tmp_path / "run")
    while run.coordinator.meter.trials < 9:
        run.coordinator.advance(seconds=0)
    run.stopwatch.step(3.0)
    left = run.left()
    assert left is not None and left.seconds == pytest.approx(6.0)
    assert run.coordinator.progress().text == "9 of 27 planned trials"


@pytest.mark.parametrize("algorithm", sorted(registry.algorithms()))
def test_who_has_no_plan_needs_a_budget(algorithm: str) -> None:
    entry = registry.algorithm(algorithm)
    if needs_budget(registry.phases_of(entry)):
        with pytest.raises(BadInput, match="stops only by a budget"):
            check({"algorithm": algorithm})
    else:
        check({"algorithm": algorithm})
