"""Files that runs work with are found damaged before somebody needs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search_engine.base import checkpoint
from tests.damage import DAMAGE
from webapp.core.models import Event, Job, Run
from webapp.jobs import files, scrub
from webapp.jobs.scrub import Scrub

from .builders import make_job, make_run

pytestmark = pytest.mark.django_db
KINDS = {
    "checkpoint": ("trial", "the checkpoint of trial 0 is damaged: ", "the work is done again from its beginning"),
    "outcome": ("trial", "the outcome of trial 0 is damaged: ", "the work is done again from its beginning"),
    "the run's own": ("advance", "the checkpoint of ", "the run cannot go on from it; put the file back from a backup"),
    "beginning": ("final", "the file that is the beginning of ", "put the file back from a backup"),
}


def told(run: Run) -> list[str]:
    rows = Event.objects.filter(run=run, kind="ops", data__what__in=("damaged", "whole")).order_by("seq")
    return [row.data["message"] for row in rows]


def with_file(kind: str) -> tuple[Job, Path]:
    """A job that has such a file."""
    run = make_run()
    of = KINDS[kind][0]
    job = Job.objects.get(run=run) if of == "advance" else make_job(run, of)
    name = f"{'artefacts' if kind == 'beginning' else 'checkpoints'}/{of}.1.safetensors"
    path = files.run_dir(run.pk) / name
    digest = checkpoint.write(path, {"step": 3, "text": "x" * 300})
    if kind == "beginning":
        job.spec = {"kind": "final", "index": 0, "artefact": name, "arguments": {"artefact_digest": digest}}
    elif kind == "outcome":
        job.outcome_path, job.outcome_digest = name, digest
    else:
        job.checkpoint_path, job.checkpoint_digest = name, digest
    job.save()
    return job, path


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_every_recorded_file_is_looked_at_and_its_damage_is_told_once(kind: str, damage: Callable[[Path], None], settings: Any) -> None:
    job, path = with_file(kind)
    assert job.run is not None
    Scrub().tick()
    assert told(job.run) == []
    whole = path.read_bytes()
    damage(path)
    for _ in range(2):
        Scrub().tick()
    _, begins, says = KINDS[kind]
    [message] = told(job.run)
    assert message.startswith(begins) and says in message and str(path.parent) not in message
    path.unlink(missing_ok=True)
    path.write_bytes(whole)
    Scrub().tick()
    assert len(told(job.run)) == 2 and told(job.run)[1].endswith(" is whole again")


def test_what_was_written_anew_or_belongs_to_an_ended_run_is_nobody_s_damage() -> None:
    job, path = with_file("checkpoint")
    assert job.run is not None
    sweep = Scrub()
    following = sweep._next()
    assert following is not None
    path.unlink()
    Job.objects.filter(pk=job.pk).update(checkpoint_path="checkpoints/trial.2.safetensors", checkpoint_digest="f" * 64)
    following[1]("its file is not there")
    assert told(job.run) == []
    Job.objects.filter(pk=job.pk).update(checkpoint_path=job.checkpoint_path, checkpoint_digest=job.checkpoint_digest)
    Run.objects.filter(pk=job.run_id).update(state="completed")
    Scrub().tick()
    following[1]("its file is not there")
    assert told(job.run) == [], "a run that ended keeps no checkpoint"


def test_of_an_ended_run_what_its_models_began_with_is_still_looked_at() -> None:
    job, path = with_file("beginning")
    assert job.run is not None
    Run.objects.filter(pk=job.run_id).update(state="completed")
    path.write_bytes(b"")
    Scrub().tick()
    assert len(told(job.run)) == 1


def test_files_of_work_are_looked_at_as_seldom_as_downloads(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job, path = with_file("checkpoint")
    assert job.run is not None
    monkeypatch.setattr(scrub, "REST_SECONDS", 0.0)
    settings.NASCOPE_SCRUB_BYTES = 1_000_000
    sweep = Scrub()
    for _ in range(3):
        assert (following := sweep._next()) is None or following[0]().read(1) == 1
    path.write_bytes(b"")
    assert sweep._next() is None and told(job.run) == []
    settings.NASCOPE_SCRUB_DAYS = 0.0
    sweep._work_due = 0.0
    assert sweep._next() is not None
