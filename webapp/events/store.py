"""The event table: append without holes, once each, and read after a number."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from search_engine.events import Event as EngineEvent
from search_engine.events import Ops

from ..core.locks import lock_run
from ..core.models import Event, Job, Run, RunCounter
from . import wake
from .projector import project

Key = tuple[str, int, str, int]


class StaleFence(Exception):
    """Somebody else holds the job now (or it was cancelled): what this process wanted to write must be thrown away."""


def ops(what: str, message: str, **values: Any) -> EngineEvent:
    """An ops event of the run."""
    return EngineEvent(source="run", step=0, payload=Ops(what=what, message=message, values=values))


def append(counter: RunCounter, events: Sequence[EngineEvent]) -> list[Event]:
    """Number `events`, insert them, project them to rows, raise the counter. Returns the rows that were new.

    Call inside a transaction, with `counter` from `lock_run`. Science events whose key is already there are dropped; if their
    payload differs, an ops event `diverged` says so and the run is marked as not reproducible.
    """
    if not events:
        return []
    fresh, diverged = _without_known(counter.run_id, events)
    if diverged:
        source, step, kind, _ = diverged[0]
        message = f"work that was repeated gave another result at {len(diverged)} place(s), first {source}, step {step}, {kind}"
        fresh.append((ops("diverged", message, keys=[list(key) for key in diverged[:20]]), None))
        Run.objects.filter(pk=counter.run_id).update(reproducible=False, reproducible_note=message)
    now = time.time()
    rows = [
        Event(
            run_id=counter.run_id, seq=counter.last_seq + offset, time=now, science=event.science, source=event.source, step=event.step,
            kind=event.kind, ordinal=event.ordinal, data=payload_json(event) if data is None else data,
        )
        for offset, (event, data) in enumerate(fresh, start=1)
    ]
    if rows:
        Event.objects.bulk_create(rows, batch_size=500)
        counter.last_seq += len(rows)
        project(counter, rows)
        counter.save()
        wake.announce(counter.run_id)
    return rows


def append_fenced(job: Job, events: Sequence[EngineEvent]) -> None:
    """`append` in a transaction of its own, if `job`'s fence still holds. Raises StaleFence."""
    with transaction.atomic():
        counter = lock_for(job)
        append(counter, events)


def lock_for(job: Job) -> RunCounter:
    """Lock the job's run and check that the lease taken under `job.fence` still holds. Raises StaleFence."""
    try:
        counter = lock_run(job.its_run)
    except RunCounter.DoesNotExist:
        raise StaleFence("the run was deleted") from None
    if not Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.LEASED).exists():
        raise StaleFence("the lease was lost")
    return counter


def payload_json(event: EngineEvent) -> dict[str, Any]:
    """The payload as JSON that both databases can hold: entries that are not finite numbers are left out."""
    return _finite(event.payload.model_dump(mode="json"))  # type: ignore[no-any-return]


def read_after(run_id: UUID, after: int, limit: int = 500) -> list[dict[str, Any]]:
    """Up to `limit` event records with seq > `after`, in order."""
    return [row.record() for row in Event.objects.filter(run_id=run_id, seq__gt=after).order_by("seq")[:limit]]


def last_seq(run_id: UUID) -> int:
    """The run's last event number; 0 if there is none."""
    return RunCounter.objects.filter(run_id=run_id).values_list("last_seq", flat=True).first() or 0


def _without_known(run_id: UUID, events: Sequence[EngineEvent]) -> tuple[list[tuple[EngineEvent, dict[str, Any] | None]], list[Key]]:
    """The events that are not stored yet (with their payload), and the keys whose stored payload differs."""
    science = [event for event in events if event.science]
    known: dict[Key, dict[str, Any]] = {}
    if science:
        steps = [event.step for event in science]
        stored = Event.objects.filter(
            run_id=run_id, science=True, source__in={event.source for event in science}, step__gte=min(steps), step__lte=max(steps)
        )
        wanted = {event.key for event in science}
        # Most batches are new: look at the keys first, and at payloads only where a key is there already.
        keys = wanted & set(stored.values_list("source", "step", "kind", "ordinal"))
        if keys:
            for row in stored.filter(kind__in={key[2] for key in keys}):
                known[(row.source, row.step, row.kind, row.ordinal)] = row.data
    fresh: list[tuple[EngineEvent, dict[str, Any] | None]] = []
    diverged: list[Key] = []
    for event in events:
        if not event.science:
            fresh.append((event, None))
            continue
        data = payload_json(event)
        if event.key in known:
            if known[event.key] != data:
                diverged.append(event.key)
        else:
            known[event.key] = data
            fresh.append((event, data))
    return fresh, diverged


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items() if not (isinstance(item, float) and not math.isfinite(item))}
    if isinstance(value, list):
        return [None if isinstance(item, float) and not math.isfinite(item) else _finite(item) for item in value]
    return value
