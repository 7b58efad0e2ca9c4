"""What keeps things going when somebody died: leases that ran out, bells that nobody heard, files that nobody refers to.

Safe to run any number of times at once: every change is guarded.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Iterable
from uuid import UUID

import psutil
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from ..core.locks import lock_run
from ..core.models import Estimate, IdempotencyKey, Job, LoginToken, Run, RunCounter, Worker, WsTicket
from . import files, states
from .bell import ring
from .claim import claimable, device_kind
from .clock import after
from .failures import give_back

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 60.0


class Reaper:
    """Call `tick` about once a second."""

    def __init__(self) -> None:
        self._housekept = 0.0
        self._ticked = time.time()
        self._patient_until = 0.0

    def patient(self) -> bool:
        """Whether silence means nothing just now. After the machine slept, this process stood still or the database was away, all
        leases look expired and all workers stuck, until their hearts have beaten once."""
        # The clock on the wall: the monotonic one stands still while a laptop sleeps.
        now, heartbeat = time.time(), settings.NASCOPE_HEARTBEAT_SECONDS
        if now - self._ticked > max(heartbeat, 3 * settings.NASCOPE_REAPER_SECONDS):
            self._patient_until = now + 1.5 * heartbeat
        return now < self._patient_until

    def tick(self) -> None:
        patient = self.patient()
        if not patient:
            expire_leases()
        wake_coordinators()
        settle_pauses()
        ring_for_idle_workers()
        if not patient and time.monotonic() - self._housekept >= HOUSEKEEPING_SECONDS:
            self._housekept = time.monotonic()
            housekeep()
        self._ticked = time.time()


def expire_leases() -> int:
    """Take back leases that ran out. Returns how many."""
    expired = list(Job.objects.filter(state=Job.State.LEASED, lease_until__lt=Now()))
    return sum(_expire(job) for job in expired)


def _expire(job: Job) -> bool:
    try:
        return give_back(job, reason="its worker stopped answering", what="lease_lost", only_expired=True)
    except OSError as error:
        # A full disk takes no failed outcome: it stays expired and is tried again.
        log.warning("job %s of run %s is not taken back yet: %s", job.source, job.run_id, error)
        return False


def release_worker(worker_id: UUID, reason: str, *, counts: bool = True) -> int:
    """Take back at once what a worker held that is known to be dead, and forget it. Returns how many leases it held."""
    held = list(Job.objects.filter(state=Job.State.LEASED, worker_id=worker_id))
    released = sum(give_back(job, reason=reason, what="lease_lost", counts=counts) for job in held)
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
    idle = list(Worker.objects.filter(job=None, last_seen__gte=after(-3 * settings.NASCOPE_HEARTBEAT_SECONDS)))
    rings = 0
    for device in {device_kind(worker.device) for worker in idle}:
        workers = sum(device_kind(worker.device) == device for worker in idle)
        waiting = len(claimable(device).values_list("pk", flat=True)[:workers])
        ring(waiting, device)
        rings += waiting
    return rings


def housekeep() -> None:
    """What is due once a minute: garbage, retention, rows of workers and secrets that are over."""
    files.collect_garbage()
    for run_id in Run.objects.filter(state__in=Run.TERMINAL, keep_until__lt=Now()).values_list("pk", flat=True):
        log.info("run %s is past its retention", run_id)
        states.delete_run(run_id)
    Worker.objects.filter(last_seen__lt=after(-10 * settings.NASCOPE_LEASE_SECONDS)).delete()
    for secret in (LoginToken, WsTicket):
        secret.objects.filter(expires__lt=Now()).delete()
    IdempotencyKey.objects.filter(created__lt=after(-86_400)).delete()
    Estimate.objects.filter(created__lt=after(-7 * 86_400)).delete()


def stuck_workers(pids: Iterable[int]) -> list[Worker]:
    """This machine's workers among `pids` that hold a job and made no progress within the deadline, or whose heart stopped."""
    deadline = settings.NASCOPE_PROGRESS_DEADLINE
    mine = Worker.objects.filter(host=platform.node(), pid__in=list(pids))
    silent = mine.filter(last_seen__lt=after(-max(deadline, 3 * settings.NASCOPE_LEASE_SECONDS)))
    return list({worker.pk: worker for worker in [*mine.filter(job__isnull=False, progress_at__lt=after(-deadline)), *silent]}.values())
