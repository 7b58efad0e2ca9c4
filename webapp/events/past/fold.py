"""A run's past: `add` every event in order, and it holds what a page can go back over without asking again.

    past = Past("val_accuracy")
    for fact in facts:
        past.add(fact)
    later = Past.read(past.written())     # goes on where `past` stood
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from search_engine.events import FRAME_KINDS

from .candidates import Candidates
from .curves import Curves
from .thinning import ThinnedSayings
from .timeline import Timeline

VERSION = 1
"""Raise it with every change of what the same events add up to, or of how that is written down: what was prepared under another version is
thrown away and made anew (tests/webapp/test_past.py holds a digest against it)."""

UNREAD = FRAME_KINDS | {"family", "decisions"}
"""Kinds of which the past needs to know no more than that and when they were said: their data may be left out."""


class Fact(NamedTuple):
    """An event as it is stored."""

    seq: int
    time: float
    science: bool
    source: str
    step: int
    ordinal: int
    kind: str
    data: dict[str, Any] | None
    """None where it was not read."""


ALL = 200
"""Of what a run says a handful of times."""
_LOGGED = frozenset({
    "control", "report", "growth_step", "incumbent", "champion", "phase_started", "notice", "finalist", "model", "search_stopped",
    "run_completed",
})  # fmt: skip
_LIST_OF = {
    "incumbent": "incumbents", "phase_started": "phases", "notice": "notices", "finalist": "finalists", "control": "controls",
    "report": "reports", "growth_step": "growth", "population": "population",
}  # fmt: skip


def _lists() -> dict[str, ThinnedSayings]:
    return {
        "incumbents": ThinnedSayings(newest=100, limit=200, room=100_000),
        "phases": ThinnedSayings(newest=ALL, limit=ALL, room=1_000_000),
        "notices": ThinnedSayings(newest=200, limit=200, room=100_000),
        "finalists": ThinnedSayings(newest=ALL, limit=ALL, room=1_000_000),
        "controls": ThinnedSayings(newest=ALL, limit=ALL, room=1_000_000),
        "reports": ThinnedSayings(newest=ALL, limit=ALL, room=1_000_000),
        "growth": ThinnedSayings(newest=100, limit=500, room=150_000),
        "population": ThinnedSayings(newest=1, limit=250, room=150_000),
        "log": ThinnedSayings(newest=300, limit=0, room=100_000),
    }


class Past:
    """What the events of a run add up to. `metric`: its fitness."""

    def __init__(self, metric: str) -> None:
        self.seq = 0
        """Of the newest event."""
        self.timeline = Timeline()
        self.curves = Curves()
        self.candidates = Candidates(metric)
        self.lists = _lists()
        """{seq, data} of incumbents, phases, notices, finalists, controls, reports, growth and population; records of the log."""
        self._special: dict[str, Callable[[Fact, dict[str, Any]], None]] = {
            "metrics": lambda fact, data: self.curves.add(fact.seq, fact.source, data),
            "candidate_born": lambda fact, data: self.candidates.born(fact.seq, data),
            "trial_told": self._told,
            "derived": self._derived,
            "ops": self._ops,
        }

    def add(self, fact: Fact) -> None:
        """The event after those that were added."""
        self.seq = fact.seq
        self.timeline.add(fact.seq, fact.time, fact.kind)
        data = fact.data
        if data is None:
            return
        special = self._special.get(fact.kind)
        if special is not None:
            special(fact, data)
            return
        name = _LIST_OF.get(fact.kind)
        if name is not None:
            said = {**data, "genome": {}} if fact.kind == "incumbent" else data
            self.lists[name].add({"seq": fact.seq, "data": said})
        if fact.kind in _LOGGED:
            self.lists["log"].add(_record(fact, data))

    def _told(self, fact: Fact, data: dict[str, Any]) -> None:
        self.candidates.told(fact.seq, data)
        if data["status"] == "failed" or data.get("warnings"):
            self.lists["log"].add(_record(fact, data))

    def _derived(self, fact: Fact, data: dict[str, Any]) -> None:
        """At the start of a search the derived architecture changes with nearly every step: of such a row the newest change is told."""
        if not data["changed_edges"]:
            return
        log = self.lists["log"]
        said = log.replace if log.recent and log.recent[-1][1]["kind"] == "derived" else log.add
        said(_record(fact, data))

    def _ops(self, fact: Fact, data: dict[str, Any]) -> None:
        # The science event `run_completed` has said it already.
        if data["what"] != "completed":
            self.lists["log"].add(_record(fact, data))

    def written(self) -> bytes:
        """To go on from, compressed."""
        state = {
            "seq": self.seq, "timeline": self.timeline.state(), "curves": self.curves.state(), "candidates": self.candidates.state(),
            "lists": {name: said.state() for name, said in self.lists.items()},
        }
        return zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 3)

    @classmethod
    def read(cls, written: bytes) -> Self:
        """What `written` gave under the same VERSION. Raises ValueError where it is damaged."""
        try:
            state = json.loads(zlib.decompress(written))
        except zlib.error as error:
            raise ValueError(f"the prepared past is damaged: {error}") from error
        past = cls("")
        past.seq = state["seq"]
        past.timeline.restore(state["timeline"])
        past.curves.restore(state["curves"])
        past.candidates.restore(state["candidates"])
        for name, said in past.lists.items():
            said.restore(state["lists"][name])
        return past


_NOT_TOLD: dict[str, Any] = {"genome": {}, "graph": {}, "charts": []}
"""What no line of a log shows, in the form in which nothing is said there."""


def _record(fact: Fact, data: dict[str, Any]) -> dict[str, Any]:
    """The event's record for the log."""
    told = {**data, **{name: empty for name, empty in _NOT_TOLD.items() if name in data}}
    if fact.kind == "champion":
        told["graph"] = {"nodes": [], "edges": []}
    return {**fact._asdict(), "data": told}
