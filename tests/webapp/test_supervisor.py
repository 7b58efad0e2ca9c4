"""`manage.py up`: one line with a login link, no orphans however it ends, and work that survives the death of its worker."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.patience import PATIENCE

from .installation import Installation, make

pytestmark = pytest.mark.slow

DARTS: dict[str, Any] = {
    "algorithm": "darts", "options": {"steps": 30, "batch_size": 16}, "space": "nb201", "space_options": {"cells": 1, "channels": 4},
    "datasets": ["digits"], "seed": 5,
    "finale": {"export": False, "baselines": 0, "training": {"epochs": 1, "train_examples": 64, "channels": 4, "layers": 1}},
}


class Up:
    """A running supervisor with its children."""

    def __init__(self, installation: Installation, workers: int, **environment: str) -> None:
        self.process = installation.start(
            "manage.py", "up", "--port", "0", "--workers", str(workers), "--gpus", "0", "--no-browser", environment=environment
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.fullmatch(r"NAScope is ready \(the link works once\): (http://127\.0\.0\.1:\d+)/login/[\w-]+/\n", self.line)
        assert found, self.line + (self.process.stderr.read() if self.process.poll() is not None and self.process.stderr else "")
        self.url = found.group(1)
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def gone(self) -> bool:
        """Whether all children end."""
        _, alive = psutil.wait_procs(self.children, timeout=PATIENCE)
        return not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Installation]:
    made = make(tmp_path / "home")
    yield made
    for process in made.started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def test_it_answers_and_is_taken_down_whole_by_an_interrupt(home: Installation) -> None:
    up = Up(home, workers=1)
    assert len(up.children) == 2
    with urllib.request.urlopen(f"{up.url}/api/v1/health/live", timeout=PATIENCE) as answer:
        assert answer.status == 200
    assert (home.home / "secret_key").stat().st_mode & 0o777 == 0o600
    second = home.start("manage.py", "up", "--port", "0", "--no-browser")
    assert second.wait(PATIENCE) != 0 and second.stderr is not None and "already running" in second.stderr.read()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(PATIENCE) == 0
    assert up.gone()


def test_nothing_is_orphaned_when_the_supervisor_is_killed(home: Installation) -> None:
    up = Up(home, workers=2)
    assert len(up.children) == 3
    up.process.kill()
    assert up.gone()


def test_a_dead_child_is_replaced(home: Installation) -> None:
    up = Up(home, workers=1)
    for child in up.children:
        child.kill()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        now = {child.pid for child in psutil.Process(up.process.pid).children()}
        if len(now) == 2 and not now & {child.pid for child in up.children}:
            break
        time.sleep(0.2)
    else:
        pytest.fail("the children were not replaced")


def darts(steps: int) -> dict[str, Any]:
    """The search above with another number of steps."""
    return {**DARTS, "options": {**DARTS["options"], "steps": steps}}


def undisturbed(home: Installation, tmp_path: Path, search: dict[str, Any] = DARTS) -> list[list[Any]]:
    """The science of the same search on the command line."""
    config, out = tmp_path / "run.yaml", tmp_path / "cli"
    config.write_text(json.dumps(search))
    process = home.start("-m", "search_engine", "run", str(config), "--out", str(out))
    assert process.wait(PATIENCE) == 0
    rows = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    science = [row for row in rows if row["science"]]
    return sorted([row["source"], row["step"], row["kind"], row["ordinal"], json.dumps(row["data"], sort_keys=True)] for row in science)


def kill_workers_of(home: Installation, run_id: str, times: int) -> int:
    """kill -9 the worker that computes the run's phase, each time after another checkpoint. Returns how often: fewer than `times` only
    where the phase ended before."""
    database = sqlite3.connect(home.home / "db.sqlite3", timeout=PATIENCE)
    seen: set[str] = set()
    until = time.monotonic() + PATIENCE
    ended = "SELECT 1 FROM core_job WHERE kind = 'phase' AND state IN ('finished', 'taken') AND run_id = ?"
    while len(seen) < times and time.monotonic() < until and not database.execute(ended, [run_id.replace("-", "")]).fetchone():
        row = database.execute(
            "SELECT w.pid, j.checkpoint_digest FROM core_job j JOIN core_worker w ON w.id = j.worker_id "
            "WHERE j.kind = 'phase' AND j.state = 'leased' AND j.checkpoint_digest != '' AND j.run_id = ?", [run_id.replace("-", "")],
        ).fetchone()
        if row is not None and row[1] not in seen:
            seen.add(row[1])
            os.kill(row[0], signal.SIGKILL)
        time.sleep(0.05)
    database.close()
    return len(seen)


def wait_for_end(home: Installation, run_id: str) -> Any:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        report = home.answer("report", run_id)
        if report["state"] in ("completed", "failed", "cancelled"):
            return report
        time.sleep(1)
    pytest.fail("the run did not end")


def test_killed_workers_leave_the_science_as_it_was(home: Installation, tmp_path: Path) -> None:
    up = Up(home, workers=2, NASCOPE_SLICE_SECONDS="0.3")
    # How many steps a machine does between two looks at the database is its own affair: where the search ends before the third kill,
    # a longer one follows.
    for steps in (30, 120, 480, 1920):
        search = darts(steps)
        run_id = home.answer("make_run", json.dumps(search))
        killed = kill_workers_of(home, run_id, 3)
        report = wait_for_end(home, run_id)
        assert (report["state"], report["reproducible"]) == ("completed", True), report["reason"]
        assert report["ops"].count("lease_lost") >= killed
        if killed == 3:
            break
    assert killed == 3
    assert report["science"] == undisturbed(home, tmp_path, search)
    assert up.process.poll() is None


def test_after_everything_was_killed_the_next_start_goes_on(home: Installation, tmp_path: Path) -> None:
    expected = undisturbed(home, tmp_path)
    up = Up(home, workers=1, NASCOPE_SLICE_SECONDS="0.3")
    run_id = home.answer("make_run", json.dumps(DARTS))
    while not [row for row in home.answer("report", run_id)["science"] if row[0] == "phase:0"]:
        time.sleep(0.1)
    up.process.kill()
    assert up.gone()
    Up(home, workers=1)
    report = wait_for_end(home, run_id)
    assert report["state"] == "completed", report["reason"]
    assert report["science"] == expected
