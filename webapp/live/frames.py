"""What the server says over a run's WebSocket, and which pictures of a moment it leaves out.

A frame of events stands for a range of numbers: `from_seq` is the one after the last range, `to_seq` its end. Inside a range only
events of `FRAME_KINDS` may be missing (pictures that are already out of date); everything else is there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from search_engine.events import FRAME_KINDS, EventRecord
from webapp.api.shapes import Run

Record = dict[str, Any]
"""An `EventRecord` as JSON."""

PROTOCOL = 1
STRUCTURE_SPACING = 0.1
"""Seconds between two structure frames to one client, at least."""


class Hello(BaseModel):
    """The first frame."""

    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL
    last_seq: int
    run: Run


class Events(BaseModel):
    """Events of the range from_seq..to_seq, in order."""

    type: Literal["events"] = "events"
    from_seq: int
    to_seq: int
    events: list[EventRecord]


class RunChanged(BaseModel):
    """The run's row changed: state, progress, counters, worker."""

    type: Literal["run"] = "run"
    run: Run


class Ping(BaseModel):
    """Nothing happened for a while; the connection lives."""

    type: Literal["ping"] = "ping"


class Cut(NamedTuple):
    """What is sent now and what is held back. `to_seq` ends the range; `structure` says whether it holds a structure frame."""

    records: list[Record]
    to_seq: int
    structure: bool
    held: list[Record]


def thin(records: Sequence[Record], due: bool) -> Cut | None:
    """Cut event records (consecutive, in order) into what is sent now; None if nothing can be.

    Of several frames of one kind only the last matters. If frames are due they are sent and the range is whole. If not, the range ends
    before the first of them that matters: the rest is held back until it is due, or until newer ones make it superfluous.
    """
    latest = _latest_frames(records)
    last = min(latest, default=None)
    if last is None:
        return Cut(list(records), records[-1]["seq"], False, []) if records else None
    if due:
        kept = [record for index, record in enumerate(records) if record["kind"] not in FRAME_KINDS or index in latest]
        return Cut(kept, records[-1]["seq"], True, [])
    if last == 0:
        return None
    kept = [record for record in records[:last] if record["kind"] not in FRAME_KINDS]
    return Cut(kept, records[last - 1]["seq"], False, list(records[last:]))


def _latest_frames(records: Sequence[Record]) -> set[int]:
    """Places of the last frame of each picture: a kind, the phase that says it, and for a policy whose data set's it is."""
    frames = [(index, record) for index, record in enumerate(records) if record["kind"] in FRAME_KINDS]
    pictures = {(record["kind"], record["source"], record["data"].get("domain")): index for index, record in frames}
    return set(pictures.values())


def events_text(from_seq: int, cut: Cut) -> str:
    """The JSON of an `Events` frame. The records were validated when they were written; they are not built as models again."""
    frame = {"type": "events", "from_seq": from_seq, "to_seq": cut.to_seq, "events": cut.records}
    return json.dumps(frame, separators=(",", ":"), allow_nan=False)
