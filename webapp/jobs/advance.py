"""The coordinator's step as a slice: feed finished work, take events and new work, commit all of it at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Exists,
    F,
    FloatField,
    JSONField,
    OuterRef,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Now
from django.utils import timezone

from search_engine.base import checkpoint
from search_engine.base.errors import CheckpointDamaged
from search_engine.base.row_log import RowLog
from search_engine.events import SearchStopped
from search_engine.search.coordinator import Coordinator, Step
from search_engine.search.work import WorkSpec

from ..core.bulk import insert_rows
from ..core.checked import checked_run
from ..core.models import Job, Run, RunCounter
from ..core.statements import Given, Select, Update
from ..events.store import StaleFence, add, lock_for, ops
from . import endings, files, outcomes, progress, states, taking_over
from .bell import ring
from .estimates import refuse_too_large_a_unit
from .failures import begin_again, mark_not_reproducible
from .session import Session
from .sharing import charge_service

EVENTS = 500
"""About how many events one commit may carry: it holds SQLite's only write lock meanwhile (a table answers thousands a second)."""


def run_advance(session: Session, job: Job) -> None:
    """Tell and ask as far as it goes in about a second. Raises StaleFence if the lease was lost meanwhile."""
    if taking_over.waits(job):
        taking_over.take_over(session, job)
        return
    started = time.perf_counter()
    folder = files.run_dir(job.its_run)
    resident = session.residents.take_any(job.pk)
    # Unless this process committed the lease before: files and events of one that ended without a commit may be there.
    ours = job.fence == 1 or (resident is not None and resident[0] == job.checkpoint_digest)
    after_another = not (ours and files.follows_its_commit(job))
    coordinator, last_log = _open(job, resident)
    if not job.checkpoint_digest:
        refuse_too_large_a_unit(coordinator.checked)
    log = _log_to_write(job, last_log)
    sweep = after_another or (last_log is not None and log is not last_log)
    finished, told = _finished(job)
    if told.pop(endings.SOURCE, None) is not None:
        coordinator.finish_now()
    step = coordinator.advance(told, settings.NASCOPE_ADVANCE_SECONDS, EVENTS)
    session.progressed()
    more = _more(coordinator, step)
    name = files.file_name(job, "checkpoints")
    digest = _write(folder / name, coordinator, log)
    try:
        with transaction.atomic():
            counter = lock_for(job)
            elapsed = time.perf_counter() - started
            for item in finished:
                _TAKEN.execute(job=item.pk)
            plan = progress.of_coordinator(coordinator)
            if not _END.execute(
                job=job.pk, fence=job.fence, more=step.more, path=name, digest=digest, elapsed=elapsed, progress=plan,
            ):
                raise StaleFence("the lease was lost")
            add(counter, step.events, repeated=after_another)
            _charge(counter, step)
            counter.spent_seconds += elapsed
            if coordinator.checked.dataset.provides != "samples":
                # Its trials are answered by the coordinator itself: that is what it costs.
                counter.charged_seconds += elapsed
            charge_service(job, elapsed, counter)
            _open_jobs(job, step.opened, coordinator.ending)
            taking_over.taken_up(job)
            if more is not None:
                Run.objects.filter(pk=counter.run_id).update(more=more)
                if coordinator.ended_early:
                    mark_not_reproducible(counter, coordinator.ended_early)
            if coordinator.finale.started and step.status == "running":
                progress.update_from_finale(counter)
            else:
                progress.update_from_coordinator(counter, coordinator.progress())
            _end(counter, step)
            following = session.end_of_slice(counter)
            used = [*(item.outcome_path for item in finished), *step.obsolete]
            transaction.on_commit(lambda: files.remove_older(job, *used, sweep=sweep, keep=log.name))
    except StaleFence:
        files.remove(job.its_run, name, f"checkpoints/{files.log_name(job)}")
        raise
    session.ahead = following
    if step.status == "running":
        session.residents.put(job.pk, digest, (coordinator, log))


_FINISHED = Select(
    lambda: Job.objects.filter(run_id=Given("run", UUIDField()), state=Job.State.FINISHED).only(
        "run_id", "source", "spec", "fence", "outcome", "outcome_path", "outcome_digest"
    )
)
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
            "served_seconds": F("served_seconds") + Given("elapsed", FloatField()), "progress": Given("progress", JSONField()),
        },
    )
)


def _finished(job: Job) -> tuple[list[Job], dict[str, dict[str, Any]]]:
    """The run's finished work, with what it gives by its source. Work whose outcome is damaged is done again."""
    finished, told = [], {}
    for item in _FINISHED.instances(run=job.its_run):
        try:
            told[item.source] = outcomes.read(item)
        except CheckpointDamaged as damaged:
            begin_again(item, str(damaged))
        else:
            finished.append(item)
    return finished, told


def _open(job: Job, resident: tuple[str, tuple[Coordinator, RowLog]] | None) -> tuple[Coordinator, RowLog | None]:
    """The coordinator at its last checkpoint. `resident`: the one that this process had, and the checkpoint's digest; where others went on
    meanwhile, only what has grown since then is read of what grows."""
    if resident is not None and resident[0] == job.checkpoint_digest:
        return resident[1]
    coordinator = Coordinator(checked_run(job.its_run), Path(settings.NASCOPE_DATA), files.run_dir(job.its_run))
    if not job.checkpoint_digest:
        taking_over.begin(job, coordinator)
        return coordinator, None
    path = files.run_dir(job.its_run) / job.checkpoint_path
    known = resident[1][1] if resident else None
    try:
        state, log = checkpoint.read_with_log(path, job.checkpoint_digest, known)
    except CheckpointDamaged:
        if known is None:
            raise
        # Another log was begun meanwhile.
        state, log = checkpoint.read_with_log(path, job.checkpoint_digest)
    coordinator.load_state_dict(state)
    return coordinator, log


def _more(coordinator: Coordinator, step: Step) -> dict[str, Any] | None:
    """Where this step ended the search: with what another could go on."""
    stopped = any(isinstance(event.payload, SearchStopped) for event in step.events)
    return taking_over.said_at_the_end(coordinator, coordinator.run_dir) if stopped else None


def _write(path: Path, coordinator: Coordinator, log: RowLog) -> str:
    try:
        return checkpoint.write(path, coordinator.state_dict(), log)
    except FileNotFoundError as error:
        # Whoever has the lease now began another log, and removed this one.
        raise StaleFence("the lease was lost, and the log with it") from error


def _log_to_write(job: Job, log: RowLog | None) -> RowLog:
    """The log for this commit: the last one, if nobody else can be writing to it and it is not mostly waste."""
    if log is None or not files.follows_its_commit(job) or log.wasteful:
        return RowLog(files.run_dir(job.its_run) / "checkpoints", files.log_name(job))
    return log


def _open_jobs(job: Job, specs: list[WorkSpec], ending: bool) -> None:
    """`ending`: whether the search is to end, so that its next phase does no more than one step."""
    device = checked_run(job.its_run).config.device
    needs = {"auto": "auto", "cuda": "cuda", "cpu": "any"}[device]
    insert_rows(
        Job,
        ("owner_id", "run_id", "kind", "source", "spec", "device", "created"),
        [
            # Each its own time: the oldest is claimed first.
            (job.owner_id, job.its_run, spec.kind, spec.source, _described(spec, ending), needs, timezone.now())
            for spec in specs
        ],
    )
    # This worker looks for the next job anyway; the others need to hear of the rest.
    ring(len(specs) - 1 if needs != "cuda" else len(specs))


def _described(spec: WorkSpec, ending: bool) -> dict[str, Any]:
    described: dict[str, Any] = spec.model_dump(mode="json")
    return endings.marked(described) if ending and spec.kind == "phase" else described


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
