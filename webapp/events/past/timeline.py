"""When things happened, in active seconds, exactly as the page counts them for the events that it sees itself
(frontend/src/stream/timeline.ts; which changes are visible: `take` in frontend/src/stream/store.ts)."""

from __future__ import annotations

from typing import Any, Self

from search_engine.events import FRAME_KINDS

from .thinning import ThinnedRows

LONGEST_GAP = 2.0
"""A longer silence counts as this much."""
SHORTEST_STEP = 1 / 60
"""Two visible changes are at least so far apart."""
VISIBLE = FRAME_KINDS | {"growth_step", "trial_told", "champion", "population"}
"""After an event of these kinds the picture is another one."""
MARKED = frozenset({"incumbent", "champion"})

MOST_MOMENTS = 4_000
MOST_MARKS = 1_000


class Timeline:
    """Thinned: (number, active seconds) of events, numbers of visible ones, numbers of new bests and champions."""

    def __init__(self) -> None:
        self.moments = ThinnedRows(2, MOST_MOMENTS)
        self.ticks = ThinnedRows(1, MOST_MOMENTS)
        self.marks = ThinnedRows(1, MOST_MARKS)
        self.length = 0.0
        """Active seconds up to the newest event."""
        self.time: float | None = None
        """Of the newest event, seconds since the epoch."""

    def add(self, seq: int, time: float, kind: str) -> None:
        gap = 0.0 if self.time is None else min(max(time - self.time, 0.0), LONGEST_GAP)
        self.time = time
        if kind in VISIBLE:
            self.length += max(gap, SHORTEST_STEP)
            self.ticks.add((seq,))
        else:
            self.length += gap
        self.moments.add((seq, self.length))
        if kind in MARKED:
            self.marks.add((seq,))

    def state(self) -> dict[str, Any]:
        return {
            "moments": self.moments.state(), "ticks": self.ticks.state(), "marks": self.marks.state(), "length": self.length,
            "time": self.time,
        }

    def restore(self, state: dict[str, Any]) -> Self:
        for name in ("moments", "ticks", "marks"):
            getattr(self, name).restore(state[name])
        self.length, self.time = state["length"], state["time"]
        return self
