"""Claiming a job: a guarded UPDATE that raises the fence. Of any number of claimers exactly one wins."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Now

from ..core.locks import lock_run
from ..core.models import Estimate, Job, OwnerService, Run, RunCounter, Trial, Worker
from ..events.store import append, ops
from .clock import after

_LOOK_AT = 8
"""How many candidates to try: others may win the first ones meanwhile."""


def device_kind(device: str) -> str:
    """cpu or cuda, of `cuda:0`."""
    return device.partition(":")[0]


def claimable(device: str) -> QuerySet[Job]:
    """Jobs that a worker on `device` may take now, the one to take first in front: coordinators that begin or have something
    to tell, then estimates, then the least weighted service by owner, then by run, then the oldest. A coordinator that merely goes on
    (its trials are instant) is work like any other: in front it would keep all other owners waiting."""
    kind = device_kind(device)
    # Where there are GPUs, a run that may choose waits for one.
    begun = (kind,) if kind == "cpu" and _has_gpu_worker() else ("", kind)
    fits = Q(device="any") | Q(device="auto", run__device__in=begun)
    if kind == "cuda":
        fits |= Q(device="cuda")
    owner_service = OwnerService.objects.filter(owner_id=OuterRef("owner_id")).values("service")[:1]
    to_tell = Exists(Job.objects.filter(run_id=OuterRef("run_id"), state=Job.State.FINISHED))
    woken = Q(kind=Job.Kind.ADVANCE) & (Q(checkpoint_digest="") | to_tell)
    return (
        Job.objects.filter(fits, state=Job.State.READY, runnable=True)
        .filter(Q(run=None) | Q(run__state__in=Run.ACTIVE))
        .annotate(
            rank=Case(When(woken, then=Value(0)), When(kind=Job.Kind.ESTIMATE, then=Value(1)), default=Value(2),
                      output_field=IntegerField()),
            owner_service=Coalesce(Subquery(owner_service), Value(0.0)),
            run_service=Coalesce(F("run__counter__service"), Value(0.0)),
        )
        .order_by("rank", "owner_service", "run_service", "created", "pk")
    )


def _has_gpu_worker() -> bool:
    return Worker.objects.filter(device__startswith="cuda", last_seen__gte=after(-settings.NASCOPE_LEASE_SECONDS)).exists()


def claim(worker: Worker) -> Job | None:
    """Take the next job for `worker`, or None if there is none. The returned job carries the new fence."""
    for job in claimable(worker.device)[:_LOOK_AT]:
        if _take(job, worker):
            taken: Job = Job.objects.select_related("run", "estimate").get(pk=job.pk)
            return taken
    return None


def _take(job: Job, worker: Worker) -> bool:
    with transaction.atomic():
        counter = None
        if job.run_id is not None:
            try:
                counter = lock_run(job.run_id)
            except RunCounter.DoesNotExist:
                return False
            run = Run.objects.get(pk=job.run_id)
            kind = device_kind(worker.device)
            if run.state not in Run.ACTIVE or (job.device == "auto" and run.device not in ("", kind)):
                return False
        won = Job.objects.filter(pk=job.pk, state=Job.State.READY, runnable=True).update(
            state=Job.State.LEASED, fence=F("fence") + 1, worker=worker, lease_until=after(settings.NASCOPE_LEASE_SECONDS)
        )
        if not won:
            return False
        Worker.objects.filter(pk=worker.pk).update(job=job.pk, last_seen=Now(), progress_at=Now())
        if counter is not None:
            _begin(job, run, counter, kind)
        elif job.estimate_id is not None:
            Estimate.objects.filter(pk=job.estimate_id, state="queued").update(state="running")
    return True


def _begin(job: Job, run: Run, counter: RunCounter, kind: str) -> None:
    """What becomes visible when a run's job starts."""
    if job.device == "auto" and run.device == "":
        # The first worker's kind of device is the run's from now on: arithmetic differs between kinds.
        Run.objects.filter(pk=run.pk).update(device=kind)
    if run.state == Run.State.QUEUED:
        Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, started=Now(), revision=F("revision") + 1)
        append(counter, [ops("started", "started")])
    if job.kind == Job.Kind.TRIAL:
        number = int(job.source.partition(":")[2])
        Trial.objects.filter(run_id=run.pk, number=number, state=Trial.State.QUEUED).update(state=Trial.State.RUNNING)


def hurried(device: str) -> bool:
    """Whether something waits for a worker on `device` that should not wait for a whole slice of another run: a coordinator that begins or
    has something to tell, or an estimate. Behind each somebody looks at an empty page, or trials that nobody has asked for yet."""
    return claimable(device).filter(rank__lt=2).exists()  # type: ignore[misc]  # the stubs know no annotations
