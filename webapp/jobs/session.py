"""A worker process as the database sees it: its row, its heartbeat, the lease it holds, whether it is asked to stop."""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from typing import Any

import psutil
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now
from django.utils import timezone

from ..core.locks import write_counter
from ..core.models import Job, RunCounter, Worker
from . import parent, states
from .arithmetic import Arithmetics
from .claim import claim_of_run
from .clock import after
from .residency import Residents
from .writer import EventWriter

log = logging.getLogger(__name__)

STUCK = 70
"""Exit status of a worker that ended itself (EX_SOFTWARE)."""


class Session:
    """One worker process. `progressed` is called between units of work; the heartbeat thread renews the lease and tells the row
    when the last progress was, so that a supervisor can kill a process that is stuck although its heart beats. Where there is no
    supervisor (a container) the heartbeat thread ends the process itself: it would renew the lease for ever, and nobody could go on."""

    def __init__(self, device: str, threads: int = 1, name: str = "") -> None:
        process = psutil.Process()
        now = timezone.now()
        self.worker = Worker.objects.create(
            name=name or f"{device}-{os.getpid()}", host=platform.node(), pid=os.getpid(), process_started=process.create_time(),
            device=device, threads=threads, last_seen=now, progress_at=now,
        )
        self.stopping = threading.Event()
        self.residents = Residents(settings.NASCOPE_RESIDENT_JOBS)
        self.writer = EventWriter()
        self.arithmetics = Arithmetics()
        self.ahead: Job | None = None
        """A job whose lease is held already: the next to do."""
        self.serve_until = 0.0
        """Until when (monotonic) jobs are claimed ahead."""
        self.idle_unsaid = False
        """Whether this worker stopped serving and could not say so: then its heart does, or nobody would ring for it."""
        self.machine_failures = 0
        """Trials that ran out of memory in this process."""
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._lost = False
        self._progress = time.monotonic()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._heart.start()

    # ---------------------------------------------------------------- the lease

    def hold(self, job: Job | None) -> None:
        """The lease that the heartbeat renews from now on (None: none)."""
        with self._lock:
            self._job, self._lost = job, False
            self._progress = time.monotonic()

    def progressed(self) -> None:
        """A unit of work is done."""
        self._progress = time.monotonic()

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

    def idle(self) -> None:
        """Say that there is nothing to do."""
        Worker.objects.filter(pk=self.worker.pk).update(job=None, last_seen=Now(), progress_at=Now())

    # ---------------------------------------------------------------- the heartbeat

    def _beat(self) -> None:
        while not self._ended.wait(settings.NASCOPE_HEARTBEAT_SECONDS):
            if not os.environ.get(parent.VARIABLE):
                self._end_if_stuck()
            try:
                self._renew()
            except Error as error:
                # The database is away for a moment: the next beat tries again, and if it stays away the lease runs out.
                log.warning("heartbeat failed: %s", error)
                connection.close()
        connection.close()

    def _end_if_stuck(self) -> None:
        with self._lock:
            silent = 0.0 if self._job is None else time.monotonic() - self._progress
        if silent > settings.NASCOPE_PROGRESS_DEADLINE:
            log.error("no progress for %.0f s: this worker ends, whoever started it starts a fresh one", silent)
            os._exit(STUCK)

    def _renew(self) -> None:
        with self._lock:
            job, since = self._job, time.monotonic() - self._progress
        fields: dict[str, Any] = {"last_seen": Now(), "progress_at": after(-since if job is not None else 0.0)}
        say_idle = self.idle_unsaid and job is None
        if say_idle:
            fields["job"] = None
        if not Worker.objects.filter(pk=self.worker.pk).update(**fields):
            # Declared dead while it was silent: come back under the same id.
            Worker.objects.filter(pk=self.worker.pk).delete()
            now = timezone.now()
            self.worker.last_seen, self.worker.progress_at, self.worker.job = now, now, None
            self.worker.save(force_insert=True)
        if say_idle:
            self.idle_unsaid = False
        if job is not None:
            held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED).update(
                lease_until=after(settings.NASCOPE_LEASE_SECONDS)
            )
            with self._lock:
                if not held and self._job is job:
                    self._lost = True

    def end(self) -> None:
        """The process stops in good order: its row goes."""
        self.stopping.set()
        self._ended.set()
        self._heart.join(timeout=5)
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
        raise RuntimeError("this process is no worker: start it with `manage.py worker`")
    return _current


@worker_shutting_down.connect
def _drain(**_: Any) -> None:
    """SIGTERM: the slice under way ends at its next unit with a checkpoint, and nothing new is claimed."""
    current().stopping.set()
