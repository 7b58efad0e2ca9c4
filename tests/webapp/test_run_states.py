"""A run's life: pause, resume, cancel, clone, delete, a full disk, retention."""

from __future__ import annotations

import errno
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from search_engine.base.errors import BadInput
from webapp.core import room
from webapp.core.models import DeletedRun, Event, Job, Run
from webapp.events.store import StaleFence, append_fenced
from webapp.jobs import files, states
from webapp.jobs.claim import claim
from webapp.jobs.failures import give_back
from webapp.jobs.reaper import housekeep
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import frame, make_job, make_owner, make_run, make_worker

pytestmark = pytest.mark.django_db


def said(run: Run) -> list[str]:
    return [data["what"] for data in Event.objects.filter(run=run, kind="ops").order_by("seq").values_list("data", flat=True)]


def test_bad_input_stores_nothing() -> None:
    with pytest.raises(BadInput) as caught:
        make_run({"algorithm": "random", "space": "nb201", "datasets": ["digits"]})
    assert caught.value.field == "budget"
    assert not Run.objects.exists() and not Job.objects.exists()


def test_without_a_lease_a_pause_is_immediate_and_nothing_can_be_claimed() -> None:
    run = make_run()
    assert states.pause(run.pk).state == "paused"
    assert claim(make_worker()) is None
    assert states.resume(run.pk).state == "queued"
    assert claim(make_worker()) is not None
    assert said(run) == ["queued", "pausing", "paused", "resumed", "started"]


def test_with_a_lease_the_run_is_pausing_until_the_lease_is_given_back() -> None:
    run = make_run()
    make_job(run, "trial")
    job = claim(make_worker())
    assert job is not None
    assert states.pause(run.pk).state == "pausing"
    assert claim(make_worker()) is None
    append_fenced(job, [frame(1, [0.5])])
    give_back(job, reason="", counts=False)
    assert Run.objects.get(pk=run.pk).state == "paused"
    assert states.resume(run.pk).state == "running"


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("paused", "pause"), ("running", "resume"), ("completed", "pause"), ("completed", "resume"), ("failed", "cancel"),
        ("cancelled", "cancel"),
    ],
)
def test_an_action_that_the_state_does_not_allow_changes_nothing(state: str, action: str) -> None:
    run = make_run()
    Run.objects.filter(pk=run.pk).update(state=state, reason="as it was")
    before = Event.objects.count()
    with pytest.raises(states.StateConflict) as conflict:
        getattr(states, action)(run.pk)
    assert conflict.value.state == state
    run.refresh_from_db()
    assert (run.state, run.reason, Event.objects.count()) == (state, "as it was", before)


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_run_discards_what_a_worker_still_holds() -> None:
    run = make_run()
    job = claim(make_worker())
    assert job is not None
    (files.run_dir(run.pk) / "checkpoints").mkdir(parents=True)
    assert states.cancel(run.pk).state == "cancelled"
    with pytest.raises(StaleFence):
        append_fenced(job, [frame(1, [0.5])])
    assert not give_back(job, reason="late")
    assert not (files.run_dir(run.pk) / "checkpoints").exists()
    assert claim(make_worker()) is None


def test_a_clone_has_the_config_and_another_seed() -> None:
    run = make_run()
    clone = states.clone_run(run, seed=99)
    assert (clone.seed, clone.experiment_id, clone.position) == (99, run.experiment_id, 1)
    assert {**clone.config, "seed": 0} == {**run.config, "seed": 0}
    assert states.clone_run(run).seed != run.seed


@pytest.mark.django_db(transaction=True)
def test_a_deleted_run_leaves_neither_rows_nor_files() -> None:
    run = make_run()
    job = claim(make_worker())
    assert job is not None
    append_fenced(job, [frame(1, [0.5])])
    folder = files.run_dir(run.pk)
    (folder / "model").mkdir(parents=True)
    states.delete_run(run.pk)
    assert not Run.objects.exists() and not Event.objects.exists() and not Job.objects.exists() and not folder.exists()
    # A worker that was still computing writes once more, into nothing; the reaper removes it.
    folder.mkdir()
    with pytest.raises(StaleFence):
        append_fenced(job, [frame(2, [0.5])])
    other = make_run()
    files.run_dir(other.pk).mkdir()
    assert files.collect_garbage() >= 1
    assert not folder.exists() and files.run_dir(other.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_only_what_this_database_deleted_is_garbage() -> None:
    """Another database may use the same folder: its runs are unknown here, and their models must stay."""
    foreign = files.run_dir(uuid4())
    (foreign / "model").mkdir(parents=True)
    run = make_run(owner=make_owner("grace"))
    files.run_dir(run.pk).mkdir()
    run.owner.delete()
    assert not Run.objects.exists()
    assert files.collect_garbage() == 1
    assert (foreign / "model").is_dir() and not files.run_dir(run.pk).exists()
    DeletedRun.objects.update(deleted=timezone.now() - timedelta(days=2))
    assert files.collect_garbage() == 0 and not DeletedRun.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["before", "while writing"])
def test_a_full_disk_pauses_the_run_with_the_reason(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    if where == "before":
        monkeypatch.setattr(room, "free_bytes", lambda: 1000)
    else:
        def write(path: Path, tree: Any, log: Any = None, **how: Any) -> str:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("webapp.jobs.advance.checkpoint.write", write)
    session = Session("cpu")
    try:
        assert serve_one(session)
        assert not serve_one(session)
    finally:
        session.end()
    run.refresh_from_db()
    assert run.state == "paused" and run.reason == "the disk is full: free some space; the run goes on by itself then"
    assert Job.objects.get(run=run).failures == 0
    assert "disk_full" in said(run)
    assert states.resume(run.pk).reason == ""


def test_retention_deletes_finished_runs_only(settings: Any) -> None:
    settings.NASCOPE_RETENTION_DAYS = 7
    old, fresh, living = make_run(), make_run(), make_run()
    states.cancel(old.pk)
    states.cancel(fresh.pk)
    assert Run.objects.get(pk=fresh.pk).keep_until > timezone.now() + timedelta(days=6)  # type: ignore[operator]
    Run.objects.filter(pk=old.pk).update(keep_until=timezone.now() - timedelta(seconds=1))
    housekeep()
    assert set(Run.objects.values_list("pk", flat=True)) == {fresh.pk, living.pk}
