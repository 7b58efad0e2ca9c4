"""Claiming a job: a guarded UPDATE that raises the fence. Of any number of claimers exactly one wins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Case,
    DurationField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Left, Now

from ..core.locks import lock_run
from ..core.models import Dataset, DatasetLook, Estimate, Job, OwnerService, Prediction, Run, RunCounter, Worker
from ..core.statements import Given, Returning, Select, Update, can_return
from ..events.store import add, ops, write_counter
from . import trials
from .clock import after

_LOOKED_AT = (Job.Kind.ESTIMATE, Job.Kind.IMPORT, Job.Kind.LOOK, Job.Kind.PREDICT)
"""What belongs to no run, and somebody waits for."""
_LOOK_AT = 8
"""How many candidates to try: others may win the first ones meanwhile."""


def device_kind(device: str) -> str:
    """cpu or cuda, of `cuda:0`."""
    return device.partition(":")[0]


def claimable(device: str) -> QuerySet[Job]:
    """Jobs that a worker on `device` may take now, the one to take first in front: coordinators that begin or have something
    to tell, then what somebody waits for before an empty page (an estimate, data that were brought, an answer), then the least weighted
    service by owner, then by run, then the oldest. A coordinator that merely goes on (its trials are instant) is work like any other: in
    front it would keep all other owners waiting."""
    return _claimable(device_kind(device), -settings.NASCOPE_LEASE_SECONDS)


def _claimable(kind: str, seen: float | Given) -> QuerySet[Job]:
    """`seen`: since when a worker that is there was seen, in seconds from now (negative)."""
    undecided = Q(run__device="")
    if kind == "cpu":
        # Where there are GPUs, a run that may choose waits for one. (No LIKE: SQLite compiles a statement with one anew each time.)
        with_gpu = Worker.objects.annotate(kind=Left("device", 4)).filter(kind="cuda", last_seen__gte=after(seen))
        undecided &= ~Q(Exists(with_gpu))
    fits = Q(device="any") | (Q(device="auto") & (undecided | Q(run__device=kind)))
    if kind == "cuda":
        fits |= Q(device="cuda")
    owner_service = OwnerService.objects.filter(owner_id=OuterRef("owner_id")).values("service")[:1]
    to_tell = Exists(Job.objects.filter(run_id=OuterRef("run_id"), state=Job.State.FINISHED))
    # One that takes over another run's events has been served before it begins.
    begins = Q(checkpoint_digest="", served_seconds=0.0)
    woken = Q(kind=Job.Kind.ADVANCE) & (begins | to_tell)
    return (
        Job.objects.filter(fits, state=Job.State.READY, runnable=True)
        .filter(Q(run=None) | Q(run__state__in=Run.ACTIVE))
        .annotate(
            rank=Case(When(woken, then=Value(0)), When(kind__in=_LOOKED_AT, then=Value(1)), default=Value(2),
                      output_field=IntegerField()),
            owner_service=Coalesce(Subquery(owner_service), Value(0.0)),
            run_service=Coalesce(F("run__counter__service"), Value(0.0)),
        )
        .order_by("rank", "owner_service", "run_service", "created", "pk")
    )


@lru_cache(maxsize=2)
def _candidates(kind: str) -> Select[Job]:
    seen = Given("seen", DurationField())
    return Select(lambda: _claimable(kind, seen).annotate(run_state=F("run__state"), run_device=F("run__device"))[:_LOOK_AT])


def _look(device: str) -> Iterator[Job]:
    return _candidates(device_kind(device)).instances(seen=_seen())


def _seen() -> timedelta:
    return -_lease_time()


def _lease_time() -> timedelta:
    return timedelta(seconds=settings.NASCOPE_LEASE_SECONDS)


def claim(worker: Worker) -> Job | None:
    """Take the next job for `worker`, or None if there is none. The returned job carries the new fence."""
    for job in _look(worker.device):
        with transaction.atomic():
            counter = None
            if job.run_id is not None:
                try:
                    counter = lock_run(job.run_id)
                except RunCounter.DoesNotExist:
                    continue
            if _take(job, worker, counter):
                if counter is not None:
                    write_counter(counter)
                return job
    return None


def claim_of_run(worker: Worker, counter: RunCounter) -> Job | None:
    """`claim` inside a transaction that holds the run's lock (the caller writes `counter`): the next job if it is this run's. None if it
    is another run's or there is none; then `claim` decides after the commit."""
    if not can_return():
        first = next(_look(worker.device), None)
        return first if first is not None and first.run_id == counter.run_id and _take(first, worker, counter) else None
    kind = device_kind(worker.device)
    taken = next(_lease_first(kind).instances(run=counter.run_id, seen=_seen(), worker=worker.pk, lease=_lease_time()), None)
    if taken is not None:
        _begin(taken, counter, kind)
    return taken


@lru_cache(maxsize=2)
def _lease_first(kind: str) -> Returning[Job]:
    """Look and lease in one statement. With the run locked nothing can come between the two."""
    run = Run.objects.filter(pk=OuterRef("run_id"))
    return Returning(
        lambda: (
            Job.objects.filter(
                run_id=Given("run", UUIDField()), pk=Subquery(_claimable(kind, Given("seen", DurationField())).values("pk")[:1])
            ),
            _LEASED,
        ),
        lambda: Job.objects.annotate(run_state=Subquery(run.values("state")), run_device=Subquery(run.values("device"))).defer(
            # What nobody reads of a job that is about to be worked on.
            "created", "lease_until", "failures", "outcome", "outcome_digest",
        ),
    )


_LEASED = {
    "state": Job.State.LEASED, "fence": F("fence") + 1, "worker": Given("worker", UUIDField()),
    "lease_until": after(Given("lease", DurationField())),
}
_OF_RUN = Run.objects.filter(pk=OuterRef("run_id"), state__in=Run.ACTIVE)


@lru_cache(maxsize=4)
def _lease(kind: str, chooses: bool) -> Update:
    """The guarded UPDATE. A job that may choose its kind of device must find its run undecided or of the worker's kind."""
    of_run = _OF_RUN.filter(device__in=("", kind)) if chooses else _OF_RUN
    return Update(
        lambda: (
            Job.objects.filter(
                Q(run=None) | Exists(of_run), pk=Given("job", UUIDField()), fence=Given("fence", BigIntegerField()),
                state=Job.State.READY, runnable=True,
            ),
            _LEASED,
        )
    )


def _take(job: Job, worker: Worker, counter: RunCounter | None) -> bool:
    """Lease a job that was looked at. Inside a transaction, with its run locked: then nobody else can be taking it, and if its fence is
    what it was, so is the rest of its row."""
    kind = device_kind(worker.device)
    if not _lease(kind, job.device == "auto").execute(job=job.pk, fence=job.fence, worker=worker.pk, lease=_lease_time()):
        return False
    job.fence += 1
    job.state, job.worker_id = Job.State.LEASED, worker.pk
    if counter is not None:
        _begin(job, counter, kind)
    elif job.estimate_id is not None:
        Estimate.objects.filter(pk=job.estimate_id, state="queued").update(state="running")
    elif job.dataset_id is not None:
        Dataset.objects.filter(pk=job.dataset_id, state=Dataset.State.UPLOADED).update(state=Dataset.State.EXAMINING)
    elif job.kind == Job.Kind.LOOK:
        DatasetLook.objects.filter(pk=job.spec["look"], state="queued").update(state="running")
    elif job.kind == Job.Kind.PREDICT:
        Prediction.objects.filter(job=job.pk, state=Prediction.State.QUEUED).update(state=Prediction.State.RUNNING)
    return True


def _begin(job: Job, counter: RunCounter, kind: str) -> None:
    """What becomes visible when a run's job starts. The run's state and device that came with the job are from before the lock; but a run
    leaves `queued` once, and gets its device once."""
    seen = vars(job)
    if job.device == "auto" and seen["run_device"] == "":
        # The first worker's kind of device is the run's from now on: arithmetic differs between kinds.
        Run.objects.filter(pk=counter.run_id, device="").update(device=kind)
    if seen["run_state"] == Run.State.QUEUED and Run.objects.filter(pk=counter.run_id, state=Run.State.QUEUED).update(
        state=Run.State.RUNNING, started=Now(), revision=F("revision") + 1
    ):
        add(counter, [ops("started", "started")])
    if job.kind == Job.Kind.TRIAL:
        trials.begin(job, counter)


def hurried(device: str) -> bool:
    """Whether something waits for a worker on `device` that should not wait for a whole slice of another run: a coordinator that begins or
    has something to tell, an estimate, data that were brought, a question. Behind each somebody looks at an empty page, or trials that
    nobody has asked for yet."""
    first = next(_look(device), None)
    return first is not None and vars(first)["rank"] < 2
