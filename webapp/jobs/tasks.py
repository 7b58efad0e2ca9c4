"""The doorbell's task: serve jobs until there is none, or for half a minute."""

from __future__ import annotations

import errno
import logging
import os
import time

from django.conf import settings
from django.db import Error, OperationalError, connection, transaction

from ..celery import app
from ..core.locks import lock_run
from ..core.models import Job, RunCounter
from ..events.store import StaleFence
from . import files, states
from .advance import run_advance
from .bell import TASK, ring
from .claim import claim
from .estimates import run_estimate
from .failures import give_back
from .session import Session, current
from .slices import run_work

log = logging.getLogger(__name__)

SERVE_SECONDS = 30.0
"""No task runs for hours: after this long it rings for itself and returns."""

MAX_MACHINE_FAILURES = 2
"""After the second failed allocation memory may be fragmented or leaked: a fresh process is cheaper than finding out."""
UNFIT = 70
"""Exit status of a process that should not go on (EX_SOFTWARE)."""


@app.task(name=TASK, ignore_result=True)
def serve() -> None:
    """Somebody rang: claim, do one slice, and look for the next."""
    session = current()
    session.serve_until = time.monotonic() + SERVE_SECONDS
    try:
        while session.ahead is not None or not session.stopping.is_set():
            if not serve_one(session):
                session.idle()
                # What was opened since this worker looked rang for those that were idle then.
                if not serve_one(session):
                    return
            if session.ahead is None and time.monotonic() >= session.serve_until:
                session.idle()
                ring(device=session.worker.device)
                return
    except Error as error:
        # The database is away. What was held is found by the reaper when the lease runs out.
        log.warning("the database does not answer: %s", error)
        session.idle_unsaid = True
        connection.close()


def serve_one(session: Session) -> bool:
    """Claim one job, if none is held already, and do one slice of it. Returns whether there was one."""
    job = session.ahead or claim(session.worker)
    if job is None:
        return False
    session.ahead = None
    session.hold(job)
    try:
        _slice(session, job)
    except StaleFence as error:
        log.info("job %s: %s; its slice is discarded", job.source, error)
    except Exception as error:
        _failed(session, job, error)
    finally:
        session.hold(session.ahead)
    if session.machine_failures >= MAX_MACHINE_FAILURES:
        log.error("out of memory %d times: this process ends, the supervisor starts a fresh one", session.machine_failures)
        os._exit(UNFIT)
    return True


def _slice(session: Session, job: Job) -> None:
    if job.run_id is not None and files.free_bytes() < settings.NASCOPE_MIN_FREE_BYTES:
        raise OSError(errno.ENOSPC, "almost no space left")
    if job.kind == Job.Kind.ADVANCE:
        run_advance(session, job)
    elif job.kind == Job.Kind.ESTIMATE:
        run_estimate(session, job)
    else:
        run_work(session, job)


def _failed(session: Session, job: Job, error: Exception) -> None:
    if _disk_is_full(error) and job.run_id is not None:
        _pause_for_space(job)
        return
    log.exception("a slice of job %s of run %s failed", job.source, job.run_id)
    give_back(job, reason=f"{type(error).__name__}: {error}"[:2000])
    if "CUDA error" in str(error) or "cuDNN error" in str(error):
        # The process's CUDA context is broken for good; a fresh process is started by the supervisor.
        os._exit(UNFIT)


def _pause_for_space(job: Job) -> None:
    """Pause the run with the reason; the job goes on from its last checkpoint when its owner resumes it. This is no failure."""
    reason = "the disk is full: free some space and resume"
    with transaction.atomic():
        try:
            counter = lock_run(job.its_run)
        except RunCounter.DoesNotExist:
            return
        states.pause_for(counter, "disk_full", reason)
    give_back(job, reason=reason, counts=False)


def _disk_is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, OperationalError) and ("disk is full" in str(error) or "No space left" in str(error))
