"""The doorbell's task: serve jobs until there is none, or for half a minute."""

from __future__ import annotations

import errno
import logging
import os
import time

from django.conf import settings
from django.db import Error, connection, transaction

from ..celery import app
from ..core import room
from ..core.away import went_away
from ..core.locks import lock_run
from ..core.models import Job, RunCounter
from ..events.store import StaleFence
from . import states
from .advance import run_advance
from .bell import TASK, ring
from .causes import Cause, breaks_the_device, cause_of, sentence
from .claim import claim
from .estimates import run_estimate
from .failures import give_back
from .imports import run_import
from .looks import run_look
from .predictions import run_prediction
from .rebuild import run_rebuild
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
    if serve_for_a_while(session):
        ring(device=session.worker.device)


def serve_for_a_while(session: Session) -> bool:
    """The same without a ring (`webapp.jobs.patrol`). Of two that want to serve at once the second waits for the first. Returns whether it
    ended for the time alone."""
    with session.serving:
        session.serve_until = time.monotonic() + SERVE_SECONDS
        try:
            while session.ahead is not None or not session.stopping.is_set():
                if not serve_one(session):
                    return False
                if session.ahead is None and time.monotonic() >= session.serve_until:
                    return True
        except Error as error:
            # The database is away, or full. What was held is given back by the heartbeat once it answers.
            room.says_full(error)
            log.warning("the database does not answer: %s", error)
            connection.close()
        return False


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
        session.make_room()
    if session.machine_failures >= MAX_MACHINE_FAILURES:
        log.error("the machine failed work of this process %d times: it ends, the supervisor starts a fresh one", session.machine_failures)
        os._exit(UNFIT)
    return True


def _slice(session: Session, job: Job) -> None:
    if job.kind != Job.Kind.ESTIMATE and room.free_bytes() < settings.NASCOPE_MIN_FREE_BYTES:
        raise OSError(errno.ENOSPC, "almost no space left")
    if job.kind == Job.Kind.ADVANCE:
        run_advance(session, job)
    elif job.kind == Job.Kind.ESTIMATE:
        run_estimate(session, job)
    elif job.kind == Job.Kind.REBUILD:
        run_rebuild(session, job)
    elif job.kind == Job.Kind.IMPORT:
        run_import(session, job)
    elif job.kind == Job.Kind.LOOK:
        run_look(session, job)
    elif job.kind == Job.Kind.PREDICT:
        run_prediction(session, job)
    else:
        run_work(session, job)


def _failed(session: Session, job: Job, error: Exception) -> None:
    if room.says_full(error):
        if job.run_id is not None:
            _pause_for_space(job)
        else:
            # What belongs to no run cannot be paused: whoever wished it is told, and may wish it again.
            give_back(job, reason="the disk is full: free some space, then ask again", cause=Cause.RUN)
        return
    if went_away(error):
        # Perhaps it is back already; else the lease is given back by the heartbeat.
        give_back(job, reason=f"the database was away: {error}"[:2000], counts=False)
        return
    log.exception("a slice of job %s of run %s failed", job.source, job.run_id)
    give_back(job, reason=sentence(error), cause=cause_of(error))
    if breaks_the_device(error):
        # A fresh process is started by the supervisor.
        os._exit(UNFIT)


def _pause_for_space(job: Job) -> None:
    """Pause the run with the reason; the job goes on from its last checkpoint when there is space again. This is no failure. Where the
    database cannot write that either, it is said from what everybody sees (`webapp.core.room`), and the lease is given back later."""
    with transaction.atomic():
        try:
            counter = lock_run(job.its_run)
        except RunCounter.DoesNotExist:
            return
        states.pause_for(counter, "disk_full", states.NO_SPACE)
    give_back(job, reason=states.NO_SPACE, counts=False)
