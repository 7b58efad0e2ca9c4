"""One slice of a trial, a phase or a finale: load, compute, write the checkpoint, and commit events, budget and pointer together."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from search_engine.base import checkpoint
from search_engine.catalogue.config import CheckedRun
from search_engine.events import Cost, Event
from search_engine.search.final_work import FinalWork
from search_engine.search.open_work import open_work
from search_engine.search.phase_work import PhaseWork
from search_engine.search.work import Work, WorkSpec, run_slice

from ..core.checked import checked_run
from ..core.models import Job, ModelArtefact, Run, RunCounter
from ..events.store import StaleFence, append, lock_for
from . import files, progress, states
from .failures import mark_not_reproducible
from .session import Session
from .sharing import charge_service
from .yielding import Yielding


def run_work(session: Session, job: Job) -> None:
    """Do one slice of `job` and commit it. Raises StaleFence if the lease was lost meanwhile: then nothing of it counts."""
    started = time.perf_counter()
    checked = checked_run(job.its_run)
    work: Work | None = session.residents.take(job.pk, job.checkpoint_digest)
    arithmetic = session.arithmetics.of(job.its_run, checked.config.device, again=work is None and job.kind == Job.Kind.PHASE)
    if work is None:
        with arithmetic.active():
            work = _open(job, checked)
    before = work.cost if job.checkpoint_digest else Cost()
    try:
        with arithmetic.active():
            events = _compute(session, job, work)
        elapsed = time.perf_counter() - started
        if work.finished:
            _commit_outcome(session, job, work, events, before, elapsed)
            session.machine_failures += work.failure is not None and work.failure.machine
        else:
            digest = _commit_checkpoint(session, job, work, events, before, elapsed)
            session.residents.put(job.pk, digest, work)
    except StaleFence:
        # Names carry the fence, so these files are nobody else's.
        files.remove(job.its_run, files.file_name(job, "checkpoints"), files.file_name(job, "outcomes"))
        if not Run.objects.filter(pk=job.its_run).exclude(state__in=Run.TERMINAL).exists():
            files.remove_work_files(job.its_run)
        raise


def _open(job: Job, checked: CheckedRun) -> Work:
    folder = files.run_dir(job.its_run)
    work = open_work(checked, WorkSpec.model_validate(job.spec), Path(settings.NASCOPE_DATA), folder)
    if job.checkpoint_digest:
        work.load_state_dict(checkpoint.read(folder / job.checkpoint_path, job.checkpoint_digest))
    return work


def _compute(session: Session, job: Job, work: Work) -> list[Event]:
    """The slice. Returns the events that are not in the database yet."""
    from search_engine.training import device

    device.configure(checked_run(job.its_run).config.threads)
    writer = session.writer
    yielding = Yielding(session.worker.device)

    def between_units() -> bool:
        session.progressed()
        return session.should_stop or yielding.due()

    writer.begin(job)
    try:
        last = run_slice(work, settings.NASCOPE_SLICE_SECONDS, between_units, writer.put)
    except BaseException:
        writer.discard()
        raise
    return [*writer.finish(), *last]


def _commit_checkpoint(session: Session, job: Job, work: Work, events: list[Event], before: Cost, elapsed: float) -> str:
    name = files.file_name(job, "checkpoints")
    digest = checkpoint.write(files.run_dir(job.its_run) / name, work.state_dict())
    standing = _standing(job, work)
    bundle = _pack(work)
    with transaction.atomic():
        counter = lock_for(job)
        session.arithmetics.settle(counter)
        if work.to_place:
            work.place()
        _record(job, work, counter, events, before, elapsed)
        _offer(job, work, bundle)
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.READY, checkpoint_path=name, checkpoint_digest=digest, lease_until=None, failures=0, **standing
        )
        states.settle_pause(counter)
        transaction.on_commit(lambda: files.remove_older(job))
    return digest


def _commit_outcome(session: Session, job: Job, work: Work, events: list[Event], before: Cost, elapsed: float) -> None:
    outcome = work.outcome()
    name = files.file_name(job, "outcomes")
    digest = checkpoint.write(files.run_dir(job.its_run) / name, outcome)
    bundle = _pack(work)
    with transaction.atomic():
        counter = lock_for(job)
        work.place()
        session.arithmetics.settle(counter)
        _record(job, work, counter, events, before, elapsed)
        _offer(job, work, bundle)
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.FINISHED, outcome_path=name, outcome_digest=digest, reason=outcome["reason"], checkpoint_path="",
            checkpoint_digest="", lease_until=None, failures=0,
        )
        if outcome.get("machine"):
            mark_not_reproducible(counter, f"{job.source} failed because of the machine: {outcome['reason']}")
        # The coordinator's job may be leased at this moment: it looks for finished work again under the run's mutex.
        Job.objects.filter(run_id=job.its_run, kind=Job.Kind.ADVANCE).update(runnable=True)
        states.settle_pause(counter)
        transaction.on_commit(lambda: files.remove_older(job))


def _standing(job: Job, work: Work) -> dict[str, str]:
    """The outcome that stands though the work goes on, as a file and its job's fields: should the rest fail, it is what the coordinator
    is told. {} while nothing stands."""
    outcome = work.standing()
    if outcome is None:
        return {}
    name = files.file_name(job, "outcomes")
    return {"outcome_path": name, "outcome_digest": checkpoint.write(files.run_dir(job.its_run) / name, outcome)}


def _offer(job: Job, work: Work, bundle: dict[str, Any]) -> None:
    if bundle:
        ModelArtefact.objects.filter(run_id=job.its_run, index=work.spec.index).update(**bundle)


def _pack(work: Work) -> dict[str, Any]:
    """The zip of a verified model, made outside the transaction; {} where there is none that waits to be placed."""
    if not isinstance(work, FinalWork) or work.bundle is None:
        return {}
    path, sha256 = files.pack_bundle(work.bundle)
    return {"bundle_size": path.stat().st_size, "bundle_sha256": sha256}


def _record(job: Job, work: Work, counter: RunCounter, events: list[Event], before: Cost, elapsed: float) -> None:
    """Events first, then what the slice used and how far it is."""
    append(counter, events)
    counter.spent_samples += max(0.0, work.cost.samples - before.samples)
    counter.spent_seconds += elapsed
    if isinstance(work, PhaseWork) and not work.control:
        _charge_phase(counter, work)
    counter.save()
    charge_service(job, elapsed, counter)
    job.served_seconds += elapsed
    job.progress = progress.of_job(work)
    Job.objects.filter(pk=job.pk).update(served_seconds=F("served_seconds") + elapsed, progress=job.progress)
    progress.update_run(job, counter)


def _charge_phase(counter: RunCounter, work: PhaseWork) -> None:
    """A step phase is charged as it goes; the coordinator's total at its end is the same."""
    totals: dict[str, Any] = work.meter.totals()
    counter.charged_samples = totals["samples"]
    counter.charged_flops = totals["flops"]
    counter.charged_seconds = totals["seconds"] + work.seconds
