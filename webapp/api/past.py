"""A run's past (webapp.events.past) as it is sent: columns that compress well and lose nothing that a page shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from webapp.events.past.candidates import STATUSES
from webapp.events.past.fold import Past


def past_columns(past: Past) -> dict[str, Any]:
    """The fields of `shapes.Snapshot` that the past gives, as plain JSON."""
    lists = {name: said.whole() for name, said in past.lists.items()}
    return {"timeline": _timeline(past), "curves": _curves(past), "candidates": _candidates(past), **lists}


def deltas(numbers: Iterable[int]) -> list[int]:
    """Each less the one before it: `shapes.Deltas`."""
    coded, before = [], 0
    for number in numbers:
        coded.append(number - before)
        before = number
    return coded


def filled(numbers: Iterable[float | None]) -> Iterable[int]:
    """To whole numbers; a missing one as the one before it."""
    last = 0
    for number in numbers:
        if number is not None:
            last = round(number)
        yield last


def _timeline(past: Past) -> dict[str, Any]:
    line = past.timeline
    seqs, at = line.moments.whole()
    return {
        "seqs": deltas(seqs), "at": [round(seconds, 3) for seconds in at], "time": line.time,
        "ticks": deltas(line.ticks.whole()[0]), "marks": deltas(line.marks.whole()[0]),
    }


def _curves(past: Past) -> list[dict[str, Any]]:
    found = []
    for source, tracks in past.curves.sources.items():
        for names, track in tracks.items():
            seqs, steps, samples, *values = track.whole()
            found.append({
                "source": source, "names": list(names), "seqs": deltas(seqs), "steps": deltas(steps), "samples": deltas(filled(samples)),
                "values": [_digits(column) for column in values],
            })  # fmt: skip
    return found


def _digits(values: Sequence[float | None]) -> list[float | None]:
    """To seven significant digits, those of the single precision in which networks compute: it halves what curves weigh."""
    return [None if value is None or not math.isfinite(value) else float(f"{value:.7g}") for value in values]


def _candidates(past: Past) -> dict[str, Any]:
    columns = past.candidates.newest()
    born, told = columns["born"], columns["told"]
    return {
        "number": deltas(columns["number"]),
        "born": deltas(born),
        "told": [result - birth if result else 0 for birth, result in zip(born, told, strict=True)],
        "value": columns["value"],
        "samples": deltas(filled(columns["samples"])),
        "statuses": list(STATUSES),
        "status": columns["status"],
        "operators": past.candidates.operators,
        "operator": columns["operator"],
        "parents": columns["parents"],
        "same_as": columns["same_as"],
        "reused_from": columns["reused_from"],
        "reasons": past.candidates.reasons,
        "warnings": past.candidates.warnings,
    }
