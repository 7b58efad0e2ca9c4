"""When a slice does not end well: the lease is given back, failures are counted, and at the limit the job fails with its reason."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from search_engine.events import Cost

from ..core.locks import lock_run
from ..core.models import Estimate, Job, Run, RunCounter
from ..events.store import append, ops
from . import files, outcomes, states
from .bell import ring

log = logging.getLogger(__name__)


def give_back(job: Job, *, reason: str, what: str = "waiting", counts: bool = True, only_expired: bool = False) -> bool:
    """End the lease that was taken under `job.fence`, without results. Returns whether it was still held.

    `counts` says whether this is a failure of the job (a drained worker is not); `only_expired` guards the reaper against a lease
    that was renewed meanwhile.
    """
    with transaction.atomic():
        counter = None
        if job.run_id is not None:
            try:
                counter = lock_run(job.run_id)
            except RunCounter.DoesNotExist:
                return False
        still = Q(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
        if only_expired:
            still &= Q(lease_until__lt=Now())
        # The fence rises here too: whoever still computes under the old one can no longer write.
        if not Job.objects.filter(still).update(
            state=Job.State.READY, fence=F("fence") + 1, lease_until=None, worker=None, failures=F("failures") + int(counts)
        ):
            return False
        job = Job.objects.get(pk=job.pk)
        log.warning("job %s of run %s: %s", job.source, job.run_id, reason)
        limit = settings.NASCOPE_MAX_JOB_FAILURES
        if counts and job.failures >= limit:
            fail_job(job, counter, f"{reason} ({job.failures} failures without progress)")
        elif counter is not None and counts:
            message = f"{job.source}: {reason}; it goes on from its last checkpoint (failure {job.failures} of {limit})"
            append(counter, [ops(what, message, source=job.source, failures=job.failures)])
        if counter is not None:
            states.settle_pause(counter)
        ring()
    return True


def fail_job(job: Job, counter: RunCounter | None, reason: str) -> None:
    """The job fails for good. Call with the run locked and the lease ended.

    The coordinator's own step takes the run with it. Other work gets a failed outcome, which the coordinator is told like any other: a
    failed trial is a result, a failed phase or finale ends the run. Where an outcome stands already, that is what the coordinator is told:
    what failed was only to add to it. A failure of the machine is never reproducible.
    """
    if job.estimate_id is not None:
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, runnable=False, reason=reason)
        Estimate.objects.filter(pk=job.estimate_id).update(state="failed", reason=reason)
        return
    assert counter is not None
    if job.kind == Job.Kind.ADVANCE:
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, runnable=False, reason=reason)
        states.fail(counter, reason)
        return
    mark_not_reproducible(counter, f"{job.source} failed because of the machine: {reason}")
    append(counter, [ops("waiting", f"{job.source} failed: {reason}", source=job.source, failures=job.failures)])
    Job.objects.filter(run_id=counter.run_id, kind=Job.Kind.ADVANCE).update(runnable=True)
    ended = {"state": Job.State.FINISHED, "reason": reason, "checkpoint_path": "", "checkpoint_digest": ""}
    if job.outcome or job.outcome_path:
        Job.objects.filter(pk=job.pk).update(**ended)
        return
    outcome = {
        "status": "failed", "reason": reason, "machine": True, "metrics": {}, "cost": Cost().model_dump(), "seconds": job.served_seconds,
        "steps": 0, "finalists": [], "handover": None, "bundle": False, "bundle_reason": reason,
    }
    Job.objects.filter(pk=job.pk).update(**outcomes.keep(job, outcome), **ended)
    transaction.on_commit(lambda: files.remove_older(job, sweep=True))


def mark_not_reproducible(counter: RunCounter, note: str) -> None:
    """Something happened that another run with the same seed would not repeat. The first note stays."""
    Run.objects.filter(pk=counter.run_id, reproducible=True).update(reproducible=False, reproducible_note=note, revision=F("revision") + 1)
