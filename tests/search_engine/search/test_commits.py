"""Commits of a run in a folder: killed anywhere it goes on with equal science, and a commit writes no more however much was told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search_engine.base import checkpoint
from search_engine.base.errors import BadInput
from search_engine.catalogue.config import check
from search_engine.search.coordinator import STATE_VERSION, Coordinator
from search_engine.search.local_run import STATE, LocalRun
from tests.search_engine import toys

TRIALS = 14
TORN = (b"", b"[", b'[[0,3,["lo', b'[[0,3,["lost"]]]', b'[[0,3,["lost"]]]\n', b'[[0,3,["lost"]]]\n[[')
"""What a kill may leave of a line."""


class Killed(BaseException):
    """Nothing can be tidied up any more."""


@pytest.fixture(autouse=True)
def _toys() -> Iterator[None]:
    with toys.registered(algorithms=(toys.GENERATIONAL,)):
        yield


def config(algorithm: str, trials: int = TRIALS, **values: Any) -> dict[str, Any]:
    space, dataset = ("sequence", "learn_to_count") if algorithm == "local_search" else ("bits", "ones")
    return {"algorithm": algorithm, "space": space, "datasets": [dataset], "budget": {"trials": trials}, **values}


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit after every single tell or ask."""
    original = Coordinator.advance
    monkeypatch.setattr(Coordinator, "advance", lambda self, outcomes=None, seconds=0.0: original(self, outcomes, 0.0))


class Killer:
    """Kills at the n-th of the calls by which commits reach the disk: before it, so that what was to be durable may be gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        for name in ("fsync", "replace"):
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, real: Any) -> Any:
        def call(*arguments: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise Killed
            return real(*arguments)

        return call


CASES = [
    ("random", {"options": {"window": 3}}),
    ("regularized_evolution", {"options": {"population": 4, "sample": 2, "window": 2}}),
    ("generational", {}),
    ("local_search", {}),
]


@pytest.mark.parametrize(("algorithm", "values"), CASES, ids=[case[0] for case in CASES])
def test_killed_in_the_midst_of_every_commit_it_ends_with_equal_science(
    algorithm: str, values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = check(config(algorithm, **values))
    one_at_a_time(monkeypatch)
    LocalRun(checked, tmp_path, tmp_path / "whole").run()
    wanted = toys.science(tmp_path / "whole" / "events.jsonl")
    killer, out, kills = Killer(monkeypatch), tmp_path / "cut", 0
    while True:
        # Four or fewer calls make a commit; so some goes forward, and each kind of call is the last one now and then.
        killer.left = 5 + kills % 7
        try:
            LocalRun(checked, tmp_path, out, resume=True).run()
            break
        except Killed:
            kills += 1
            for path in out.glob("*.rows"):
                with path.open("ab") as file:
                    file.write(TORN[kills % len(TORN)])
            (out / "state.99.rows").write_bytes(b"of a kill before its state was written")
    assert kills > 12
    assert toys.science(out / "events.jsonl") == wanted
    assert [path.name for path in out.glob("state.99.rows")] == []


def test_a_wasteful_log_is_begun_anew_and_survives_a_kill_at_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search_engine.base.row_log.LEAST_WASTE", 0)
    values = {"options": {"population": 4, "sample": 2}}
    checked = check(config("regularized_evolution", 60, **values))
    one_at_a_time(monkeypatch)
    LocalRun(checked, tmp_path, tmp_path / "whole").run()
    killer, out, names, kills = Killer(monkeypatch), tmp_path / "cut", set(), 0
    while True:
        killer.left = 9 + kills % 7
        try:
            LocalRun(checked, tmp_path, out, resume=True).run()
            break
        except Killed:
            kills += 1
            names |= {path.name for path in out.glob("*.rows")}
            assert len(list(out.glob("*.rows"))) <= 2
    assert len(names) > 1
    assert toys.science(out / "events.jsonl") == toys.science(tmp_path / "whole" / "events.jsonl")


def test_a_commit_writes_as_much_after_5000_trials_as_after_100(tmp_path: Path) -> None:
    """Bytes of the state file and of the rows that a trial adds, all trials of distinct genomes."""
    for algorithm in ("random", "regularized_evolution"):
        run = LocalRun(check(config(algorithm, 10_000)), tmp_path, tmp_path / algorithm)
        written = {}
        for told in (100, 5_000):
            while run.coordinator.meter.trials < told:
                run.coordinator.advance(seconds=60, events=2 * (told - run.coordinator.meter.trials))
            run._commit()
            before = run.rows.length
            for _ in range(20):
                run.coordinator.advance(seconds=60, events=2)
                run._commit()
            assert run.coordinator.meter.trials - told in range(9, 21)
            written[told] = (run.rows.length - before) / 20 + (tmp_path / algorithm / STATE).stat().st_size
        assert written[5_000] <= 1.25 * written[100], algorithm


def test_a_run_of_another_version_is_refused_in_one_line_and_stays_as_it_was(tmp_path: Path) -> None:
    checked = check(config("random"))
    LocalRun(checked, tmp_path, tmp_path / "out").run()
    path = tmp_path / "out" / STATE
    state = checkpoint.read(path, sealed=True)
    state["coordinator"]["version"] = 2
    checkpoint.write(path, {**state, "events_bytes": 10}, sealed=True)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    with pytest.raises(BadInput, match=rf"resume: .*saved with state version 2, and this version of NAScope goes on from {STATE_VERSION}"):
        LocalRun(checked, tmp_path, tmp_path / "out", resume=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


def test_damaged_rows_are_refused_in_one_line(tmp_path: Path) -> None:
    checked = check(config("random", 30))
    run = LocalRun(checked, tmp_path, tmp_path / "out")
    run.coordinator.advance(events=20)
    run._commit()
    path = run.rows.path
    path.write_bytes(path.read_bytes().replace(b"completed", b"completes", 1))
    with pytest.raises(BadInput, match=r"resume: .*rows does not hold what was recorded"):
        LocalRun(checked, tmp_path, tmp_path / "out", resume=True)
