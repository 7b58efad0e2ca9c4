"""The supervisor: keeps the web process and the workers running, replaces those that die or are stuck, and takes all of them with it.

Children run in sessions of their own, so Ctrl-C reaches the supervisor alone, which then asks them to stop. If the supervisor itself is
killed, the kernel kills them (search_engine.base.children); where it cannot, they notice by themselves (webapp.jobs.parent).
"""

from __future__ import annotations

import logging
import os
import platform
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import Error, connection

from search_engine.base.children import ends_with_parent

from ..core import commands
from ..core.models import Worker
from . import memory, parent
from .causes import Cause
from .reaper import Reaper, release_dead_workers, release_worker, stuck_workers

log = logging.getLogger(__name__)

GRACE_SECONDS = 10.0
"""How long children may take to end in good order: a slice ends within about two seconds."""
POLL_SECONDS = 0.1
STUCK_SECONDS = 5.0
HEALTHY_SECONDS = 10.0
"""A child that lived this long was healthy: it is replaced at once. One that dies sooner waits, longer each time."""
MAX_WAIT_SECONDS = 30.0


@dataclass
class Child:
    """One process that should always run."""

    name: str
    command: Sequence[str]
    worker: bool
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait: float = 0.0
    """Seconds before the next start."""

    def start(self) -> None:
        environment = {**os.environ, **self.environment, parent.VARIABLE: str(os.getpid()), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
        # Called from the main thread only: the kernel's death signal follows the thread that started the child.
        # What children say goes to stderr: the supervisor's stdout has one line, the login link.
        self.process = subprocess.Popen(  # nosec B603 # our own words, no shell
            ends_with_parent(self.command), cwd=settings.BASE_DIR, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=2,
        )
        self.started = time.monotonic()

    @property
    def pid(self) -> int:
        return self.process.pid if self.process is not None else 0


def children(host: str, port: int, workers: int, gpus: int) -> list[Child]:
    """The web process, one worker per GPU, and `workers` on the CPU."""
    web = commands.process("serve", "--host", host, "--port", str(port), "--grace", "3")
    worker = commands.process("worker")
    limits = {memory.VARIABLE: str(settings.NASCOPE_MEMORY_CEILING or memory.share(workers + gpus))}
    return [
        Child("web", web, worker=False),
        *(Child(f"gpu-{index}", [*worker, "--device", f"cuda:{index}", "--name", f"gpu-{index}"], worker=True, environment=limits)
          for index in range(gpus)),
        *(
            Child(f"cpu-{index + 1}", [*worker, "--name", f"cpu-{index + 1}"], worker=True,
                  environment={"OMP_NUM_THREADS": "1", **limits})
            for index in range(workers)
        ),
    ]


def _longer(wait: float) -> float:
    return min(MAX_WAIT_SECONDS, max(0.5, 2 * wait))


def _guarded(otherwise: str, action: Callable[[], object]) -> None:
    """The database may be away and the disk full; the children's lives must not depend on either."""
    try:
        action()
    except (Error, OSError) as error:
        log.warning("%s; %s", error, otherwise)
        if isinstance(error, Error):
            connection.close()


class Supervisor:
    """Call `start`, then `run` until it returns."""

    def __init__(self, crew: list[Child]) -> None:
        self.crew = crew
        self.stopping = False
        self._reaper = Reaper()
        self._reaped = 0.0
        self._checked = 0.0

    def start(self) -> None:
        """Take back what a former life left, then start all children."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        _guarded("former workers' leases are left to run out", release_dead_workers)
        for child in self.crew:
            self._start(child)

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            # No process or no memory to be had just now: try again as if it had died at once.
            child.process, child.started = None, time.monotonic()
            child.wait = _longer(child.wait)
            log.error("%s could not be started (%s); it is tried again in %.1f s", child.name, error, child.wait)

    def _asked_to_stop(self, number: int, frame: object) -> None:
        self.stopping = True

    def run(self) -> None:
        """Watch until asked to stop, then stop all children."""
        try:
            while not self.stopping:
                self.watch()
                time.sleep(POLL_SECONDS)
        finally:
            self.stop()

    def watch(self) -> None:
        """One look: replace the dead, reap, kill the stuck."""
        now = time.monotonic()
        for child in self.crew:
            self._look_at(child, now)
        if now - self._reaped >= settings.NASCOPE_REAPER_SECONDS:
            self._reaped = now
            _guarded("the reaper tries again", self._reaper.tick)
        if now - self._checked >= STUCK_SECONDS:
            self._checked = now
            _guarded("stuck workers are looked for again", self._kill_stuck)

    def _look_at(self, child: Child, now: float) -> None:
        if child.process is None:
            if now - child.started >= child.wait:
                self._start(child)
            return
        status = child.process.poll()
        if status is None:
            return
        child.wait = 0.0 if now - child.started >= HEALTHY_SECONDS else _longer(child.wait)
        log.warning("%s ended with status %s; it starts again in %.1f s", child.name, status, child.wait)
        if child.worker:
            over = status == memory.OVER
            ended = "its worker was killed" if status < 0 else f"its worker ended with status {status}"
            limit = float(child.environment.get(memory.VARIABLE, 0.0)) or memory.ceiling()
            self._release(child, memory.reason(limit) if over else ended, cause=Cause.CEILING if over else Cause.MACHINE)
        child.process, child.started = None, now

    def _release(self, child: Child, reason: str, *, counts: bool = True, cause: Cause = Cause.MACHINE) -> None:
        """What the dead worker held is free at once; without this the lease would have to run out."""

        def release() -> None:
            for worker in Worker.objects.filter(host=platform.node(), pid=child.pid):
                release_worker(worker.pk, reason, counts=counts, cause=cause)

        _guarded(f"leases of {child.name} are left to run out", release)

    def _kill_stuck(self) -> None:
        if self._reaper.patient():
            return
        by_pid = {child.pid: child for child in self.crew if child.worker and child.process is not None}
        for worker in stuck_workers(by_pid):
            why = "claims nothing although it is called" if worker.called_at else "makes no progress"
            log.warning("%s %s: it is killed, and a fresh one started", by_pid[worker.pid].name, why)
            os.kill(worker.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ask all to end, wait, kill the rest. What the killed ones held does not count as failed."""
        running = [child for child in self.crew if child.process is not None]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        until = time.monotonic() + GRACE_SECONDS
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
                if child.worker:
                    self._release(child, "NAScope was stopped", counts=False)
