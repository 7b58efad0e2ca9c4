"""The first slices of a run that goes on with another's search (`continuing`).

They take the first run's events over, a batch in each commit together with the place up to which they were read, so that a kill loses and
doubles none. Then the coordinator takes up the state that was kept, and its first step is a step like any other.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from search_engine.base.errors import BadInput
from search_engine.events import EventRecord, Ops
from search_engine.search import continuation
from search_engine.search.continuation import Beginning
from search_engine.search.coordinator import Coordinator

from ..core.checked import checked_run
from ..core.models import Event, Job, Run
from ..events.store import StaleFence, add_recorded, lock_for, write_counter
from . import files, forecasts, progress
from .continuing import SPEC
from .session import Session
from .sharing import charge_service

BATCH = 500
"""Events of one commit: it holds SQLite's only write lock meanwhile."""
GONE = "the run that this one goes on with was deleted before its events were taken over: begin a new search"


def waits(job: Job) -> bool:
    """Whether there is something to be taken over before the coordinator of `job` begins."""
    return not job.checkpoint_digest and not job.spec.get(SPEC, {"read": True})["read"]


def take_over(session: Session, job: Job) -> None:
    """Take over events for about a slice's time. Raises StaleFence if the lease was lost meanwhile, BadInput (field "more") where the first
    run, or what it kept, is gone."""
    begun = since = time.perf_counter()
    taken, before = dict(job.spec[SPEC]), dict(job.spec[forecasts.BEFORE])
    beginning = Beginning.of(files.run_dir(job.its_run) / files.TAKEN)
    totals: dict[str, Any] = {}
    if taken["at"] == 0:
        beginning.place(files.run_dir(job.its_run))
        coordinator = _new_coordinator(job)
        coordinator.take_up(beginning.coordinator, beginning.outcomes)
        taken["horizon"], totals = coordinator.horizon, coordinator.meter.totals()
    over = False
    while not over:
        records = _records(UUID(taken["run"]), taken["at"])
        of_prefix = _of_prefix(beginning, records, taken)
        taken["read"] = len(records) < BATCH
        if records:
            taken["at"], taken["turned"] = records[-1].seq, taken["turned"] or any(map(_turns, records))
        session.progressed()
        now = time.perf_counter()
        elapsed, since = now - since, now
        over = taken["read"] or now - begun >= settings.NASCOPE_SLICE_SECONDS or session.should_stop
        with transaction.atomic():
            counter = lock_for(job)
            ended: dict[str, Any] = {"state": Job.State.READY, "lease_until": None} if over else {}
            # It is served, so that others have their turn before its next slice; but that is no part of the search.
            before["search_seconds"] -= elapsed
            spec = {**job.spec, SPEC: taken, forecasts.BEFORE: before}
            held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED)
            if not held.update(spec=spec, failures=0, served_seconds=F("served_seconds") + elapsed, **ended):
                raise StaleFence("the lease was lost")
            for name, value in totals.items():
                setattr(counter, f"charged_{name}", value)
            if of_prefix:
                numbered = enumerate(of_prefix, counter.last_seq + 1)
                add_recorded(counter, [record.model_copy(update={"seq": seq}) for seq, record in numbered])
            counter.spent_seconds += elapsed
            charge_service(job, elapsed, counter)
            progress.taking_over(counter, min(taken["at"], taken["of"]), taken["of"], taken["share"])
            if over:
                following = session.end_of_slice(counter)
            else:
                write_counter(counter)
    session.ahead = following


def _new_coordinator(job: Job) -> Coordinator:
    return Coordinator(checked_run(job.its_run), Path(settings.NASCOPE_DATA), files.run_dir(job.its_run))


def _records(run_id: UUID, after: int) -> list[EventRecord]:
    """The first run's next events. Raises BadInput where it was deleted."""
    rows = Event.objects.filter(run_id=run_id, seq__gt=after).order_by("seq")[:BATCH]
    found = [EventRecord.model_validate(row.record()) for row in rows]
    # Looked at after the events: a run that is still there had all of them.
    if len(found) < BATCH and not Run.objects.filter(pk=run_id).exists():
        raise BadInput("more", GONE)
    return found


def _turns(record: EventRecord) -> bool:
    return isinstance(record.data, Ops) and record.data.what == continuation.TURNED


_TURNED = EventRecord(
    seq=0, time=0.0, science=False, source="run", step=0, ordinal=0, kind="ops", data=Ops(what=continuation.TURNED, message="")
)


def _of_prefix(beginning: Beginning, records: Sequence[EventRecord], taken: dict[str, Any]) -> list[EventRecord]:
    """Of a batch those that the new run begins with. An earlier batch may have held the turning point: then it is heard first."""
    heard = [_TURNED] if taken["turned"] else []
    return list(beginning.events([*heard, *records], taken["horizon"]))


# ---------------------------------------------------------------- the coordinator's first step


def begin(job: Job, coordinator: Coordinator) -> None:
    """A coordinator without a checkpoint takes up what was taken over, if its run goes on with another. Raises BadInput (field "more")
    where what that one kept is gone."""
    if SPEC in job.spec:
        beginning = Beginning.of(files.run_dir(job.its_run) / files.TAKEN)
        beginning.place(files.run_dir(job.its_run))
        coordinator.take_up(beginning.coordinator, beginning.outcomes)


def taken_up(job: Job) -> None:
    """After that step, in its transaction: phases that go on are given what they took so far, and the first run's files go."""
    if job.checkpoint_digest or SPEC not in job.spec:
        return
    for source, values in job.spec[forecasts.BEFORE]["phases"].items():
        Job.objects.filter(run_id=job.its_run, source=source, spec__arguments__has_key="taken_up").update(**values)
    home = files.run_dir(job.its_run) / files.TAKEN
    transaction.on_commit(lambda: shutil.rmtree(home, ignore_errors=True))


# ---------------------------------------------------------------- the end of its own search


def said_at_the_end(coordinator: Coordinator, run_dir: Path) -> dict[str, Any]:
    """What a run records of that when its search is over (`Run.more`)."""
    found = continuation.possible(run_dir, coordinator.checked, coordinator.stop_reason, coordinator.meter.charged)
    return {"unit": found.unit, "have": found.have} if found.unit else {"why_not": found.why_not}
