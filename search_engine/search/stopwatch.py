"""What each part of a run in this process took so far: what its forecast is made from, and what its result says it cost. Never science."""

from __future__ import annotations

from typing import Any

from .final_work import FinalWork
from .forecast import Piece, Situation, TrialPlan
from .work import Work


class Stopwatch:
    """Told of every step of the coordinator and of every slice."""

    def __init__(self) -> None:
        self.search_seconds = 0.0
        """Of the coordinator, which itself answers the trials of a table or a formula."""
        self.trials_over = 0
        self.trials_seconds = 0.0
        self._pieces: dict[str, Piece] = {}

    def step(self, seconds: float) -> None:
        self.search_seconds += seconds

    def slice(self, work: Work, cpu: float) -> None:
        """After a slice of `work`, its last one too, that used so many CPU seconds of this process."""
        source, now = work.spec.source, work.progress()
        trials = len(work.spec.arguments.get("members", ())) or 1
        if work.finished and work.spec.kind == "trial":
            self._pieces.pop(source, None)
            self.trials_over += trials
            self.trials_seconds += work.seconds
            return
        before = self._pieces.get(source)
        self._pieces[source] = Piece(
            source, work.finished, work.seconds, now.done, now.total, before.first if before else (work.seconds, now.done),
            work.stage if isinstance(work, FinalWork) else "", dict(work.spent) if isinstance(work, FinalWork) else {},
            work.spec.arguments.get("role") != "baseline", (before.cpu if before else 0.0) + cpu, trials,
        )

    def situation(self, waiting: list[str], charged: float, samples: float, over: bool, trials: TrialPlan | None = None) -> Situation:
        """`waiting`: sources of the work that is open, begun or not."""
        pieces = {source: Piece(source) for source in waiting} | self._pieces
        return Situation(
            list(pieces.values()), self.search_seconds, charged, samples, self.trials_over, self.trials_seconds,
            any(piece.kind == "final" for piece in pieces.values()), over, trials,
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "search": self.search_seconds, "trials": [self.trials_over, self.trials_seconds],
            "pieces": [list(vars(piece).values()) for piece in self._pieces.values()],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.search_seconds = state["search"]
        self.trials_over, self.trials_seconds = state["trials"]
        pieces = [Piece(source, over, seconds, done, total, (first[0], first[1]), *rest)
                  for source, over, seconds, done, total, first, *rest in state["pieces"]]
        self._pieces = {piece.source: piece for piece in pieces}
