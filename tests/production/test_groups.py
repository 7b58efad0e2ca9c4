"""Trials that are trained together give the command line's bits through any number of worker processes, also where these are killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from .embedded import Embedded, clean_log
from .searches import TOGETHER, CommandLine, assert_same, science_of

pytestmark = pytest.mark.slow

KILLS = 3


def same(embedded: Embedded, run: str, line: CommandLine) -> None:
    shown = embedded.finished(run)
    assert (shown["state"], shown["reproducible"], shown["config"]["together"]) == ("completed", True, 8), shown["reason"] + embedded.said()
    events = embedded.events(run)
    clean_log(events)
    assert_same(science_of(events), line.science())
    sizes = [row[0] for row in embedded.rows("SELECT count(*) FROM core_job WHERE run_id = ? AND source LIKE 'group:%'", run)]
    assert sizes[0] > 2, "several groups"


def test_groups_through_eight_workers(tmp_path: Path) -> None:
    line = CommandLine(TOGETHER, tmp_path / "cli")
    embedded = Embedded(tmp_path / "home", workers=8, NASCOPE_SLICE_SECONDS="0.05")
    try:
        embedded.up()
        same(embedded, embedded.start(TOGETHER), line)
        assert len(embedded.get("workers")) == 8
    finally:
        embedded.down()


def test_kills_in_the_middle_of_groups_change_no_science(tmp_path: Path) -> None:
    """Each of a worker that holds a group which has a checkpoint by then."""
    config: dict[str, Any] = {**TOGETHER, "training": {"batch_size": 4}}
    line = CommandLine(config, tmp_path / "cli")
    more = {"NASCOPE_SLICE_SECONDS": "0.2", "NASCOPE_LEASE_SECONDS": "3", "NASCOPE_HEARTBEAT_SECONDS": "0.5"}
    embedded = Embedded(tmp_path / "home", workers=2, **more)
    try:
        embedded.up()
        run = embedded.start(config)
        query = (
            "SELECT w.pid FROM core_job j JOIN core_worker w ON w.id = j.worker_id WHERE j.run_id = ? AND j.state = 'leased' "
            "AND j.source LIKE 'group:%' AND j.checkpoint_digest <> '' AND j.failures = 0"
        )
        for _ in range(KILLS):
            (pid,) = embedded.wait(lambda: embedded.rows(query, run), "nobody is in the middle of a group")[0]
            os.kill(pid, signal.SIGKILL)
            embedded.wait(lambda gone=pid: not embedded.rows("SELECT 1 FROM core_worker WHERE pid = ?", gone), "the dead worker stays")
        same(embedded, run, line)
        assert embedded.ops(run).count("lease_lost") == KILLS
    finally:
        embedded.down()
