"""What is recorded of the files that runs work with: checkpoints, long outcomes, and what phases and finalists begin with. Who reads one
compares it; these are found damaged before somebody needs them (`scrub`), while a backup may still have them.

Nothing is mended here: work whose checkpoint or outcome is damaged is done again by whoever meets it (`failures.begin_again`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from ..core.locks import lock_run
from ..core.models import Event, Job, Run, RunCounter
from ..events.store import append, ops
from . import files, trials

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Rows that are looked up together."""
DAMAGED, WHOLE = "damaged", "whole"
"""The ops events of a file, by what was found."""


@dataclass(frozen=True)
class WorkFile:
    """One file of a job and its recorded digest."""

    job: UUID
    run: UUID
    what: str
    """checkpoint, outcome, or beginning: what the job is opened with."""
    name: str
    """Its path under the run's folder."""
    sha256: str

    @property
    def path(self) -> Path:
        return files.run_dir(self.run) / self.name


def recorded() -> Iterator[WorkFile]:
    """All of them, by job. Of a run that has ended only what its models began with is still there."""
    kinds = (Job.Kind.PHASE, Job.Kind.FINAL)
    has = ~Q(checkpoint_digest="") | ~Q(outcome_digest="") | Q(kind__in=kinds)
    jobs = Job.objects.filter(has, run__isnull=False).select_related("run").order_by("pk")
    rows = list(jobs[:AT_ONCE])
    while rows:
        for job in rows:
            yield from _of(job)
        rows = list(jobs.filter(pk__gt=rows[-1].pk)[:AT_ONCE])


def _of(job: Job) -> Iterator[WorkFile]:
    if job.run is None or job.run_id is None:
        return
    beginning, digest = job.spec.get("artefact"), job.spec.get("arguments", {}).get("artefact_digest")
    if beginning and digest:
        yield WorkFile(job.pk, job.run_id, "beginning", beginning, digest)
    if job.run.state in Run.TERMINAL:
        return
    if job.checkpoint_path and job.checkpoint_digest:
        yield WorkFile(job.pk, job.run_id, "checkpoint", job.checkpoint_path, job.checkpoint_digest)
    if job.outcome_path and job.outcome_digest:
        yield WorkFile(job.pk, job.run_id, "outcome", job.outcome_path, job.outcome_digest)


def settle(file: WorkFile, damage: str) -> None:
    """Say what was found of it just now ("" = it is whole) in the run's record, where that is news and the file is still the recorded
    one."""
    said = Event.objects.filter(
        run_id=file.run, kind="ops", data__what__in=(DAMAGED, WHOLE), data__values__file=file.name, data__values__sha256=file.sha256
    )
    last = said.order_by("seq").last()
    known = last is not None and last.data["what"] == DAMAGED
    if known == bool(damage):
        return
    with transaction.atomic():
        try:
            counter = lock_run(file.run)
        except RunCounter.DoesNotExist:
            return
        job = Job.objects.select_related("run").filter(pk=file.job).first()
        if job is None or file not in _of(job):
            # It was written anew meanwhile, or its run has ended.
            return
        about = f"the {_TITLES[file.what]} of {trials.title(job)}"
        message = f"{about} is damaged: {damage}; {_consequence(job, file)}" if damage else f"{about} is whole again"
        log.warning("run %s: %s (%s)", file.run, message, file.path)
        append(counter, [ops(DAMAGED if damage else WHOLE, message, file=file.name, sha256=file.sha256)])


_TITLES = {"checkpoint": "checkpoint", "outcome": "outcome", "beginning": "file that is the beginning"}


def _consequence(job: Job, file: WorkFile) -> str:
    if file.what == "beginning":
        return "what begins with it cannot be done again; put the file back from a backup"
    if job.kind == Job.Kind.ADVANCE:
        return "the run cannot go on from it; put the file back from a backup before a worker needs it"
    return "if it is still needed, the work is done again from its beginning"
