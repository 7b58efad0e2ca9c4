"""When a slice does not end well: the lease is given back, failures are counted, and at the limit the job fails with its reason. What
another try cannot mend (`causes`) fails at once; work whose own file is damaged begins again."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from search_engine.events import Cost

from ..core.locks import lock_run
from ..core.models import DatasetLook, Estimate, Event, Job, ModelArtefact, Run, RunCounter
from ..events.store import append, ops
from . import asked, files, outcomes, own_data, states, trials
from .bell import ring
from .causes import Cause
from .clock import lease_is_over

log = logging.getLogger(__name__)

BEGUN_AGAIN = "begun_again"
"""The ops event of work that is done again because its file is damaged."""


def give_back(
    job: Job, *, reason: str, what: str = "waiting", counts: bool = True, only_expired: bool = False, cause: Cause = Cause.MACHINE
) -> bool:
    """End the lease that was taken under `job.fence`, without results. Returns whether it was still held.

    `counts` says whether this is a failure of the job (a drained worker is not); `only_expired` guards the reaper against a lease
    that was renewed meanwhile; `cause` decides whether it is tried again.
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
            still &= lease_is_over()
        # The fence rises here too: whoever still computes under the old one can no longer write.
        if not Job.objects.filter(still).update(
            state=Job.State.READY, fence=F("fence") + 1, lease_until=None, worker=None, failures=F("failures") + int(counts)
        ):
            return False
        job = Job.objects.get(pk=job.pk)
        log.warning("job %s of run %s: %s", job.source, job.run_id, reason)
        limit = settings.NASCOPE_MAX_JOB_FAILURES
        if counts and (cause.permanent or job.failures >= limit):
            fail_job(job, counter, reason if cause.permanent else f"{reason} ({job.failures} failures without progress)", cause)
        elif counter is not None and counts:
            message = f"{trials.title(job)}: {reason}; it goes on from its last checkpoint (failure {job.failures} of {limit})"
            append(counter, [ops(what, message, source=job.source, failures=job.failures)])
        if counter is not None:
            states.settle_pause(counter)
        ring()
    return True


def fail_job(job: Job, counter: RunCounter | None, reason: str, cause: Cause = Cause.MACHINE) -> None:
    """The job fails for good. Call with the run locked and the lease ended.

    The coordinator's own step takes the run with it, and so does the want of what all its work needs. Other work gets a failed outcome,
    which the coordinator is told like any other: a failed trial is a result, a failed phase or finale ends the run, of a group of trials
    each is tried for itself. Where an outcome stands already, that is what the coordinator is told: what failed was only to add to it. What
    an equal run would not repeat marks the run as not reproducible.
    """
    if cause is Cause.WORK and trials.members(job):
        # Whose fault it is of those in the group is not known: each is tried for itself.
        cause = Cause.UNKNOWN
    if job.estimate_id is not None:
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, runnable=False, reason=reason)
        Estimate.objects.filter(pk=job.estimate_id).update(state="failed", reason=reason)
        return
    if job.dataset_id is not None or job.kind == Job.Kind.LOOK:
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, runnable=False, reason=reason)
        if job.dataset_id is not None:
            own_data.failed(job.dataset_id, reason)
        else:
            DatasetLook.objects.filter(pk=job.spec["look"]).update(state="failed", reason=reason)
        return
    if job.kind == Job.Kind.PREDICT:
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, runnable=False, reason=reason)
        asked.end(job, reason)
        return
    if job.kind == Job.Kind.REBUILD:
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, runnable=False, reason=reason)
        ModelArtefact.objects.filter(pk=job.spec["model"]).update(rebuild=ModelArtefact.Rebuild.FAILED, rebuild_reason=reason)
        return
    assert counter is not None
    if job.kind == Job.Kind.ADVANCE or cause is Cause.RUN:
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, runnable=False, reason=reason)
        states.fail(counter, reason)
        return
    if not cause.repeatable:
        because = " because of the machine" if cause is Cause.MACHINE else ""
        mark_not_reproducible(counter, f"{trials.title(job)} failed{because}: {reason}")
    message = f"{trials.title(job)} failed: {reason}{trials.consequence(job)}"
    append(counter, [ops("waiting", message, source=job.source, failures=job.failures)])
    Job.objects.filter(run_id=counter.run_id, kind=Job.Kind.ADVANCE).update(runnable=True)
    ended = {"state": Job.State.FINISHED, "reason": reason, "checkpoint_path": "", "checkpoint_digest": ""}
    if job.outcome or job.outcome_path:
        Job.objects.filter(pk=job.pk).update(**ended)
        return
    outcome = {
        "status": "failed", "reason": reason, "machine": not cause.repeatable, "metrics": {}, "cost": Cost().model_dump(),
        "seconds": job.served_seconds, "steps": 0, "finalists": [], "handover": None, "bundle": False, "bundle_reason": reason,
    }
    Job.objects.filter(pk=job.pk).update(**outcomes.keep(job, trials.failed(job, outcome)), **ended)
    transaction.on_commit(lambda: files.remove_older(job, sweep=True))


def begin_again(job: Job, reason: str) -> bool:
    """The job's own checkpoint or outcome cannot be read: it is done again from its beginning, which gives the same, as long as that is not
    in vain again and again. `job`: leased under its fence, or finished. Returns whether it still was."""
    with transaction.atomic():
        try:
            counter = lock_run(job.its_run)
        except RunCounter.DoesNotExist:
            return False
        there = Job.objects.filter(pk=job.pk, fence=job.fence, state__in=(Job.State.LEASED, Job.State.FINISHED)).first()
        if there is None:
            return False
        # Of a finished job the outcome itself is damaged.
        stands = there.state == Job.State.LEASED and bool(there.outcome or there.outcome_path)
        begins = {} if stands else {"checkpoint_path": "", "checkpoint_digest": "", **outcomes.NONE}
        Job.objects.filter(pk=job.pk).update(state=Job.State.READY, fence=F("fence") + 1, lease_until=None, worker=None, **begins)
        told = Event.objects.filter(run_id=job.its_run, kind="ops", data__what=BEGUN_AGAIN, data__values__source=job.source).count()
        if stands or told >= settings.NASCOPE_MAX_JOB_FAILURES:
            fail_job(Job.objects.get(pk=job.pk), counter, reason, Cause.STATE)
        else:
            message = f"{trials.title(job)}: {reason}; it is done again from its beginning"
            log.warning("job %s of run %s: %s", job.source, job.run_id, message)
            append(counter, [ops(BEGUN_AGAIN, message, source=job.source)])
        states.settle_pause(counter)
        ring()
    return True


def mark_not_reproducible(counter: RunCounter, note: str) -> None:
    """Something happened that another run with the same seed would not repeat. The first note stays."""
    Run.objects.filter(pk=counter.run_id, reproducible=True).update(reproducible=False, reproducible_note=note, revision=F("revision") + 1)
