"""Making a damaged download again from the record: the finalist's work is done once more, from its spec and its seed, in slices.

Nothing of it is said or charged: its events and its score stand already. What comes out is put in place only if it has the digest that was
recorded. On a machine, or by a version, that computes other bits it has not; then the row says so and keeps what was recorded.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from search_engine.base import checkpoint
from search_engine.base.errors import CheckpointMismatch
from search_engine.search.final_work import FinalWork
from search_engine.search.open_work import open_work
from search_engine.search.work import WorkSpec, run_slice

from ..core.checked import checked_run
from ..core.models import Job, ModelArtefact
from ..events.store import StaleFence
from . import files
from .downloads import settle
from .session import Session
from .sharing import charge_service


def run_rebuild(session: Session, job: Job) -> None:
    """One slice. Raises StaleFence if the lease was lost meanwhile, or the model is gone."""
    from search_engine.training import device

    started = time.perf_counter()
    model = ModelArtefact.objects.select_related("run").filter(pk=job.spec["model"]).first()
    if model is None:
        Job.objects.filter(pk=job.pk, fence=job.fence).update(state=Job.State.CANCELLED, runnable=False, lease_until=None)
        raise StaleFence("the model was deleted")
    checked, folder = checked_run(model.run_id), files.run_dir(model.run_id)
    device.configure(checked.config.threads)
    with session.arithmetics.of(model.run_id, checked.config.device).active():
        work = open_work(checked, WorkSpec.model_validate(job.spec["work"]), Path(settings.NASCOPE_DATA), folder)
        assert isinstance(work, FinalWork)
        _load(work, job, folder)

        def between_units() -> bool:
            session.progressed()
            return session.should_stop

        # Its events are in the record already.
        run_slice(work, settings.NASCOPE_SLICE_SECONDS, between_units, lambda _: None)
    if work.bundle is None and not work.finished:
        name = f"checkpoints/rebuild-{model.pk}.{job.fence}.safetensors"
        digest = checkpoint.write(folder / name, work.state_dict())
        _end(job, started, state=Job.State.READY, checkpoint_path=name, checkpoint_digest=digest)
        files.remove(model.run_id, job.checkpoint_path)
        return
    _put_in_place(job, model, work, started)


def _load(work: FinalWork, job: Job, folder: Path) -> None:
    if not job.checkpoint_digest:
        return
    try:
        work.load_state_dict(checkpoint.read(folder / job.checkpoint_path, job.checkpoint_digest))
    except CheckpointMismatch as error:
        Job.objects.filter(pk=job.pk, fence=job.fence).update(checkpoint_path="", checkpoint_digest="")
        raise StaleFence(f"{error}; it begins again") from error


def _put_in_place(job: Job, model: ModelArtefact, work: FinalWork, started: float) -> None:
    reason = work.failure.reason if work.failure is not None else work.bundle_reason
    fields: dict[str, Any] = {"rebuild": ModelArtefact.Rebuild.NONE, "rebuild_reason": ""}
    if work.bundle is not None:
        path, sha256 = files.pack_bundle(model.run_id, work.bundle)
        if not model.bundle_sha256:
            fields |= {"bundle_sha256": sha256, "bundle_size": path.stat().st_size}
        elif sha256 != model.bundle_sha256:
            path.unlink(missing_ok=True)
            reason = "what was made has other bytes than what is recorded: this machine or this version computes differently"
    if reason:
        fields = {"rebuild": ModelArtefact.Rebuild.FAILED, "rebuild_reason": reason}
    with transaction.atomic():
        _end(job, started, state=Job.State.TAKEN, runnable=False, reason=reason, checkpoint_path="", checkpoint_digest="")
        ModelArtefact.objects.filter(pk=model.pk).update(**fields)
        if not reason:
            work.place()
    files.remove_work_files(model.run_id)
    if not reason:
        model.refresh_from_db()
        settle(model, "")


def _end(job: Job, started: float, **fields: Any) -> None:
    """End the lease. Raises StaleFence if it was lost."""
    elapsed = time.perf_counter() - started
    held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
    if not held.update(lease_until=None, failures=0, served_seconds=F("served_seconds") + elapsed, **fields):
        raise StaleFence("the lease was lost")
    charge_service(job, elapsed, None)

