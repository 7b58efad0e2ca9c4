"""A worker answers what somebody asks a model (`asked`), with the model's own download, in a process of its own with bounds.

After a kill the next worker begins again; a question that is taken back, or in whose place another has come, is given up at once.
"""

from __future__ import annotations

import threading
import time

from django.conf import settings
from django.db import transaction
from django.db.models import F

from search_engine.base.errors import BadInput
from search_engine.bundle.answering import Answering, Asked, Limits
from search_engine.bundle.answers import Answered, NotAskable

from ..core.models import Job, Prediction
from ..events.store import StaleFence
from . import asked
from .downloads import opened
from .recorded import Damaged
from .session import Session
from .sharing import charge_service

IDLE_SECONDS = 120.0
"""So long a worker keeps the process that answers, and torch in it."""
LOOK_SECONDS = 0.2
"""How often it is asked whether the answer is still wanted."""


class _Stopped(Exception):
    """The worker is asked to end: another one begins again."""


class Keeper:
    """The process that answers, kept between questions, and ended when nobody has asked for a while."""

    def __init__(self) -> None:
        self._answering = Answering()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Answering:
        self._lock.acquire()
        if self._timer is not None:
            self._timer.cancel()
        return self._answering

    def __exit__(self, *_: object) -> None:
        self._timer = threading.Timer(IDLE_SECONDS, self._end_if_idle)
        self._timer.daemon = True
        self._timer.start()
        self._lock.release()

    def _end_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):
            self._answering.end()
            self._lock.release()

    def end(self) -> None:
        """End it now."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._answering.end()


keeper = Keeper()


def run_prediction(session: Session, job: Job) -> None:
    """Answer. Raises StaleFence if the lease was lost meanwhile, or the answer is not wanted any more."""
    started = time.perf_counter()
    row = Prediction.objects.select_related("model__run__experiment").filter(job=job).first()
    if row is None:
        Job.objects.filter(pk=job.pk, fence=job.fence).update(state=Job.State.CANCELLED, runnable=False, lease_until=None)
        raise StaleFence("the question was taken back")
    result, reason = None, ""
    try:
        result = _answer(row, _Wanted(session, job)).model_dump(mode="json")
    except _Stopped:
        # Not a failure: it goes back as it was.
        held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
        held.update(state=Job.State.READY, fence=F("fence") + 1, lease_until=None, worker=None)
        Prediction.objects.filter(pk=row.pk).update(state=Prediction.State.QUEUED)
        return
    except BadInput as error:
        reason = error.message
    except FileNotFoundError as error:
        if Prediction.objects.filter(pk=row.pk).exists():
            raise
        raise StaleFence("the question was taken back") from error
    except (NotAskable, Damaged) as error:
        reason = str(error)
    elapsed = time.perf_counter() - started
    with transaction.atomic():
        held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
        state = Job.State.FAILED if reason else Job.State.TAKEN
        if not held.update(state=state, runnable=False, lease_until=None, reason=reason, served_seconds=F("served_seconds") + elapsed):
            raise StaleFence("the lease was lost")
        charge_service(job, elapsed, None)
        asked.end(job, reason, result)


def _answer(row: Prediction, wanted: _Wanted) -> Answered:
    asked.form(row.model)
    place = asked.folder(row.pk)
    place.mkdir(parents=True, exist_ok=True)
    given = place / row.file if row.file else None
    if given is not None and not given.is_file():
        raise BadInput("file", "what was given is not here any more: give it again")
    with opened(row.model) as archive, keeper as answering:
        return answering.ask(archive, Asked(given, row.invert), place, limits(), wanted)


def limits() -> Limits:
    """What one answer may take."""
    return Limits(memory=settings.NASCOPE_IMPORT_MEMORY, seconds=settings.NASCOPE_TRY_SECONDS)


class _Wanted:
    """What the answering calls all the time. Raises where it should end."""

    def __init__(self, session: Session, job: Job) -> None:
        self.session, self.job = session, job
        self._looked = time.monotonic()

    def __call__(self) -> None:
        self.session.progressed()
        if self.session.stopping.is_set():
            raise _Stopped
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        if not Job.objects.filter(pk=self.job.pk, fence=self.job.fence, state=Job.State.LEASED).exists():
            raise StaleFence("the lease was lost, or the answer is not wanted any more")
