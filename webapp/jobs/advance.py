"""The coordinator's step as a slice: feed finished work, take events and new work, commit all of it at once."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, BooleanField, Case, CharField, Exists, F, FloatField, OuterRef, UUIDField, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from search_engine.base import checkpoint
from search_engine.search.coordinator import Coordinator, Step
from search_engine.search.work import WorkSpec

from ..core.bulk import insert_rows
from ..core.checked import checked_run
from ..core.models import Job, Run, RunCounter
from ..core.statements import Given, Select, Update
from ..events import wake
from ..events.store import StaleFence, add, lock_for, ops
from . import files, outcomes, progress, states
from .bell import ring
from .session import Session
from .sharing import charge_service

EVENTS = 500
"""About how many events one commit may carry: it holds SQLite's only write lock meanwhile (a table answers thousands a second)."""


def run_advance(session: Session, job: Job) -> None:
    """Tell and ask as far as it goes in about a second. Raises StaleFence if the lease was lost meanwhile."""
    started = time.perf_counter()
    coordinator: Coordinator | None = session.residents.take(job.pk, job.checkpoint_digest)
    sweep = coordinator is None and job.fence > 1
    if coordinator is None:
        coordinator = _open(job)
    finished = list(_FINISHED.instances(run=job.its_run))
    step = coordinator.advance({item.source: outcomes.read(item) for item in finished}, settings.NASCOPE_ADVANCE_SECONDS, EVENTS)
    session.progressed()
    name = files.file_name(job, "checkpoints")
    digest = checkpoint.write(files.run_dir(job.its_run) / name, coordinator.state_dict())
    try:
        with transaction.atomic():
            counter = lock_for(job)
            add(counter, step.events, repeated=sweep)
            _charge(counter, step)
            elapsed = time.perf_counter() - started
            charge_service(job, elapsed, counter)
            for item in finished:
                _TAKEN.execute(job=item.pk)
            _open_jobs(job, step.opened)
            if not _END.execute(job=job.pk, fence=job.fence, more=step.more, path=name, digest=digest, elapsed=elapsed):
                raise StaleFence("the lease was lost")
            progress.update_from_coordinator(counter, coordinator.progress())
            _end(counter, step)
            following = session.end_of_slice(counter)
            if not step.events:
                # The row of the run changed.
                wake.announce(counter.run_id)
            used = [*(item.outcome_path for item in finished), *step.obsolete]
            transaction.on_commit(lambda: files.remove_older(job, *used, sweep=sweep))
    except StaleFence:
        files.remove(job.its_run, name)
        raise
    session.ahead = following
    if step.status == "running":
        session.residents.put(job.pk, digest, coordinator)


_FINISHED = Select(lambda: Job.objects.filter(run_id=Given("run", UUIDField()), state=Job.State.FINISHED))
_TAKEN = Update(lambda: (Job.objects.filter(pk=Given("job", UUIDField())), {"state": Job.State.TAKEN, **outcomes.NONE}))
_END = Update(
    lambda: (
        Job.objects.filter(pk=Given("job", UUIDField()), fence=Given("fence", BigIntegerField()), state=Job.State.LEASED),
        {
            "state": Job.State.READY, "checkpoint_path": Given("path", CharField()),
            # Other work of the run may have finished since it was looked at.
            "runnable": Case(When(Exists(Job.objects.filter(run_id=OuterRef("run_id"), state=Job.State.FINISHED)), then=Value(True)),
                             default=Given("more", BooleanField())),
            "checkpoint_digest": Given("digest", CharField()), "lease_until": None, "failures": 0,
            "served_seconds": F("served_seconds") + Given("elapsed", FloatField()),
        },
    )
)


def _open(job: Job) -> Coordinator:
    folder = files.run_dir(job.its_run)
    coordinator = Coordinator(checked_run(job.its_run), Path(settings.NASCOPE_DATA), folder)
    if job.checkpoint_digest:
        coordinator.load_state_dict(checkpoint.read(folder / job.checkpoint_path, job.checkpoint_digest))
    return coordinator


def _open_jobs(job: Job, specs: list[WorkSpec]) -> None:
    device = checked_run(job.its_run).config.device
    needs = {"auto": "auto", "cuda": "cuda", "cpu": "any"}[device]
    insert_rows(
        Job,
        ("owner_id", "run_id", "kind", "source", "spec", "device", "created"),
        [
            # Each its own time: the oldest is claimed first.
            (job.owner_id, job.its_run, spec.kind, spec.source, spec.model_dump(mode="json"), needs, timezone.now())
            for spec in specs
        ],
    )
    # This worker looks for the next job anyway; the others need to hear of the rest.
    ring(len(specs) - 1 if needs != "cuda" else len(specs))


def _charge(counter: RunCounter, step: Step) -> None:
    """The coordinator's meter decides. While a step phase runs it stands still, and the phase's own slices count on."""
    for name in ("samples", "seconds", "flops"):
        field = f"charged_{name}"
        setattr(counter, field, max(getattr(counter, field), step.charged[name]))
    counter.charged_trials = int(step.charged["trials"])


def _end(counter: RunCounter, step: Step) -> None:
    if step.status == "completed":
        Run.objects.filter(pk=counter.run_id).update(
            state=Run.State.COMPLETED, reason=step.reason, finished=Now(), revision=F("revision") + 1
        )
        progress.finish(counter, step.reason)
        add(counter, [ops("completed", step.reason)])
        states.close(counter)
    elif step.status == "failed":
        states.fail(counter, step.reason)
