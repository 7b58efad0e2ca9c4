"""A run as it stands at one event number, with all of its past that adds up: what a page draws first and can go back over, so that a long
run need not be replayed from its beginning.

The number of queries is fixed and everything is bounded, however long the run. The body is made once for everybody who asks at the same
time, and kept compressed.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet

from webapp.events.keyframes import past_of
from webapp.events.past.fold import VERSION

from .compression import compress
from .moments import latest_events
from .past import past_columns
from .present import run_detail

if TYPE_CHECKING:
    from .present import ReadyRun

FORM = 1
"""Raise it with every change of the body that follows neither from the run nor from its past: what a browser keeps is then asked for
anew."""
MOST_BYTES = 16 * 2**20
"""Of all bodies that are kept in this process."""


@dataclass(frozen=True)
class Prepared:
    """A snapshot, ready to be sent. `tag` names what it says: a run that says something else has another."""

    tag: str
    body: bytes
    """JSON of `shapes.Snapshot`, gzipped."""
    asked: float
    """When the run was read for it (monotonic seconds)."""


def tag_of(run: ReadyRun, detail: str) -> str:
    """By the number of its last event and all that is said of its row: not its revision alone, which does not count what others do (scores
    taken on the same test part, a worker's lease, a full disk)."""
    row = hashlib.blake2b(detail.encode(), digest_size=12).hexdigest()
    return f'W/"{run.counter.last_seq}.{run.revision}.{VERSION}.{FORM}.{row}"'


def make(run: ReadyRun, detail: str) -> bytes:
    """JSON of `shapes.Snapshot`, gzipped. `detail`: JSON of the run's `shapes.RunDetail`.

    The row may be a moment newer than the events, which does no harm: those after `as_of_seq` say the same again.
    """
    past = past_of(run.pk, run.metric, run.counter.last_seq)
    said = {"as_of_seq": past.seq, "events": latest_events(run.pk, past.seq), **past_columns(past)}
    text = f'{{"run":{detail},{json.dumps(said, separators=(",", ":"), allow_nan=False)[1:]}'
    return compress(text.encode())


class Snapshots:
    """The newest snapshot of the runs that were asked for lately. Who asks while one is made waits, and all who wait share the next: it was
    begun after they had asked, so it knows whatever they know."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[UUID, Prepared] = OrderedDict()
        self._making: dict[UUID, tuple[threading.Lock, int]] = {}
        """The lock of each run that somebody asks for now, and how many do."""
        self._guard = threading.Lock()

    def of(self, run_id: UUID, rows: QuerySet[ReadyRun]) -> Prepared | None:
        """The snapshot of one of `rows` (as of `run_rows`), no older than this call; None where it is not among them."""
        asked = time.monotonic()
        with self._guard:
            lock, others = self._making.get(run_id, (threading.Lock(), 0))
            self._making[run_id] = (lock, others + 1)
        try:
            with lock:
                return self._of(run_id, rows, asked)
        finally:
            with self._guard:
                lock, others = self._making.pop(run_id)
                if others > 1:
                    self._making[run_id] = (lock, others - 1)

    def _of(self, run_id: UUID, rows: QuerySet[ReadyRun], asked: float) -> Prepared | None:
        with self._guard:
            known = self._kept.get(run_id)
        if known is not None and known.asked >= asked:
            return known
        asked = time.monotonic()
        run = rows.filter(pk=run_id).first()
        if run is None:
            return None
        detail = run_detail(run).model_dump_json(by_alias=True)
        tag = tag_of(run, detail)
        prepared = Prepared(tag, known.body if known is not None and known.tag == tag else make(run, detail), asked)
        with self._guard:
            self._kept[run_id] = prepared
            self._kept.move_to_end(run_id)
            while sum(len(item.body) for item in self._kept.values()) > self._most_bytes:
                self._kept.popitem(last=False)
        return prepared


snapshots = Snapshots()
