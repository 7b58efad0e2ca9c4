"""A worker looks at what somebody uploaded, and stores it when its owner says so. Reading happens in a process of its own with bounds
(`search_engine.datasets.own.importing`); here its progress is written down and its end, whatever that is.

After a kill the next worker begins again: looking writes nothing, and a set is stored whole or not at all.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from search_engine.base.errors import BadInput
from search_engine.datasets.own.bounds import Bounds
from search_engine.datasets.own.choices import Choices
from search_engine.datasets.own.findings import Findings, Manifest
from search_engine.datasets.own.stored import hold, own_folder

from ..core.models import Dataset, Job
from ..events.store import StaleFence
from . import own_data, own_files, run_imports
from .session import Session
from .sharing import charge_service

State = Dataset.State
OWN = "own-"
"""Begins the id of a data set that somebody brought."""
TELL_SECONDS = 0.5
"""How often progress is written, and asked whether the work is still wanted."""


class _Stopped(Exception):
    """The worker is asked to end: another one begins again."""


def run_import(session: Session, job: Job) -> None:
    """Examine, or keep. Raises StaleFence if the lease was lost meanwhile, or the work is not wanted any more."""
    started = time.perf_counter()
    row = Dataset.objects.filter(jobs=job, state__in=(State.EXAMINING, State.KEEPING)).first()
    if row is None:
        _end(job, started, state=Job.State.CANCELLED)
        return
    teller = _Teller(session, job, row)
    try:
        if row.purpose == Dataset.Purpose.RUN:
            _open(row, teller, job, started)
        elif row.state == State.EXAMINING:
            _examine(row, teller, job, started)
        else:
            _keep(row, teller, job, started)
    except _Stopped:
        # Not a failure: it goes back as it was.
        held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
        held.update(state=Job.State.READY, fence=F("fence") + 1, lease_until=None, worker=None)
    except BadInput as error:
        with transaction.atomic():
            _end(job, started, state=Job.State.FAILED, reason=str(error))
            own_data.failed(row.pk, str(error))
    except FileNotFoundError:
        if own_files.source(row.pk).exists():
            raise
        with transaction.atomic():
            _end(job, started, state=Job.State.FAILED)
            own_data.failed(row.pk, "its upload is not here any more: upload it again")


def _examine(row: Dataset, tell: _Teller, job: Job, started: float) -> None:
    from search_engine.datasets.own.importing import examine

    found = examine(own_files.source(row.pk), _choices(row), _bounds(), tell, name=row.file_name)
    with transaction.atomic():
        _end(job, started, state=Job.State.TAKEN)
        Dataset.objects.filter(pk=row.pk, state=State.EXAMINING).update(
            state=State.EXAMINED, findings=found.model_dump(mode="json"), reason="", progress={}
        )


def _open(row: Dataset, tell: _Teller, job: Job, started: float) -> None:
    """Make the experiment of a run that was uploaded."""

    def last() -> None:
        _end(job, started, state=Job.State.TAKEN)

    theirs = own_data.registry_ids(row.owner)
    # Raises FileNotFoundError where the upload is gone.
    own_files.received(row.pk)
    run_imports.bring_in(row, own_files.source(row.pk), tell, last, knows=lambda name: not name.startswith(OWN) or name in theirs)
    own_files.remove(row.pk)


def _keep(row: Dataset, tell: _Teller, job: Job, started: float) -> None:
    from search_engine.datasets.own.importing import keep

    kept = keep(own_files.source(row.pk), _choices(row), None, _bounds(), tell, name=row.file_name)
    folder = own_folder() / kept.digest
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        with transaction.atomic():
            _end(job, started, state=Job.State.TAKEN)
            Dataset.objects.filter(pk=row.pk, state=State.KEEPING).update(
                state=State.READY, reason="", progress={}, registry_id=kept.id, digest=kept.digest, stored=size,
                findings=_shown(kept, row),
            )
            if not folder.is_dir():
                raise OSError(f"{folder.name} was removed with an equal set of somebody else: it is stored again")
            hold(kept.id, own_data.KEEPER)
    except IntegrityError:
        twin = Dataset.objects.get(owner_id=row.owner_id, registry_id=kept.id)
        with transaction.atomic():
            _end(job, started, state=Job.State.FAILED)
            own_data.failed(row.pk, f"you have kept the very same already, as '{twin.title}': content, choices and split are equal")
        return
    own_files.remove(row.pk)


def _shown(kept: Manifest, row: Dataset) -> dict[str, Any]:
    """What was found of it, without how it is stored. The file is called as its owner calls it: an equal set may be somebody else's too."""
    found = kept.model_dump(mode="json", include=set(Findings.model_fields))
    return {**found, "source": {**found["source"], "name": row.file_name}}


def _choices(row: Dataset) -> Choices:
    return Choices.model_validate({"title": row.title[:120] or None, **row.choices})


def _bounds() -> Bounds:
    return Bounds(memory=settings.NASCOPE_IMPORT_MEMORY, seconds=settings.NASCOPE_IMPORT_SECONDS)


class _Teller:
    """What the reading calls with how far it is. Raises where it should end."""

    def __init__(self, session: Session, job: Job, row: Dataset) -> None:
        self.session, self.job, self.row = session, job, row
        self._told = float("-inf")

    def __call__(self, done: float, words: str) -> None:
        self.session.progressed()
        if self.session.stopping.is_set():
            raise _Stopped
        now = time.monotonic()
        if now - self._told < TELL_SECONDS:
            return
        self._told = now
        if not connection.in_atomic_block:
            Dataset.objects.filter(pk=self.row.pk).update(progress={"done": round(done, 3), "text": words[:200]})
        if not Job.objects.filter(pk=self.job.pk, fence=self.job.fence, state=Job.State.LEASED).exists():
            raise StaleFence("the lease was lost, or the work is not wanted any more")


def _end(job: Job, started: float, **fields: Any) -> None:
    """End the lease. Raises StaleFence if it was lost."""
    elapsed = time.perf_counter() - started
    held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
    if not held.update(runnable=False, lease_until=None, served_seconds=F("served_seconds") + elapsed, **fields):
        raise StaleFence("the lease was lost")
    charge_service(job, elapsed, None)
