"""What keeps things going when somebody died: leases that ran out, bells that nobody heard, files that nobody refers to, files that
are no longer what was written, and the pasts of long runs, which it keeps prepared.

Safe to run any number of times at once: every change is guarded.
"""

from __future__ import annotations

import logging
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

import psutil
from django.conf import settings
from django.db import Error, transaction
from django.db.models import F
from django.db.models.functions import Now

from ..core import room
from ..core.away import went_away
from ..core.locks import lock_run
from ..core.models import DatasetLook, Estimate, IdempotencyKey, Job, LoginToken, Run, RunCounter, Worker, WsTicket
from ..events.keyframes import Keyframes
from . import asked, clock, files, following, own_data, states
from .bell import ring
from .causes import Cause
from .claim import claimable, device_kind
from .clock import after
from .failures import give_back
from .idleness import idle_devices
from .resuming import Resuming
from .roll_call import RollCall, answer_seconds
from .scrub import Scrub

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 60.0


class Reaper:
    """Call `tick` about once a second."""

    def __init__(self) -> None:
        self._housekept = 0.0
        self._ticked: float | None = None
        """The database's time at the end of the last whole look."""
        self._patient_until = 0.0
        """By the monotonic clock: nothing puts that forward or back."""
        self._roll_call = RollCall()
        self._resuming = Resuming()
        self._scrub = Scrub()
        self._keyframes = Keyframes()

    def patient(self) -> bool:
        """Whether silence means nothing just now. After the machine slept, this process stood still, the database was away or its clock was
        put forward or back, all leases look expired and all workers stuck, until their hearts have beaten once."""
        # The clock that leases are on. The monotonic one stands still while a laptop sleeps.
        now, heartbeat = clock.now(), settings.NASCOPE_HEARTBEAT_SECONDS
        if self._ticked is not None and not 0.0 <= now - self._ticked <= max(heartbeat, 3 * settings.NASCOPE_REAPER_SECONDS):
            self._patient_until = time.monotonic() + 1.5 * heartbeat
        return time.monotonic() < self._patient_until

    def tick(self) -> None:
        """One look at everything. What fails keeps nothing that follows it from being done, unless the database is away; the first error is
        raised at the end."""
        patient = self.patient()
        steps: list[Callable[[], object]] = [wake_coordinators, settle_pauses, self._resuming.look, ring_for_idle_workers]
        if patient:
            self._roll_call.forget()
        else:
            steps = [expire_leases, forget_workers_to_come, *steps, self._roll_call.look]
        if not patient and time.monotonic() - self._housekept >= HOUSEKEEPING_SECONDS:
            self._housekept = time.monotonic()
            steps.append(housekeep)
        steps += [self._scrub.tick, self._keyframes.tick]
        errors: list[Exception] = []
        for step in steps:
            try:
                step()
            except (Error, OSError) as error:
                room.says_full(error)
                errors.append(error)
                if went_away(error):
                    break
        if errors:
            raise errors[0]
        self._ticked = clock.now()


def expire_leases() -> int:
    """Take back leases that are over. Returns how many."""
    return sum(_expire(job) for job in Job.objects.filter(clock.lease_is_over(), state=Job.State.LEASED))


def forget_workers_to_come() -> None:
    """Rows of workers that were seen at a time that is yet to come: they died before the database's clock was put back, and would be taken
    for alive until then. Whoever lives comes back with his next heartbeat."""
    Worker.objects.filter(last_seen__gt=after(settings.NASCOPE_LEASE_SECONDS)).delete()


def _expire(job: Job) -> bool:
    try:
        return give_back(job, reason="its worker stopped answering", what="lease_lost", only_expired=True)
    except OSError as error:
        # A full disk takes no failed outcome: it stays expired and is tried again.
        log.warning("job %s of run %s is not taken back yet: %s", job.source, job.run_id, error)
        return False


def release_worker(worker_id: UUID, reason: str, *, counts: bool = True, cause: Cause = Cause.MACHINE) -> int:
    """Take back at once what a worker held that is known to be dead, and forget it. `cause`: whether another worker may do better.
    Returns how many leases it held."""
    held = list(Job.objects.filter(state=Job.State.LEASED, worker_id=worker_id))
    released = sum(give_back(job, reason=reason, what="lease_lost", counts=counts, cause=cause) for job in held)
    Worker.objects.filter(pk=worker_id).delete()
    return released


def release_dead_workers() -> int:
    """Workers of this machine whose process is gone: after everything was killed, the next start need not wait for the leases."""
    dead = [worker for worker in Worker.objects.filter(host=platform.node()) if not is_alive(worker)]
    return sum(release_worker(worker.pk, "its worker was killed") for worker in dead)


def is_alive(worker: Worker) -> bool:
    """Whether the very process lives (a pid may have been given to another one since)."""
    try:
        process = psutil.Process(worker.pid)
        return abs(process.create_time() - worker.process_started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wake_coordinators() -> int:
    """Finished but untold work whose coordinator sleeps. The slice that finishes work wakes it, so this finds only what a person
    changed by hand; it is cheap."""
    untold = Job.objects.filter(state=Job.State.FINISHED, run__state__in=Run.ACTIVE).values("run_id")
    return Job.objects.filter(kind=Job.Kind.ADVANCE, state=Job.State.READY, runnable=False, run_id__in=untold).update(runnable=True)


def settle_pauses() -> None:
    """Runs that are pausing although no lease is held any more."""
    held = Job.objects.filter(state=Job.State.LEASED).exclude(run=None).values("run_id")
    for run_id in Run.objects.filter(state=Run.State.PAUSING).exclude(pk__in=held).values_list("pk", flat=True):
        with transaction.atomic():
            try:
                states.settle_pause(lock_run(run_id))
            except RunCounter.DoesNotExist:
                continue


def ring_for_idle_workers() -> int:
    """Ring where a worker is idle although it could take something. Returns how often."""
    rings = 0
    for device, workers in Counter(map(device_kind, idle_devices())).items():
        waiting = len(claimable(device).values_list("pk", flat=True)[:workers])
        ring(waiting, device)
        rings += waiting
    return rings


def housekeep() -> None:
    """What is due once a minute: garbage, retention, searches that nobody follows any more, rows of workers and secrets that are over."""
    following.interrupt_silent()
    files.collect_garbage()
    for run_id in Run.objects.filter(state__in=Run.TERMINAL, keep_until__lt=Now()).values_list("pk", flat=True):
        log.info("run %s is past its retention", run_id)
        states.delete_run(run_id)
    Worker.objects.filter(last_seen__lt=after(-10 * settings.NASCOPE_LEASE_SECONDS)).delete()
    for secret in (LoginToken, WsTicket):
        secret.objects.filter(expires__lt=Now()).delete()
    IdempotencyKey.objects.filter(created__lt=after(-86_400)).delete()
    Estimate.objects.filter(created__lt=after(-7 * 86_400)).delete()
    DatasetLook.objects.filter(created__lt=after(-7 * 86_400)).delete()
    own_data.housekeep()
    asked.housekeep()


def stuck_workers(pids: Iterable[int]) -> list[Worker]:
    """This machine's workers among `pids` that hold a job and made no progress within the deadline, or whose heart stopped, or that were
    called and claimed nothing. Each beat of the heart writes the first two times: of a worker without a job they are equal."""
    deadline = settings.NASCOPE_PROGRESS_DEADLINE
    mine = Worker.objects.filter(host=platform.node(), pid__in=list(pids))
    without_progress = mine.filter(progress_at__lt=F("last_seen") - timedelta(seconds=deadline))
    silent = mine.filter(last_seen__lt=after(-max(deadline, 3 * settings.NASCOPE_LEASE_SECONDS)))
    deaf = mine.filter(called_at__lt=after(-answer_seconds()))
    return list({worker.pk: worker for worker in [*without_progress, *silent, *deaf]}.values())
