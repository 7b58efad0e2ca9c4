"""kill -9 of any process at any time loses nothing and doubles nothing; only work since the last checkpoint is repeated."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from search_engine.search.continuation import ROOM
from tests.patience import PATIENCE

from .embedded import Embedded, clean_log
from .searches import GROWTH, TINY, TRAINED, CommandLine, Science, assert_same, digests

pytestmark = pytest.mark.slow

FAST: dict[str, str] = {"NASCOPE_SLICE_SECONDS": "0.3", "NASCOPE_LEASE_SECONDS": "3", "NASCOPE_HEARTBEAT_SECONDS": "0.5"}

GRADIENT: dict[str, Any] = {
    "algorithm": "darts", "options": {"steps": 60, "batch_size": 16}, "space": "nb201", "space_options": {"cells": 1, "channels": 4},
    "datasets": ["digits"], "seed": 8, "finale": {"baselines": 1, "onnx": False, "training": TINY},
}
LONGER: dict[str, dict[str, Any]] = {
    "darts": GRADIENT,
    "random": {**TRAINED, "budget": {"trials": 12}, "training": {**TINY, "epochs": 3, "train_examples": 512}},
    "wann": {**GROWTH, "options": {"population": 32, "generations": 60, "batch_size": 200}},
}
KILLS = ["worker"] * 10 + ["web"] * 4 + ["everything"] * 6
SEED = int(os.environ.get("NASCOPE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
"""Of the moments and victims; a failed test prints it, NASCOPE_TEST_SEED repeats it (as far as time can be repeated)."""


@contextmanager
def installation(home: Path, workers: int, **more: str) -> Iterator[Embedded]:
    embedded = Embedded(home, workers, **more)
    try:
        yield embedded
    finally:
        embedded.down()


class Havoc:
    """Kills at random moments, at least a checkpoint apart, while searches run; starts each search again when it has ended."""

    def __init__(self, embedded: Embedded) -> None:
        self.embedded = embedded
        self.rng = random.Random(SEED)
        self.runs: dict[str, list[str]] = {}
        self.done: list[str] = []

    def keep_busy(self) -> None:
        """Every search has one run that is not over."""
        for name, config in LONGER.items():
            runs = self.runs.setdefault(name, [])
            query = "SELECT count(*) FROM core_run WHERE id = ? AND state IN ('completed', 'failed', 'cancelled')"
            if not runs or self.embedded.rows(query, runs[-1])[0][0]:
                runs.append(self.embedded.start(config))

    def calm(self) -> bool:
        """No work lost a lease since its last checkpoint, and some work is under way."""
        lost, held = self.embedded.rows(
            "SELECT coalesce(sum(failures > 0), 0), coalesce(sum(state = 'leased'), 0) FROM core_job WHERE state IN ('ready', 'leased')"
        )[0]
        return not lost and held > 0

    def busy_and_calm(self) -> bool:
        # A search may end while one waits: without another there would be nothing to kill, for ever.
        self.keep_busy()
        return self.calm()

    def strike(self, what: str) -> None:
        while True:
            self.embedded.wait(self.busy_and_calm, f"no checkpoint after {self.done}")
            time.sleep(self.rng.uniform(0.0, 1.5))
            if self.calm():
                break
        getattr(self, f"_{what}")()
        self.done.append(what)

    def _worker(self) -> None:
        at_work = "SELECT worker_id FROM core_job WHERE state = 'leased'"
        victims = self.embedded.rows(f"SELECT pid FROM core_worker WHERE id IN ({at_work}) ORDER BY pid")
        os.kill(self.rng.choice(victims)[0], signal.SIGKILL)

    def _web(self) -> None:
        web = self.embedded.wait(self.embedded.web, "the web process is not started again")
        web.kill()

    def _everything(self) -> None:
        left = self.embedded.kill_everything(children=self.rng.random() < 0.5)
        assert not left, f"orphans: {left}"
        assert not processes_of(self.embedded.home), "orphans of another generation"
        self.embedded.up()


def processes_of(home: Path) -> list[psutil.Process]:
    """Processes that work in this installation."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("NASCOPE_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def undisturbed(folder: Path) -> dict[str, Science]:
    """The same searches on the command line; their output is in `folder/<name>/out`."""
    lines = {name: CommandLine(config, folder / name) for name, config in LONGER.items()}
    return {name: line.science() for name, line in lines.items()}


def test_twenty_kills_change_no_science(tmp_path: Path) -> None:
    print(f"NASCOPE_TEST_SEED={SEED}")
    expected = undisturbed(tmp_path)
    kills = list(KILLS)
    random.Random(SEED).shuffle(kills)
    with installation(tmp_path / "home", workers=2, **FAST) as embedded:
        embedded.up()
        havoc = Havoc(embedded)
        for what in kills:
            havoc.strike(what)
        lost = 0
        for name, runs in havoc.runs.items():
            for run in runs:
                shown = embedded.finished(run)
                assert (shown["state"], shown["reproducible"]) == ("completed", True), f"{name}: {shown['reason']}\n{embedded.said()}"
                events = embedded.events(run)
                assert shown["last_seq"] == len(events)
                clean_log(events)
                assert_same(embedded.science(run), expected[name], name)
                lost += embedded.ops(run).count("lease_lost")
                folder = embedded.home / "runs" / run
                # What a longer search begins with stays.
                files = [path for path in folder.rglob("*") if path.parent != folder / ROOM]
                left = [path.name for path in files if any(word in path.name for word in ("checkpoint", "outcome", ".tmp"))]
                assert not left, left
                if name == "darts":
                    assert digests(folder / "model") == digests(tmp_path / name / "out" / "model")
        print(f"{len(havoc.done)} kills, {lost} leases lost, runs: { {name: len(runs) for name, runs in havoc.runs.items()} }")
        assert len(havoc.done) == 20 and lost >= 10


def test_three_kills_before_the_first_checkpoint_fail_the_job_with_its_reason(tmp_path: Path) -> None:
    """Slices of an hour: a phase that never comes to a checkpoint. Another run of the same owner is not harmed."""
    with installation(tmp_path / "home", workers=1, **{**FAST, "NASCOPE_SLICE_SECONDS": "3600"}) as embedded:
        embedded.up()
        run = embedded.start({**GRADIENT, "options": {"steps": 100_000, "batch_size": 16}})
        killed: set[int] = set()
        while len(killed) < 3:
            pid = embedded.wait(lambda: set(embedded.holders(run, "phase")) - killed, "nobody takes the phase").pop()
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        shown = embedded.finished(run)
        assert (shown["state"], shown["reason"]) == ("failed", "its worker was killed (3 failures without progress)")
        assert not shown["reproducible"] and "phase 1 of the search failed because of the machine" in shown["reproducible_note"]
        said = [event["data"]["message"] for event in embedded.events(run) if event["kind"] == "ops"]
        assert [f"failure {number} of 3" in " ".join(said) for number in (1, 2, 3)] == [True, True, False]
        assert "phase 1 of the search failed: its worker was killed (3 failures without progress)" in said
        assert not [event for event in embedded.events(run) if event["kind"] == "run_completed"]
        other = embedded.start(TRAINED)
        assert embedded.finished(other)["state"] == "completed"


def test_a_kill_while_the_download_is_made(tmp_path: Path) -> None:
    """Once while its files are written and once while a fresh process checks them; that process ends too."""
    config = {**GRADIENT, "options": {"steps": 4, "batch_size": 16}, "finale": {"training": TINY, "baselines": 0}}
    line = CommandLine(config, tmp_path / "cli")
    with installation(tmp_path / "home", workers=1, **{**FAST, "NASCOPE_SLICE_SECONDS": "0"}) as embedded:
        embedded.up()
        run = embedded.start(config)

        def doing(text: str) -> list[int]:
            query = "SELECT progress FROM core_job WHERE run_id = ? AND source = 'final:0' AND state = 'leased'"
            at = [json.loads(row[0]).get("text") for row in embedded.rows(query, run)]
            return embedded.holders(run, "final") if at == [text] else []

        for text in ("writing the download", "checking the download in a fresh process"):
            worker = psutil.Process(embedded.wait(lambda text=text: doing(text), f"nobody is {text}")[0])
            time.sleep(0.4)
            helpers = worker.children(recursive=True)
            worker.kill()
            _, alive = psutil.wait_procs(helpers, timeout=PATIENCE)
            assert not alive, f"orphans: {alive}"
        shown = embedded.finished(run)
        assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"]
        assert embedded.ops(run).count("lease_lost") == 2
        assert_same(embedded.science(run), line.science())
        assert digests(embedded.home / "runs" / run / "model") == digests(line.out / "model")


def test_a_worker_that_is_asked_to_stop_is_no_failure(tmp_path: Path) -> None:
    """SIGTERM in the middle of slices of an hour, more often than failures are allowed: each time a checkpoint, never a failure."""
    # Long enough that a busy machine does not finish the phase between two requests.
    config = {**GROWTH, "options": {"population": 32, "generations": 300, "batch_size": 200}}
    line = CommandLine(config, tmp_path / "cli")
    with installation(tmp_path / "home", workers=1, **{**FAST, "NASCOPE_SLICE_SECONDS": "3600"}) as embedded:
        embedded.up()
        run = embedded.start(config)
        asked: set[int] = set()
        checkpoints: set[str] = set()
        while len(asked) < 4:
            pid = embedded.wait(lambda: set(embedded.holders(run, "phase")) - asked, "nobody goes on with the phase").pop()
            time.sleep(0.3)
            os.kill(pid, signal.SIGTERM)
            asked.add(pid)
            embedded.wait(lambda gone=pid: not psutil.pid_exists(gone), "the worker does not end")
            checkpoints.add(embedded.rows("SELECT checkpoint_digest FROM core_job WHERE run_id = ? AND kind = 'phase'", run)[0][0])
        assert len(checkpoints) == 4 and "" not in checkpoints, "each ended with a checkpoint of its own"
        shown = embedded.finished(run)
        assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"]
        assert "lease_lost" not in embedded.ops(run)
        assert_same(embedded.science(run), line.science())


def test_a_frozen_worker_that_wakes_up_writes_nothing(tmp_path: Path) -> None:
    """A worker stands still for longer than its lease, another goes on, and the first comes back with an old fence."""
    config = LONGER["darts"]
    line = CommandLine(config, tmp_path / "cli")
    with installation(tmp_path / "home", workers=2, **FAST) as embedded:
        embedded.up()
        run = embedded.start(config)
        frozen = embedded.wait(lambda: embedded.holders(run, "phase"), "nobody takes the phase")[0]
        os.kill(frozen, signal.SIGSTOP)
        try:
            embedded.wait(lambda: "lease_lost" in embedded.ops(run), "the lease does not run out")
            embedded.wait(lambda: set(embedded.holders(run, "phase")) - {frozen}, "nobody goes on")
        finally:
            os.kill(frozen, signal.SIGCONT)
        shown = embedded.finished(run)
        assert (shown["state"], shown["reproducible"]) == ("completed", True), shown["reason"]
        messages = [json.dumps(event["data"]) for event in embedded.events(run) if event["kind"] == "ops"]
        assert any("its worker stopped answering" in message for message in messages)
        clean_log(embedded.events(run))
        assert_same(embedded.science(run), line.science())
        assert psutil.pid_exists(frozen), "it lives on and serves"
