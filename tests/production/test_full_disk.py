"""The embedded installation on a disk that fills up to the last byte, so that its database can write nothing down either."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .embedded import Embedded, clean_log
from .images import ROOT
from .scene import SEARCHES
from .searches import CommandLine, assert_same
from .small_disk import SmallDisk, sweep

pytestmark = pytest.mark.slow

REASON = "the disk is full: free some space; the run goes on by itself then"
LEAST = 20_000_000


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    made = SmallDisk(200)
    yield made
    made.remove()


def test_a_full_disk_is_told_from_memory_and_passes_by_itself(disk: SmallDisk, tmp_path: Path) -> None:
    config = SEARCHES["darts"] | {"options": {"steps": 60, "batch_size": 16}}
    line = CommandLine(config, tmp_path / "cli")
    fast = {"NASCOPE_SLICE_SECONDS": "0.3", "NASCOPE_LEASE_SECONDS": "3", "NASCOPE_HEARTBEAT_SECONDS": "0.5"}
    embedded = Embedded(disk.folder / "home", 2, NASCOPE_MIN_FREE_BYTES=str(LEAST), **fast)
    try:
        embedded.up()
        run = embedded.start(config)
        embedded.wait(lambda: embedded.holders(run, "phase"), "nobody takes the phase")
        disk.begin(random.Random(1))
        # Longer than leases last: everything that was held runs out and cannot be taken back.
        until = time.monotonic() + 8.0
        while time.monotonic() < until:
            shown = embedded.get(f"runs/{run}")
            assert (shown["state"], shown["reason"]) == ("paused", REASON)
            ready = embedded.get("health/ready")
            assert ready["status"] == "degraded" and ready["checks"]["work"].startswith("the disk is full"), ready
            for path in (f"runs/{run}/resume", f"runs/{run}/clone", f"runs/{run}/cancel"):
                refused = embedded.send("POST", path, {})
                assert refused.status_code == 507 and "free some space" in refused.json()["detail"], refused.text
            time.sleep(0.5)
        disk.end()
        shown = embedded.finished(run)
        assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"]
        events = embedded.events(run)
        clean_log(events)
        assert_same(embedded.science(run), line.science())
    finally:
        embedded.down()


KILLED = """
import os, signal
from tests.production.small_disk import SmallDisk
print(SmallDisk(1).folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_disk_of_a_test_that_was_killed_is_taken_away_by_the_next(disk: SmallDisk) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert left.is_mount()
    sweep()
    assert not left.exists() and disk.folder.is_mount(), "that of a test that goes on stays"
