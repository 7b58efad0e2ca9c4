"""One slice of a trial, a phase or a finale: load, compute, write the checkpoint, and commit events, budget and pointer together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import BigIntegerField, F, FloatField, UUIDField

from search_engine.base import checkpoint
from search_engine.base.errors import CheckpointDamaged, CheckpointMismatch
from search_engine.catalogue.config import CheckedRun
from search_engine.events import Cost, Event
from search_engine.search.final_work import FinalWork
from search_engine.search.open_work import open_work
from search_engine.search.phase_work import PhaseWork
from search_engine.search.work import Work, WorkSpec, run_slice

from ..core.checked import checked_run
from ..core.models import Job, ModelArtefact, Run, RunCounter
from ..core.statements import Given, Update
from ..events.store import StaleFence, add, lock_for, ops
from . import endings, files, progress, trials
from .failures import begin_again, mark_not_reproducible
from .outcomes import NONE, keep
from .session import Session
from .sharing import charge_service
from .yielding import Yielding


def run_work(session: Session, job: Job) -> None:
    """Do one slice of `job` and commit it. Raises StaleFence if the lease was lost meanwhile: then nothing of it counts."""
    started, cpu = time.perf_counter(), time.process_time()
    checked = checked_run(job.its_run)
    work, alone = session.residents.take(job.pk, job.checkpoint_digest) or (None, job.fence == 1 and not trials.said_before(job))
    alone = alone and files.follows_its_commit(job)
    arithmetic = session.arithmetics.of(job.its_run, checked.config.device, again=work is None and job.kind == Job.Kind.PHASE)
    if work is None:
        with arithmetic.active():
            try:
                work = _open(job, checked)
            except CheckpointMismatch as error:
                if not (job.checkpoint_digest and _can_begin_again(job, error)):
                    raise
                begin_again(job, str(error))
                return
    # What a phase took over from another run was spent there.
    before = work.cost if job.checkpoint_digest or isinstance(work, PhaseWork) else Cost()
    if isinstance(work, PhaseWork) and endings.is_marked(job):
        work.end()
    try:
        with arithmetic.active():
            events = _compute(session, job, work, not alone)
        slice_ = Slice(job, work, events, before, time.perf_counter() - started, time.process_time() - cpu, alone)
        if work.finished:
            session.machine_failures += work.machine_failed
            _commit_outcome(session, slice_)
        else:
            digest = _commit_checkpoint(session, slice_)
            session.residents.put(job.pk, digest, (work, alone))
    except StaleFence:
        # Names carry the fence, so these files are nobody else's.
        files.remove(job.its_run, files.file_name(job, "checkpoints"), files.file_name(job, "outcomes"))
        if not Run.objects.filter(pk=job.its_run).exclude(state__in=Run.TERMINAL).exists():
            files.remove_work_files(job.its_run)
        raise


@dataclass(frozen=True)
class Slice:
    """What was computed and is to be committed."""

    job: Job
    work: Work
    events: list[Event]
    """Those that are not in the database yet."""
    before: Cost
    elapsed: float
    cpu: float
    """CPU seconds of this process meanwhile."""
    alone: bool
    """Whether this process did all slices of the job and committed each: only then no files and no events of a lease that ended without
    a commit can be there (its events may reach further than the slice that repeats it)."""


def _open(job: Job, checked: CheckedRun) -> Work:
    folder = files.run_dir(job.its_run)
    work = open_work(checked, WorkSpec.model_validate(job.spec), Path(settings.NASCOPE_DATA), folder)
    if job.checkpoint_digest:
        work.load_state_dict(checkpoint.read(folder / job.checkpoint_path, job.checkpoint_digest))
    else:
        work.take_up()
    return work


def _can_begin_again(job: Job, error: CheckpointMismatch) -> bool:
    """Whether the work, done from its beginning, is the work that was begun. A phase by another version of its algorithm may not be."""
    return isinstance(error, CheckpointDamaged) or job.kind != Job.Kind.PHASE


def _allowance(job: Job) -> float | None:
    """Device seconds that a trial may use: what its run's budget in seconds has left. None where there is no such budget, and for phases,
    which watch it themselves, and the finale, which is not part of it."""
    budget = checked_run(job.its_run).budget
    if job.kind != Job.Kind.TRIAL or budget is None or budget.kind != "seconds":
        return None
    return budget.limit - RunCounter.objects.values_list("charged_seconds", flat=True).get(pk=job.its_run)


def _compute(session: Session, job: Job, work: Work, repeated: bool) -> list[Event]:
    """The slice. Returns the events that are not in the database yet."""
    from search_engine.training import device

    device.configure(checked_run(job.its_run).config.threads)
    writer = session.writer
    yielding = Yielding(session.worker.device)

    def between_units() -> bool:
        session.progressed()
        return session.should_stop or yielding.due()

    work.allowance = _allowance(job)
    writer.begin(job, repeated=repeated)
    try:
        last = run_slice(work, settings.NASCOPE_SLICE_SECONDS, between_units, writer.put)
    except BaseException:
        writer.discard()
        raise
    return [*writer.finish(), *last]


def _commit_checkpoint(session: Session, slice_: Slice) -> str:
    job, work = slice_.job, slice_.work
    name = files.file_name(job, "checkpoints")
    digest = checkpoint.write(files.run_dir(job.its_run) / name, work.state_dict())
    # The outcome that stands though the work goes on: should the rest fail, it is what the coordinator is told.
    standing = work.standing()
    kept = NONE if standing is None else keep(job, standing)
    bundle = _pack(job, work)
    with transaction.atomic():
        counter = lock_for(job)
        _record(slice_, counter, state=Job.State.READY, checkpoint_path=name, checkpoint_digest=digest, **kept)
        session.arithmetics.settle(counter)
        if work.to_place:
            work.place()
        _offer(job, work, bundle)
        following = session.end_of_slice(counter)
        transaction.on_commit(lambda: files.remove_older(job, job.outcome_path, sweep=not slice_.alone))
    session.ahead = following
    return digest


def _commit_outcome(session: Session, slice_: Slice) -> None:
    job, work = slice_.job, slice_.work
    outcome = work.outcome()
    kept = keep(job, outcome)
    bundle = _pack(job, work)
    with transaction.atomic():
        counter = lock_for(job)
        _record(slice_, counter, state=Job.State.FINISHED, reason=outcome["reason"], checkpoint_path="", checkpoint_digest="", **kept)
        session.arithmetics.settle(counter)
        work.place()
        _offer(job, work, bundle)
        if outcome.get("machine"):
            mark_not_reproducible(counter, f"{trials.title(job)} failed because of the machine: {outcome['reason']}")
            if trials.members(job):
                message = f"{trials.title(job)}: {outcome['reason']}{trials.consequence(job)}"
                add(counter, [ops("waiting", message, source=job.source)])
        if outcome.get("ended_early"):
            mark_not_reproducible(counter, f"a final training {outcome['ended_early']}")
        # The coordinator's job may be leased at this moment: it looks for finished work again under the run's mutex.
        _WAKE.execute(run=job.its_run)
        following = session.end_of_slice(counter)
        transaction.on_commit(lambda: files.remove_older(job, job.outcome_path, sweep=not slice_.alone))
    session.ahead = following


def _offer(job: Job, work: Work, bundle: dict[str, Any]) -> None:
    if bundle:
        # What is recorded of a download never changes: work that is done again finds its digest there already.
        ModelArtefact.objects.filter(run_id=job.its_run, index=work.spec.index, bundle_sha256="").update(**bundle)


def _pack(job: Job, work: Work) -> dict[str, Any]:
    """The zip of a verified model, made outside the transaction; {} where there is none that waits to be placed."""
    if not isinstance(work, FinalWork) or work.bundle is None:
        return {}
    path, sha256 = files.pack_bundle(job.its_run, work.bundle)
    return {"bundle_size": path.stat().st_size, "bundle_sha256": sha256}


_ENDED = {"state", "progress", "checkpoint_path", "checkpoint_digest", "outcome", "outcome_path", "outcome_digest", "reason"}
"""Fields that the end of a slice sets."""
_END = Update(
    lambda: (
        Job.objects.filter(pk=Given("job", UUIDField()), fence=Given("fence", BigIntegerField()), state=Job.State.LEASED),
        {
            **{field.name: Given(field.name, field) for field in Job._meta.concrete_fields if field.name in _ENDED},
            "served_seconds": F("served_seconds") + Given("elapsed", FloatField()), "lease_until": None, "failures": 0,
        },
    )
)
_WAKE = Update(lambda: (Job.objects.filter(run_id=Given("run", UUIDField()), kind=Job.Kind.ADVANCE), {"runnable": True}))


def _record(slice_: Slice, counter: RunCounter, **ended: str) -> None:
    """The end of the lease (`ended`: the job's fields; those left out stay), then events, what the slice used and how far it is.
    `end_of_slice` writes `counter`. Raises StaleFence if the lease was lost."""
    job, work = slice_.job, slice_.work
    job.served_seconds += slice_.elapsed
    job.progress = progress.of_job(job, work, slice_.cpu)
    values = {"reason": job.reason, "progress": job.progress, **ended}
    if not _END.execute(job=job.pk, fence=job.fence, elapsed=slice_.elapsed, **values):
        raise StaleFence("the lease was lost")
    add(counter, slice_.events, repeated=not slice_.alone)
    counter.spent_samples += max(0.0, work.cost.samples - slice_.before.samples)
    counter.spent_seconds += slice_.elapsed
    if isinstance(work, PhaseWork) and not work.control:
        _charge_phase(counter, work)
    charge_service(job, slice_.elapsed, counter)
    progress.update_run(job, counter)


def _charge_phase(counter: RunCounter, work: PhaseWork) -> None:
    """A step phase is charged as it goes; the coordinator's total at its end is the same."""
    totals: dict[str, Any] = work.meter.totals()
    counter.charged_samples = totals["samples"]
    counter.charged_flops = totals["flops"]
    counter.charged_seconds = totals["seconds"] + work.seconds
