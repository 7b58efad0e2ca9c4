"""A search's science as a few digests, and where another search's differs from them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.production.searches import Science

DIGITS = 4
"""Hexadecimal digits that are kept of each event. They only find a difference; that there is one, the whole digests say."""

Digest = dict[str, Any]
"""science: SHA-256 of all; kinds: for each kind of event its SHA-256, the number of events, and DIGITS for each."""


def digest(science: Science) -> Digest:
    """Of science as `science_of` sorts it."""
    kinds: dict[str, Science] = {}
    for row in sorted(science, key=_place):
        kinds.setdefault(row[2], []).append(row)
    return {
        "science": _sha256(science),
        "kinds": {
            kind: {"events": len(rows), "sha256": _sha256(rows), "each": "".join(_digits(row) for row in rows)}
            for kind, rows in sorted(kinds.items())
        },
    }


def differences(found: Science, expected: Digest) -> list[str]:
    """A line for each kind of event that differs, with the first such event; the earliest first. Empty = equal bits."""
    now = digest(found)
    if now["science"] == expected["science"]:
        return []
    lines: list[tuple[tuple[Any, ...], str]] = []
    for kind in now["kinds"].keys() | expected["kinds"].keys():
        rows = sorted((row for row in found if row[2] == kind), key=_place)
        before = expected["kinds"].get(kind, {"events": 0, "sha256": "", "each": ""})
        if now["kinds"].get(kind, {}).get("sha256") == before["sha256"]:
            continue
        number = f"{before['events']} events" if len(rows) == before["events"] else f"{before['events']} events before, {len(rows)} now"
        stored = [before["each"][start : start + DIGITS] for start in range(0, len(before["each"]), DIGITS)]
        first = next((row for row, digits in zip(rows, stored, strict=False) if _digits(row) != digits), None)
        if first is None and len(rows) > len(stored):
            first = rows[len(stored)]
        if first is None:
            lines.append(((True,), f"{kind} ({number}): the last are absent"))
        else:
            lines.append((_place(first), f"{kind} ({number}): first {first[0]}, step {first[1]}, ordinal {first[3]}: {first[4][:200]}"))
    return [line for _, line in sorted(lines)]


def first_rows(found: Science, expected: Science, number: int = 3) -> tuple[Science, Science]:
    """The first events that stand in one of the two only: (other ones, absent ones)."""
    here, there = set(found), set(expected)
    return sorted(here - there, key=_place)[:number], sorted(there - here, key=_place)[:number]


def _place(row: tuple[str, int, str, int, str]) -> tuple[Any, ...]:
    """In the order in which a run says it, as far as the key tells: the finale last, trial 2 before trial 10."""
    source, step, kind, ordinal, _ = row
    return (source.startswith("final"), step, len(source), source, kind, ordinal)


def _digits(row: tuple[Any, ...]) -> str:
    return _sha256(row)[:DIGITS]


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
