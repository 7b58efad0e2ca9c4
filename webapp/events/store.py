"""The event table: append without holes, once each, and read after a number."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField, CharField, QuerySet, UUIDField
from pydantic import BaseModel

from search_engine.events import Event as EngineEvent
from search_engine.events import EventRecord, Ops
from search_engine.events.sources import in_words

from ..core.bulk import JsonText, insert_rows
from ..core.locks import lock_run
from ..core.models import Event, Job, Run, RunCounter
from ..core.statements import Given, Returning, Select, Update
from . import wake
from .projector import NewEvent, project

Key = tuple[str, int, str, int]

_HELD = Select(
    lambda: Job.objects.filter(
        pk=Given("job", UUIDField()), fence=Given("fence", BigIntegerField()), state=Job.State.LEASED
    ).values_list("fence")
)
_KEYS = Select(
    lambda: Event.objects.filter(
        run_id=Given("run", UUIDField()), science=True, source=Given("source", CharField()),
        step__gte=Given("first", BigIntegerField()), step__lte=Given("last", BigIntegerField()),
    ).values_list("source", "step", "kind", "ordinal")
)


_COUNTS = [field for field in RunCounter._meta.concrete_fields if not field.primary_key]


def _counted() -> tuple[QuerySet[RunCounter], dict[str, Any]]:
    return RunCounter.objects.filter(run_id=Given("run", UUIDField())), {field.name: Given(field.name, field) for field in _COUNTS}


_WRITE = Update(_counted)
_WRITE_AND_NOTIFY = Returning(_counted, lambda: RunCounter.objects.values_list(wake.notification(Given("told", CharField()))))


class StaleFence(Exception):
    """Somebody else holds the job now (or it was cancelled): what this process wanted to write must be thrown away."""


def ops(what: str, message: str, **values: Any) -> EngineEvent:
    """An ops event of the run."""
    return EngineEvent(source="run", step=0, payload=Ops(what=what, message=message, values=values))


def write_counter(counter: RunCounter) -> None:
    """Write the counter row that `lock_run` gave and the caller changed, and wake who reads the run: the last step of a transaction that
    changed anything of it."""
    values = {field.name: getattr(counter, field.attname) for field in _COUNTS}
    if wake.kind() == "notify":
        _WRITE_AND_NOTIFY.rows(run=counter.run_id, told=str(counter.run_id), **values)
    else:
        _WRITE.execute(run=counter.run_id, **values)
        wake.announce(counter.run_id)


def append(counter: RunCounter, events: Sequence[EngineEvent]) -> list[NewEvent]:
    """Number `events`, insert them, project them to rows, raise the counter and write it. Returns those that were new.

    Call inside a transaction, with `counter` from `lock_run`. Science events whose key is already there are dropped; if their
    payload differs, an ops event `diverged` says so and the run is marked as not reproducible.
    """
    rows = add(counter, events)
    if rows:
        write_counter(counter)
    return rows


def add(counter: RunCounter, events: Sequence[EngineEvent], *, repeated: bool = True) -> list[NewEvent]:
    """`append` for a caller that changes the counter further and writes it. `repeated`: whether a lease before may have said some of them
    already; where it may not, the table is not asked (and refuses what should be there nevertheless)."""
    if not events:
        return []
    fresh, diverged = _without_known(counter.run_id, events, repeated)
    if diverged:
        source, step, kind, _ = diverged[0]
        message = f"work that was repeated gave another result at {len(diverged)} place(s), first {in_words(source)}, step {step}, {kind}"
        note = ops("diverged", message, keys=[list(key) for key in diverged[:20]])
        fresh.append((note, *payload_json(note.payload)))
        Run.objects.filter(pk=counter.run_id).update(reproducible=False, reproducible_note=message)
    if not fresh:
        return []
    now = time.time()
    rows = [
        NewEvent(seq, event.source, event.step, event.kind, data) for seq, (event, data, _) in enumerate(fresh, start=counter.last_seq + 1)
    ]
    insert_rows(
        Event,
        ("run_id", "seq", "time", "science", "source", "step", "kind", "ordinal", "data"),
        [
            (counter.run_id, row.seq, now, event.science, row.source, row.step, row.kind, event.ordinal, text)
            for row, (event, _, text) in zip(rows, fresh, strict=True)
        ],
    )
    counter.last_seq += len(rows)
    project(counter, rows)
    return rows


def add_recorded(counter: RunCounter, records: Sequence[EventRecord]) -> None:
    """Insert events of a run that was elsewhere, with the numbers and times that they had there, and project them; the caller writes
    `counter`. They follow what the run has already (`search_engine.archives.recorded_events`). Inside a transaction."""
    texts = [payload_json(record.data) for record in records]
    insert_rows(
        Event,
        ("run_id", "seq", "time", "science", "source", "step", "kind", "ordinal", "data"),
        [
            (counter.run_id, row.seq, row.time, row.science, row.source, row.step, row.kind, row.ordinal, text)
            for row, (_, text) in zip(records, texts, strict=True)
        ],
    )
    counter.last_seq = records[-1].seq
    project(counter, [
        NewEvent(row.seq, row.source, row.step, row.kind, data) for row, (data, _) in zip(records, texts, strict=True)
    ])  # fmt: skip


def append_fenced(job: Job, events: Sequence[EngineEvent], *, repeated: bool = True) -> None:
    """`append` in a transaction of its own, if `job`'s fence still holds. Raises StaleFence."""
    with transaction.atomic():
        counter = lock_for(job)
        if not _HELD.rows(job=job.pk, fence=job.fence):
            raise StaleFence("the lease was lost")
        if add(counter, events, repeated=repeated):
            write_counter(counter)


def lock_for(job: Job) -> RunCounter:
    """Lock the run of a job under lease. Raises StaleFence if the run was deleted. Whether the lease still holds is for the next statement
    to find out: what ends a slice is an UPDATE of the job's row, guarded by its fence."""
    try:
        return lock_run(job.its_run)
    except RunCounter.DoesNotExist:
        raise StaleFence("the run was deleted") from None


def payload_json(payload: BaseModel) -> tuple[dict[str, Any], JsonText]:
    """A payload as JSON that both databases can hold, as a tree and as text: entries that are not finite numbers are left out."""
    data: dict[str, Any] = payload.model_dump(mode="json")
    try:
        return data, JsonText(json.dumps(data, allow_nan=False))
    except ValueError:
        data = _finite(data)
        return data, JsonText(json.dumps(data))


def read_after(run_id: UUID, after: int, limit: int = 500) -> list[dict[str, Any]]:
    """Up to `limit` event records with seq > `after`, in order."""
    return [row.record() for row in Event.objects.filter(run_id=run_id, seq__gt=after).order_by("seq")[:limit]]


def last_seq(run_id: UUID) -> int:
    """The run's last event number; 0 if there is none."""
    return RunCounter.objects.filter(run_id=run_id).values_list("last_seq", flat=True).first() or 0


def _without_known(
    run_id: UUID, events: Sequence[EngineEvent], repeated: bool
) -> tuple[list[tuple[EngineEvent, dict[str, Any], JsonText]], list[Key]]:
    """The events that are not stored yet (with their payload), and the keys whose stored payload differs."""
    known = _stored(run_id, [event for event in events if event.science]) if repeated else {}
    fresh: list[tuple[EngineEvent, dict[str, Any], JsonText]] = []
    diverged: list[Key] = []
    for event in events:
        data, text = payload_json(event.payload)
        if not event.science:
            fresh.append((event, data, text))
        elif event.key not in known:
            known[event.key] = data
            fresh.append((event, data, text))
        elif known[event.key] != data:
            diverged.append(event.key)
    return fresh, diverged


def _stored(run_id: UUID, events: Sequence[EngineEvent]) -> dict[Key, dict[str, Any]]:
    """Payloads of those science events that the table holds. Most batches are new: the keys are looked at first."""
    steps: dict[str, list[int]] = {}
    for event in events:
        steps.setdefault(event.source, []).append(event.step)
    wanted = {event.key for event in events}
    known: dict[Key, dict[str, Any]] = {}
    for source, of_source in steps.items():
        keys = wanted.intersection(_KEYS.rows(run=run_id, source=source, first=min(of_source), last=max(of_source)))
        if keys:
            rows = Event.objects.filter(
                run_id=run_id, science=True, source=source, step__in={key[1] for key in keys}, kind__in={key[2] for key in keys}
            )
            known |= {(row.source, row.step, row.kind, row.ordinal): row.data for row in rows}
    return known


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items() if not (isinstance(item, float) and not math.isfinite(item))}
    if isinstance(value, list):
        return [None if isinstance(item, float) and not math.isfinite(item) else _finite(item) for item in value]
    return value
