"""A worker that takes more memory than it may: the process ends, its work fails with the reason and is not tried again."""

from __future__ import annotations

import json
import platform
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from webapp.core.models import Event, Job, Run, Worker
from webapp.jobs import memory, outcomes, supervisor
from webapp.jobs.causes import Cause
from webapp.jobs.claim import claim
from webapp.jobs.failures import give_back
from webapp.jobs.supervisor import Child, Supervisor, children

from . import installation as installations
from .builders import make_job, make_run, make_worker

STEPS = {"algorithm": "wann", "datasets": ["digits"], "options": {"population": 8, "generations": 3, "batch_size": 20}}
TRIALS = {
    "algorithm": "random", "space": "mlp", "datasets": ["digits"], "budget": {"trials": 1}, "training": {"epochs": 1},
    "finale": {"baselines": 0, "export": False, "redundancy": False},
}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "config"), [("phase", STEPS), ("trial", TRIALS)])
def test_a_worker_that_grows_is_ended_and_its_work_fails_for_good(kind: str, config: dict[str, Any], tmp_path: Path) -> None:
    installed = installations.make(tmp_path / "home", NASCOPE_MEMORY_CEILING="900000000")
    try:
        installed.answer("make_run", json.dumps(config))
        process = installed.program("worker_that_grows", kind)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == memory.OVER, errors
        with sqlite3.connect(installed.home / "db.sqlite3") as rows:
            [(state, reason, failures)] = rows.execute("select state, reason, failures from core_job where kind = ?", (kind,)).fetchall()
            assert state == "finished" and reason.startswith("needed more than 900 MB of memory") and failures == 1
            [(reproducible, note)] = rows.execute("select reproducible, reproducible_note from core_run").fetchall()
            assert not reproducible and "needed more than 900 MB" in note
            said = [text for (text,) in rows.execute("select data from core_event where kind = 'ops'").fetchall()]
            assert any("needed more than 900 MB of memory" in text for text in said)
    finally:
        for process in installed.started:
            if process.poll() is None:
                process.kill()


@pytest.mark.django_db
def test_work_that_needs_too_much_is_not_tried_again() -> None:
    run = make_run()
    Job.objects.filter(run=run).update(runnable=False)
    make_job(run)
    job = claim(make_worker())
    assert job is not None
    give_back(job, reason=memory.reason(2e9), cause=Cause.CEILING)
    job.refresh_from_db()
    assert (job.state, job.reason) == ("finished", memory.reason(2e9)) and outcomes.read(job)["machine"]
    assert not Run.objects.get(pk=run.pk).reproducible
    assert "needed more than 2.0 GB of memory" in Event.objects.filter(run=run, kind="ops").latest("seq").data["message"]


@pytest.mark.django_db
def test_the_supervisor_tells_it_by_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    Job.objects.filter(run=run).update(runnable=False)
    make_job(run)
    worker = make_worker()
    job = claim(worker)
    assert job is not None
    child = Child("cpu-1", ["/bin/sh", "-c", f"exit {memory.OVER}"], worker=True, environment={memory.VARIABLE: "3e9"})
    watcher = Supervisor([child])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr(supervisor, "release_dead_workers", lambda: 0)
    watcher.start()
    assert child.process is not None
    Worker.objects.filter(pk=worker.pk).update(host=platform.node(), pid=child.pid)
    child.process.wait(PATIENCE)
    watcher._look_at(child, 0.0)
    job.refresh_from_db()
    assert (job.state, job.reason) == ("finished", memory.reason(3e9))


def test_workers_share_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_here", lambda: 20e9)
    crew = children("127.0.0.1", 8000, 3, 1)
    assert {float(child.environment[memory.VARIABLE]) for child in crew if child.worker} == {4e9}
    assert memory.share(100) == memory.LEAST
    monkeypatch.setattr(memory, "container_limit", lambda: 6e9)
    assert memory.ceiling() == pytest.approx(5.4e9)
    monkeypatch.setattr(memory.settings, "NASCOPE_MEMORY_CEILING", 7e9)
    assert memory.ceiling() == 7e9
    assert {child.environment[memory.VARIABLE] for child in children("127.0.0.1", 8000, 1, 0) if child.worker} == {"7000000000.0"}
