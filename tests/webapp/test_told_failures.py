"""What goes wrong is told in people's words, and where a monitor looks for it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from webapp.core import room
from webapp.core.locks import lock_run
from webapp.core.models import Event, Job, Run
from webapp.jobs import states
from webapp.jobs.claim import claim
from webapp.jobs.failures import fail_job, give_back

from .api_world import browser, send
from .builders import make_job, make_run, make_worker

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
NAMES = {"trial:0": "trial 0", "phase:0": "phase 1 of the search", "final:1": "entrant 2 of the finale", "run": "the search's bookkeeping"}


def messages(run: Run) -> list[str]:
    return [data["message"] for data in Event.objects.filter(run=run, kind="ops").values_list("data", flat=True)]


@pytest.mark.parametrize("source", NAMES)
def test_a_lost_worker_is_told_by_what_it_did(source: str) -> None:
    run = make_run()
    if source != "run":
        Job.objects.filter(run=run).update(runnable=False)
        kind, _, index = source.partition(":")
        make_job(run, kind, int(index))
    job = claim(make_worker())
    assert job is not None and job.source == source
    assert give_back(job, reason="its worker was killed", what="lease_lost")
    assert f"{NAMES[source]}: its worker was killed; it goes on from its last checkpoint (failure 1 of 3)" in messages(run)


def test_work_that_failed_for_good_is_told_so_too() -> None:
    run = make_run()
    job = make_job(run, "phase")
    fail_job(job, lock_run(run.pk), "no memory")
    run.refresh_from_db()
    assert "phase 1 of the search failed: no memory" in messages(run)
    assert run.reproducible_note == "phase 1 of the search failed because of the machine: no memory"


def test_no_message_names_a_source_as_the_database_does() -> None:
    """Every f-string of the web application that puts a source into a text, logs and keys aside."""
    found = []
    for path in sorted((ROOT / "webapp").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(call, "func", None), "id", "")
            if isinstance(call, ast.Call) and name in ("ops", "mark_not_reproducible", "give_back", "fail_job", "fail", "pause_for"):
                found += [
                    f"{path.relative_to(ROOT)}:{part.lineno}" for text in ast.walk(call) if isinstance(text, ast.JoinedStr)
                    for part in text.values
                    if isinstance(part, ast.FormattedValue) and ast.unparse(part.value).rpartition(".")[2] == "source"
                ]
    assert found == []


def ready() -> Any:
    response = send(browser(), "GET", "health/ready")
    assert response.status_code == 200
    return response.json()


@pytest.fixture
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda: 10**12)


@pytest.mark.usefixtures("_room")
def test_ready_says_ok_where_nothing_waits() -> None:
    assert ready()["status"] == "ok"
    make_worker()
    make_run()
    assert (ready()["status"], ready()["checks"]["work"]) == ("ok", "ok")


@pytest.mark.usefixtures("_room")
def test_ready_tells_of_runs_that_wait_for_space() -> None:
    make_worker()
    run = make_run()
    states.pause_for(lock_run(run.pk), "disk_full", states.NO_SPACE)
    assert (ready()["status"], ready()["checks"]["work"]) == ("degraded", "1 run is paused because the disk was full, and about to go on")
    states.resume(run.pk)
    assert ready()["status"] == "ok"
    states.pause(run.pk)
    assert ready()["status"] == "ok", "its owner paused it"


@pytest.mark.usefixtures("_room")
def test_ready_tells_that_no_worker_is_there() -> None:
    make_run()
    assert (ready()["status"], ready()["checks"]["work"]) == ("degraded", "no worker is alive: runs wait")


def test_ready_tells_of_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda: 1_000)
    make_worker()
    assert ready()["status"] == "degraded" and "the disk is full: runs are paused" in ready()["checks"]["work"]
