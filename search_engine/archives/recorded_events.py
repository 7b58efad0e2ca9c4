"""The events of a run out of its file, each checked as it is read: of a form that this version knows, in order, once each, and such that
what is told was born before."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from ..base.errors import BadInput
from ..base.release import __version__
from ..events import EventRecord
from .bounds import USUAL, Bounds

CHUNK = 500
"""Records that are given at once."""
MOST_STEP = 2**53
LONGEST_SOURCE = 40
LATEST = 1e11
"""Seconds since the epoch."""


def read_events(path: Path, name: str, version: str = "", bounds: Bounds = USUAL) -> Iterator[list[EventRecord]]:
    """The records in `path`, a few hundred at a time. `name`: what messages call the file; `version`: of the NAScope that wrote it. Raises
    BadInput naming the first line that is wrong."""
    lines = Lines(name, version, bounds)
    with path.open("rb") as file:
        records = iter(lambda: lines.read(file), None)
        while chunk := list(islice(records, CHUNK)):
            yield chunk
    lines.end()


class Lines:
    """The lines of such a file, read one after the other from its beginning."""

    def __init__(self, name: str, version: str = "", bounds: Bounds = USUAL) -> None:
        self._name, self._version, self._bounds = name, version, bounds
        self._number = 0
        self._order = _Order(name)

    def read(self, file: IO[bytes]) -> EventRecord | None:
        """The next one; None where the file ends. Raises BadInput where it is not what comes there."""
        line = file.readline(self._bounds.event_bytes + 1)
        if not line:
            return None
        self._number += 1
        if self._number > self._bounds.events:
            raise BadInput(self._name, f"it has more than {self._bounds.events:,} events, the most that is read of a run", code="too_large")
        if len(line) > self._bounds.event_bytes:
            raise BadInput(self._name, f"line {self._number:,} has more than {self._bounds.event_bytes:,} bytes", code="too_large")
        if not line.endswith(b"\n"):
            raise BadInput(self._name, f"line {self._number:,} ends in its middle: the file was cut short", code="damaged")
        record = _record(line, self._number, self._name, self._version)
        self._order.look(record, self._number)
        return record

    def end(self) -> None:
        """Raises BadInput where nothing was said at all."""
        if not self._number:
            raise BadInput(self._name, "it is empty: a run says at least that it began", code="damaged")


def _record(line: bytes, number: int, name: str, version: str) -> EventRecord:
    try:
        return EventRecord.model_validate_json(line)
    except ValidationError as first:
        try:
            return EventRecord.model_validate(_with_nan(json.loads(line), first))
        except (ValidationError, ValueError, RecursionError, KeyError, IndexError, TypeError):
            raise _unknown(first, number, name, version) from None


def _with_nan(tree: Any, error: ValidationError) -> Any:
    """Numbers that are not finite are written as null, and fields that hold one are left out: put them back."""
    for wrong in error.errors():
        if wrong["type"] not in ("float_type", "missing"):
            continue
        # The name of the union's member stands in the path behind `data`.
        place = [part for index, part in enumerate(wrong["loc"]) if not (index == 1 and wrong["loc"][0] == "data")]
        target = tree
        for part in place[:-1]:
            target = target[part]
        target[place[-1]] = math.nan
    return tree


def _unknown(error: ValidationError, number: int, name: str, version: str) -> BadInput:
    wrong = error.errors()[0]
    who = f"by NAScope {version}" if version else "by another version of NAScope"
    if wrong["type"] == "json_invalid":
        return BadInput(name, f"line {number:,} is no JSON: the file is damaged, or no record of events", code="damaged")
    if wrong["type"] == "union_tag_invalid":
        kind = str(wrong.get("ctx", {}).get("tag", ""))[:40]
        words = f"line {number:,} is of the kind '{kind}', which this version, {__version__}, does not know"
    else:
        place = ".".join(map(str, wrong["loc"]))
        words = f"line {number:,} is not of the form that this version, {__version__}, writes ({place}: {wrong['msg']})"
    return BadInput(name, f"{words}; it was written {who}: open it with that version", code="other_version")


class _Order:
    """Whether records follow each other as a run says them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = 1
        self._keys: set[int] = set()
        self._born = 0
        self._told: set[int] = set()
        self._finalists: set[int] = set()
        self._models: set[int] = set()

    def look(self, record: EventRecord, line: int) -> None:
        """Raises BadInput where `record`, in that line, cannot come here."""
        if record.seq != self._next:
            self._refuse(line, f"has the number {record.seq:,} where {self._next:,} should come")
        self._next += 1
        data = record.data
        if record.kind != data.kind:
            self._refuse(line, f"calls itself {record.kind[:40]} and holds {data.kind}")
        if not (0 <= record.step <= MOST_STEP and 0 <= record.ordinal < 2**31 and len(record.source) <= LONGEST_SOURCE):
            self._refuse(line, "has a step, an ordinal or a source that no run has")
        if not 0 <= record.time <= LATEST:
            self._refuse(line, "has a time that is none")
        if record.science == (record.kind in ("ops", "assessment")):
            self._refuse(line, "is science and says that it is not, or the reverse")
        if record.science:
            key = hash((record.source, record.step, record.kind, record.ordinal))
            if key in self._keys:
                self._refuse(line, f"says what was said before: {record.kind} {record.ordinal} of {record.source}, step {record.step}")
            self._keys.add(key)
        self._facts(data, line)

    def _facts(self, data: Any, line: int) -> None:
        if data.kind == "candidate_born":
            if data.number != self._born:
                self._refuse(line, f"bears candidate {data.number:,} where {self._born:,} comes next")
            if any(not 0 <= parent < data.number for parent in data.parents):
                self._refuse(line, "names a parent that was not born before")
            self._born += 1
        elif data.kind == "trial_told":
            if not 0 <= data.number < self._born or data.number in self._told:
                self._refuse(line, f"tells trial {data.number:,}, which was not born before, or was told already")
            self._told.add(data.number)
        elif data.kind == "incumbent":
            if data.candidate is not None and not 0 <= data.candidate < self._born:
                self._refuse(line, f"prefers candidate {data.candidate:,}, which was not born before")
        elif data.kind == "finalist":
            if not 0 <= data.index < 10_000:
                self._refuse(line, f"names a finalist {data.index:,}")
            self._finalists.add(data.index)
        elif data.kind == "model":
            if data.index not in self._finalists or data.index in self._models:
                self._refuse(line, f"scores network {data.index:,}, which was not chosen before, or was scored already")
            self._models.add(data.index)

    def _refuse(self, line: int, what: str) -> None:
        raise BadInput(self._name, f"line {line:,} {what}: the file was changed or damaged; export the run again", code="damaged")
