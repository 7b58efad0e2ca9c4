"""Pause, resume, cancel and delete in the middle of searches that real workers drive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkpoints_left import checkpoints_left

from .embedded import Embedded, clean_log
from .searches import GROWTH, TINY, TRAINED, CommandLine, assert_same

pytestmark = pytest.mark.slow

LONG_TRIALS: dict[str, Any] = {**TRAINED, "budget": {"trials": 10}, "training": {**TINY, "epochs": 3, "train_examples": 512}}
SEARCHES: dict[str, dict[str, Any]] = {
    "random": LONG_TRIALS,
    "wann": {**GROWTH, "options": {"population": 32, "generations": 60, "batch_size": 200}},
}
ENDLESS: dict[str, Any] = {**TRAINED, "budget": {"trials": 100_000}}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    made = Embedded(tmp_path_factory.mktemp("web") / "home", workers=2, NASCOPE_SLICE_SECONDS="0.3")
    try:
        made.up()
        yield made
    finally:
        made.down()


def science_events(embedded: Embedded, run: str) -> list[dict[str, Any]]:
    return [event for event in embedded.events(run) if event["science"]]


def in_the_middle(embedded: Embedded, run: str, source: str) -> None:
    """Wait until a worker computes for the run and it has said something of this source."""

    def moving() -> bool:
        return embedded.leases(run) > 0 and any(event["source"].startswith(source) for event in science_events(embedded, run))

    embedded.wait(moving, f"{source} does not move")


@pytest.mark.parametrize(("name", "source"), [("random", "trial:"), ("wann", "phase:")])
def test_a_paused_run_stands_still_and_goes_on_with_equal_science(name: str, source: str, embedded: Embedded, tmp_path: Path) -> None:
    line = CommandLine(SEARCHES[name], tmp_path)
    run = embedded.start(SEARCHES[name])
    for _ in range(2):
        in_the_middle(embedded, run, source)
        assert embedded.act(run, "pause")["state"] in ("pausing", "paused")
        embedded.wait(lambda: embedded.get(f"runs/{run}")["state"] == "paused", "the slice under way does not end")
        assert embedded.leases(run) == 0
        before = embedded.events(run)
        assert before[-1]["data"].get("what") == "paused", "nothing is said after that"
        time.sleep(3)
        assert embedded.leases(run) == 0 and embedded.events(run) == before
        assert embedded.get(f"runs/{run}")["reason"] == "paused by its owner"
        assert embedded.send("POST", f"runs/{run}/pause").status_code == 409
        assert embedded.act(run, "resume")["state"] == "running"
    shown = embedded.finished(run)
    assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"]
    events = embedded.events(run)
    clean_log(events)
    assert_same(embedded.science(run), line.science())
    assert embedded.ops(run).count("paused") == embedded.ops(run).count("resumed") == 2


def test_a_cancelled_run_leaves_its_open_trials_untold_and_has_no_finale(embedded: Embedded) -> None:
    run = embedded.start(ENDLESS)
    embedded.wait(lambda: any(event["kind"] == "trial_told" for event in science_events(embedded, run)), "no trial ends")
    in_the_middle(embedded, run, "trial:")
    shown = embedded.act(run, "cancel")
    assert (shown["state"], shown["reason"]) == ("cancelled", "cancelled by its owner")
    before = embedded.events(run)
    assert before[-1]["data"]["what"] == "cancelled"
    # What the workers still held is thrown away by its fence.
    embedded.wait(lambda: all(worker["job"] is None for worker in embedded.get("workers")), "a worker goes on with it")
    assert embedded.events(run) == before
    kinds = {event["kind"] for event in before}
    assert not kinds & {"finalist", "model", "search_stopped", "run_completed"}
    born = {event["data"]["number"] for event in before if event["kind"] == "candidate_born"}
    told = {event["data"]["number"] for event in before if event["kind"] == "trial_told"}
    assert len(born - told) == 4, "its window of open trials"
    trials = {trial["number"]: trial for trial in embedded.get(f"trials?run={run}")["results"]}
    assert {number for number, trial in trials.items() if trial["state"] == "cancelled"} >= (born - told) & set(trials)
    assert embedded.rows("SELECT count(*) FROM core_trial WHERE run_id = ? AND state = 'cancelled'", run) == [(4,)]
    assert embedded.get(f"runs/{run}")["models"] == []
    assert not checkpoints_left(embedded.home / "runs" / run)
    for action in ("pause", "resume", "cancel"):
        assert embedded.send("POST", f"runs/{run}/{action}").status_code == 409


def test_a_deleted_run_takes_everything_with_it_while_workers_compute(embedded: Embedded) -> None:
    run = embedded.start(ENDLESS)
    in_the_middle(embedded, run, "trial:")
    folder = embedded.home / "runs" / run
    assert folder.is_dir()
    assert embedded.send("DELETE", f"runs/{run}").status_code == 204
    assert embedded.send("GET", f"runs/{run}").status_code == 404
    tables = [row[0] for row in embedded.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'core!_%' ESCAPE '!'")]
    of_runs = [table for table in tables if any(row[1] == "run_id" for row in embedded.rows(f"PRAGMA table_info({table})"))]
    assert {"core_event", "core_job", "core_trial", "core_candidate", "core_genome", "core_runcounter"} <= set(of_runs)
    left = {table: embedded.rows(f"SELECT count(*) FROM {table} WHERE run_id = ?", run)[0][0] for table in of_runs}
    assert left == dict.fromkeys(of_runs, 0)
    embedded.wait(lambda: all(worker["job"] is None for worker in embedded.get("workers")), "a worker goes on with it")
    # A slice that was under way may have written once more; housekeeping, once a minute, takes that away.
    embedded.wait(lambda: not folder.exists(), "the run's folder stays")
    other = embedded.start(TRAINED)
    assert embedded.finished(other)["state"] == "completed", "the workers are well"
