"""AddDel as a rule over sets, whatever their units are.

    Add: S := S + the unit whose addition gives the smallest Q, until S has d units more than the best set of the stage.
    Del: goes on from that overshot set, S := S - the unit whose removal gives the smallest Q, until S has d units fewer than the best.
    Then S := S*, the best set so far, and the next cycle starts; the search ends after a cycle without an improvement.

The overshoot is the point: a unit that stands for two others is only worth removing once both are there, and they come after it. Starting
Del from the best set instead, or stopping at the first step that does not help, keeps such a unit.

(M. Popova, V. Strijov, "Building deep learning networks for time series classification", Systems and Means of Informatics 25(3), 2015, and
"Selection of optimal physical activity classification model", Informatics and Applications 9(1), 2015.)
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

Stage = Literal["add", "del", "done"]
Units = tuple[int, ...]
GAIN = 1e-9
"""What Q must fall by to count as an improvement: more than rounding."""


class Decision(NamedTuple):
    """What a move did: `improved` = a new best of the whole search; `beyond` = units past the best set of the stage; `ended` = stage or
    cycle that is over with it."""

    improved: bool
    beyond: int
    ended: bool


class AddDelRule:
    """Knows sets and their Q (lower is better), not where Q comes from. Call `start` once, then `candidates` and `take` in turn."""

    stages: ClassVar[tuple[Stage, ...]] = ("add", "del")
    """Those of a cycle, in order."""

    def __init__(self, units: int, overshoot: int, cycles: int) -> None:
        self.units, self.overshoot, self.cycles = units, overshoot, cycles
        self.active: Units = ()
        self.q = 0.0
        self.best: Units = ()
        self.best_q = 0.0
        self.stage: Stage = self.stages[0]
        self.cycle = 1
        self.stage_best_q = 0.0
        self.stage_best_size = 0
        self.cycle_q = 0.0
        """The best Q when the cycle began."""

    def start(self, active: Units, q: float) -> None:
        self.active, self.q, self.best, self.best_q = active, q, active, q
        self.cycle_q = q
        self._enter(self.stages[0])
        self._skip_empty()

    def candidates(self) -> list[int]:
        """Units that the stage may move; empty once the search is done."""
        if self.stage == "add":
            return [unit for unit in range(self.units) if unit not in self.active]
        return list(self.active) if self.stage == "del" else []

    def moved(self, unit: int) -> Units:
        """The set with that unit added or removed, in order."""
        if self.stage == "add":
            return tuple(sorted((*self.active, unit)))
        return tuple(other for other in self.active if other != unit)

    def take(self, unit: int, q: float) -> Decision:
        """Make the move, whose set is worth `q`."""
        self.active, self.q = self.moved(unit), q
        if q < self.stage_best_q - GAIN:
            self.stage_best_q, self.stage_best_size = q, len(self.active)
        improved = q < self.best_q - GAIN
        if improved:
            self.best, self.best_q = self.active, q
        beyond = abs(len(self.active) - self.stage_best_size)
        ended = beyond >= self.overshoot or not self.candidates()
        if ended:
            self._end_stage()
        return Decision(improved, beyond, ended)

    def _enter(self, stage: Stage) -> None:
        """A stage begins where the one before left the set."""
        self.stage, self.stage_best_q, self.stage_best_size = stage, self.q, len(self.active)

    def _end_stage(self) -> None:
        place = self.stages.index(self.stage)
        if place + 1 < len(self.stages):
            self._next_stage(self.stages[place + 1])
        else:
            self._end_cycle()
        self._skip_empty()

    def _next_stage(self, stage: Stage) -> None:
        self._enter(stage)

    @property
    def settled(self) -> bool:
        """Whether this cycle found nothing better than the one before."""
        return self.best_q >= self.cycle_q - GAIN

    def _end_cycle(self) -> None:
        self.active, self.q = self.best, self.best_q
        if self.settled or self.cycle >= self.cycles:
            self.stage = "done"
            return
        self.cycle += 1
        self.cycle_q = self.best_q
        self._enter(self.stages[0])

    def _skip_empty(self) -> None:
        """A stage without a move (everything is active, or nothing) is over at once."""
        if self.stage != "done" and not self.candidates():
            self._end_stage()

    @property
    def done(self) -> bool:
        return self.stage == "done"

    def state_dict(self) -> dict[str, Any]:
        return {**vars(self), "active": list(self.active), "best": list(self.best)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.active, self.best = tuple(state["active"]), tuple(state["best"])


class AddRule(AddDelRule):
    """Addition alone, with the same overshoot: one stage, then the best set."""

    stages = ("add",)

    def __init__(self, units: int, overshoot: int) -> None:
        super().__init__(units, overshoot, 1)


class DelRule(AddDelRule):
    """Removal alone."""

    stages = ("del",)

    def __init__(self, units: int, overshoot: int) -> None:
        super().__init__(units, overshoot, 1)
