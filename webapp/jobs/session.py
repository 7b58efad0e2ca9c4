"""A worker process as the database sees it: its row, its heartbeat, the lease it holds, whether it is asked to stop."""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psutil
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now

from ..core.commands import called
from ..core.models import Job, RunCounter, Worker
from ..events.store import write_counter
from . import parent, states
from .arithmetic import Arithmetics
from .causes import Cause
from .claim import claim_of_run, claimable
from .clock import after
from .failures import give_back
from .memory import MemoryWatch, ceiling, resident
from .residency import Residents
from .roll_call import answer_seconds
from .writer import EventWriter

log = logging.getLogger(__name__)

STUCK = 70
"""Exit status of a worker that ended itself (EX_SOFTWARE)."""


class Session:
    """One worker process. `progressed` is called between units of work; the heartbeat thread renews the lease and tells the row
    when the last progress was, so that a supervisor can kill a process that is stuck although its heart beats, or claims nothing although
    it is called. Where there is no supervisor (a container) the process ends itself: it would renew the lease for ever, and nobody could
    go on."""

    def __init__(self, device: str, threads: int = 1, name: str = "") -> None:
        process = psutil.Process()
        # Its times are the database's: a process whose clock is ahead would else be taken for alive long after its death.
        self.worker = Worker.objects.create(
            name=name or f"{device}-{os.getpid()}", host=platform.node(), pid=os.getpid(), process_started=process.create_time(),
            device=device, threads=threads, last_seen=Now(), progress_at=Now(),
        )
        self.stopping = threading.Event()
        self.residents = Residents(settings.NASCOPE_RESIDENT_JOBS)
        self.writer = EventWriter()
        self.arithmetics = Arithmetics()
        self.ahead: Job | None = None
        """A job whose lease is held already: the next to do."""
        self.serve_until = 0.0
        """Until when (monotonic) jobs are claimed ahead."""
        self.machine_failures = 0
        """Trials that the machine failed in this process, for want of memory most often."""
        self.serving = threading.Lock()
        """Held by the thread that serves."""
        self.look_now: Callable[[], None] = lambda: None
        """Makes the worker look for work at once."""
        self._claims = 0
        self._called: tuple[int, float] | None = None
        """When a call was heard: claims until then, and the time (monotonic)."""
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._lost = False
        self._strays: set[tuple[UUID, int]] = set()
        """Leases (job, fence) in this worker's name at the last beat that it did not hold."""
        self._progress = time.monotonic()
        self._ended = threading.Event()
        self._beaten = time.monotonic()
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._heart.start()
        if not os.environ.get(parent.VARIABLE):
            # A thread of its own, which asks nobody: the heart itself may wait for a database that went away without a word.
            threading.Thread(target=self._watch, name="watch", daemon=True).start()
        self._memory = MemoryWatch(self._fail_for_memory)

    # ---------------------------------------------------------------- the lease

    def hold(self, job: Job | None) -> None:
        """The lease that the heartbeat renews from now on (None: none)."""
        with self._lock:
            self._job, self._lost = job, False
            self._claims += job is not None
            self._progress = time.monotonic()

    def progressed(self) -> None:
        """A unit of work is done."""
        self._progress = time.monotonic()

    def make_room(self) -> None:
        """What is kept for later slices goes where it takes too much: it can be read again, and must not cost the next job its life."""
        if resident() > ceiling() / 2:
            self.residents.clear()

    @property
    def should_stop(self) -> bool:
        """Whether the slice should end at the next unit: asked to stop, or the lease is gone."""
        return self.stopping.is_set() or self._lost or self.writer.lost

    def end_of_slice(self, counter: RunCounter) -> Job | None:
        """The last step of a transaction that ended a lease of `counter`'s run: claim the next job in it, if `serve` would claim now and
        the turn is this run's (a lock, a look and a commit less than `claim` afterwards), or else see whether the run waits to be paused;
        and write `counter`. Returns the job; make it `ahead` once the transaction is over."""
        following = None
        # After a machine failure the process may have to end.
        if not (self.stopping.is_set() or self.machine_failures or time.monotonic() >= self.serve_until):
            following = claim_of_run(self.worker, counter)
        if following is None:
            states.settle_pause(counter)
        write_counter(counter)
        return following

    # ---------------------------------------------------------------- the heartbeat

    def _beat(self) -> None:
        while not self._ended.wait(settings.NASCOPE_HEARTBEAT_SECONDS):
            self._beaten = time.monotonic()
            try:
                self._renew()
            except Error as error:
                # The database is away for a moment: the next beat tries again, and if it stays away the lease runs out.
                log.warning("heartbeat failed: %s", error)
                connection.close()
        connection.close()

    def _watch(self) -> None:
        while not self._ended.wait(settings.NASCOPE_HEARTBEAT_SECONDS):
            self._end_if_stuck()

    def _end_if_stuck(self) -> None:
        now = time.monotonic()
        with self._lock:
            silent = now - (self._beaten if self._job is None else min(self._beaten, self._progress))
        if silent > settings.NASCOPE_PROGRESS_DEADLINE:
            log.error("no progress for %.0f s: this worker ends, whoever started it starts a fresh one", silent)
            os._exit(STUCK)

    def _renew(self) -> None:
        with self._lock:
            job, since = self._job, time.monotonic() - self._progress
        progress_at = after(-since if job is not None else 0.0)
        if not Worker.objects.filter(pk=self.worker.pk).update(last_seen=Now(), progress_at=progress_at):
            # Declared dead while it was silent: come back under the same id.
            Worker.objects.filter(pk=self.worker.pk).delete()
            self.worker.last_seen, self.worker.progress_at = Now(), Now()  # type: ignore[assignment]
            self.worker.save(force_insert=True)
        if job is not None:
            held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED).update(
                lease_until=after(settings.NASCOPE_LEASE_SECONDS), worker=self.worker
            )
            with self._lock:
                if not held and self._job is job:
                    self._lost = True
        self._give_back_strays(job)
        self._answer(job)

    def _answer(self, held: Job | None) -> None:
        """Whether the reaper calls (`webapp.jobs.roll_call`): look for work at once. After a claim the call is over; without one a process
        that has no supervisor ends."""
        row = Worker.objects.filter(pk=self.worker.pk, called_at__isnull=False)
        if not row.exists():
            self._called = None
            return
        now = time.monotonic()
        claims, since = self._called = self._called or (self._claims, now)
        if held is not None or self._claims != claims:
            row.update(called_at=None)
            self._called = None
            return
        self.look_now()
        if now - since > answer_seconds() and not os.environ.get(parent.VARIABLE) and claimable(self.worker.device).exists():
            log.error("called for %.0f s, and still claims nothing: this worker ends, whoever started it starts a fresh one", now - since)
            os._exit(STUCK)

    def _fail_for_memory(self, reason: str) -> None:
        """This process is about to end for the memory that it took: the job that took it fails, and is not tried again."""
        with self._lock:
            job = self._job
        log.error("%s %s: this process ends", "nobody" if job is None else f"job {job.source} of run {job.run_id}", reason)
        try:
            if job is not None:
                give_back(job, reason=reason, cause=Cause.CEILING)
        except Error as error:
            # Whoever started this process tells it by its exit status.
            log.warning("it is not told yet: %s", error)

    def _give_back_strays(self, held: Job | None) -> None:
        """Leases that this worker does not know of: the database went away in the middle of a commit. Their jobs, and this worker, whom
        nobody would ring for, need not wait until they run out. They are told from one that was taken this moment by the next beat."""
        mine = Job.objects.filter(state=Job.State.LEASED, worker_id=self.worker.pk)
        strays = {(job.pk, job.fence): job for job in mine if held is None or job.pk != held.pk}
        for lease in self._strays & strays.keys():
            # No failure of the job, however often the database goes away.
            give_back(strays[lease], reason="its worker lost it with the database", counts=False)
        self._strays = set(strays)

    def end(self) -> None:
        """The process stops in good order: its row goes."""
        self.stopping.set()
        self._ended.set()
        self._heart.join(timeout=5)
        self._memory.end()
        self.writer.end()
        self.residents.clear()
        Worker.objects.filter(pk=self.worker.pk).delete()


_current: Session | None = None


def start(device: str, threads: int = 1, name: str = "") -> Session:
    """Make this process a worker."""
    global _current
    _current = Session(device, threads, name)
    return _current


def current() -> Session:
    """This process's session. Raises RuntimeError where the process is no worker."""
    if _current is None:
        raise RuntimeError(f"this process is no worker: start it with `{called('worker')}`")
    return _current


@worker_shutting_down.connect
def _drain(**_: Any) -> None:
    """SIGTERM: the slice under way ends at its next unit with a checkpoint, and nothing new is claimed."""
    current().stopping.set()
