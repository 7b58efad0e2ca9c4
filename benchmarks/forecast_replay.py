"""Recorded runs, played again: what the forecast says at every moment against what came.

A recording (`benchmarks/recordings/*.json`, made by `python -m benchmarks.forecasts record`) holds the CPU seconds of every slice of every
piece of work of one real run, and which step of the coordinator opened it. `play` puts one or several of them on idle workers as
`webapp.jobs.sharing` does: the free worker takes a slice of the run that had least so far. Nothing here reads a clock: equal recordings
give equal figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_engine.catalogue.config import check
from search_engine.search.forecast import Forecast, Known, Left, Piece, Plan, Profile, Situation, forecast, work_left

FOLDER = Path(__file__).with_name("recordings")


@dataclass
class Recording:
    """One real run."""

    name: str
    """Its kind."""
    file: str
    plan: Plan
    steps: list[dict[str, Any]]
    works: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Recording:
        tree = json.loads(path.read_text())
        return cls(tree["name"], path.stem, Plan.of(check(tree["config"])), tree["steps"], tree["works"])

    def profile(self) -> Profile:
        """What a machine on which it ran has learned from it."""
        [played] = play([self], 2)
        return Profile.of(self.plan, played.last)


def recordings(folder: Path = FOLDER) -> list[Recording]:
    return [Recording.read(path) for path in sorted(folder.glob("*.json"))]


@dataclass
class Work:
    """A piece of work while it is played."""

    about: dict[str, Any]
    next: int = 0
    seconds: float = 0.0
    held: bool = False

    @property
    def over(self) -> bool:
        return self.next >= len(self.about["slices"])

    def piece(self, source: str) -> Piece:
        row = self.about["slices"][self.next - 1] if self.next else None
        first = self.about["slices"][0]
        final = self.about["kind"] == "final" and row is not None
        return Piece(
            source, self.over, self.seconds, row[1] if row else 0.0, row[2] if row else None,
            (first[0], first[1]) if row and self.next > 1 else (0.0, 0.0),
            row[3] if final and row else "", row[4] if final and row else {}, self.about["role"] != "baseline",
        )


@dataclass
class Played:
    """A recording on its way, and the situations it went through: (seconds, situation)."""

    recording: Recording
    step: int = 0
    service: float = 0.0
    search_seconds: float = 0.0
    coordinating: bool = False
    works: dict[str, Work] = field(default_factory=dict)
    delivered: set[str] = field(default_factory=set)
    moments: list[tuple[float, Situation]] = field(default_factory=list)
    end: float = 0.0

    @property
    def over(self) -> bool:
        return self.step >= len(self.recording.steps)

    @property
    def last(self) -> Situation:
        return self.moments[-1][1]

    def situation(self) -> Situation:
        told = self.recording.steps[self.step - 1] if self.step else {"trials": 0, "samples": 0.0}
        pieces = [work.piece(source) for source, work in self.works.items()]
        trials = [work for work in self.works.values() if work.about["kind"] == "trial" and work.over]
        samples = told["samples"]
        for work in self.works.values():
            if work.about["kind"] == "phase" and work.next:
                samples = max(samples, work.about["slices"][work.next - 1][-1])
        budget = self.recording.plan.budget
        charged = 0.0 if budget is None else told["trials"] if budget[0] == "trials" else samples
        return Situation(
            [piece for piece in pieces if piece.kind != "trial" or not piece.over], self.search_seconds, charged, samples, len(trials),
            sum(work.seconds for work in trials), any(piece.kind == "final" for piece in pieces), self.over,
        )

    def ready(self) -> str | None:
        """What a worker could do: "run" for the coordinator, else a source; None where all is held."""
        if not self.over and not self.coordinating:
            needs = self.recording.steps[self.step]["needs"]
            if needs is None or (needs in self.works and self.works[needs].over and not self.works[needs].held):
                return "run"
        return next((source for source, work in self.works.items() if not work.over and not work.held), None)


def play(runs: Sequence[Recording], workers: int) -> list[Played]:
    """Start all at once; to the end of the last."""
    played = [Played(recording) for recording in runs]
    busy: list[tuple[float, int, int, str]] = []  # end, order, run, what
    clock, order = 0.0, 0
    for one in played:
        one.moments.append((0.0, one.situation()))
    while any(not one.over for one in played):
        while len(busy) < workers:
            waiting = [(one.service, place) for place, one in enumerate(played) if not one.over and one.ready()]
            if not waiting:
                break
            _, place = min(waiting)
            one = played[place]
            what = one.ready()
            assert what is not None
            if what == "run":
                one.coordinating, seconds = True, one.recording.steps[one.step]["cpu"]
            else:
                one.works[what].held, seconds = True, one.works[what].about["slices"][one.works[what].next][0]
            # Charged when it begins: two free workers do not both take the same run's turn.
            one.service += seconds
            order += 1
            busy.append((clock + seconds, order, place, what))
        clock, _, place, what = ended = min(busy)
        busy.remove(ended)
        one = played[place]
        if what == "run":
            step = one.recording.steps[one.step]
            one.search_seconds, one.coordinating, one.step = one.search_seconds + step["cpu"], False, one.step + 1
            one.works |= {source: Work(one.recording.works[source]) for source in step["opened"]}
        else:
            work = one.works[what]
            work.seconds, work.held = work.seconds + work.about["slices"][work.next][0], False
            work.next += 1
        if one.over:
            one.end = clock
        one.moments.append((clock, one.situation()))
    return played


@dataclass(frozen=True)
class Said:
    """What was said of one run at one moment."""

    at: float
    end: float
    found: Forecast

    @property
    def left(self) -> float:
        return self.end - self.at

    @property
    def error(self) -> float:
        return abs(self.found.seconds - self.left) / self.left


def said(played: Sequence[Played], workers: int, profiles: dict[int, list[Profile]]) -> list[list[Said]]:
    """What the forecast says of each run at each of its moments; `profiles`: what is known of earlier runs, by the run's place."""
    known = [Known(one.recording.plan, profiles.get(place, ())) for place, one in enumerate(played)]
    return [[*_said_of(place, played, known, workers)] for place in range(len(played))]


def _said_of(place: int, played: Sequence[Played], known: Sequence[Known], workers: int) -> Iterator[Said]:
    one = played[place]
    for at, situation in one.moments:
        own = work_left(one.recording.plan, situation, known[place])
        if at < one.end and own is not None:
            others = [left for other, left in enumerate(_lefts(played, known, at)) if other != place]
            yield Said(at, one.end, forecast(own, others, workers))


def _lefts(played: Sequence[Played], known: Sequence[Known], at: float) -> Iterator[list[Left] | None]:
    for one, own in zip(played, known, strict=True):
        situation = next(situation for moment, situation in reversed(one.moments) if moment <= at)
        yield work_left(one.recording.plan, situation, own)
