"""What earlier runs of this machine teach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from .parts import GUESSED, LEARNED, STAGES, Plan, Situation, Width


@dataclass(frozen=True)
class Profile:
    """What a finished run teaches."""

    key: tuple[str, ...]
    paces: dict[str, float]
    """Seconds per unit of each phase; per example of a trial ("trial"); per charged unit where the coordinator answers
    (`Plan.search`)."""
    phases: dict[str, float]
    """Seconds of each phase as a share of those of the first."""
    finish: dict[bool, float]
    """Seconds per example of the final training, of finalists and of baselines; seconds where the algorithm finishes itself."""
    stages: dict[str, float]
    """Seconds of the finalist's later stages."""
    baselines: int

    @classmethod
    def of(cls, plan: Plan, last: Situation) -> Profile:
        paces: dict[str, float] = {}
        phases: dict[str, float] = {}
        finish: dict[bool, list[float]] = {}
        stages: dict[str, list[float]] = {}
        if plan.instant and last.charged:
            paces[plan.search] = last.search_seconds / last.charged
        if last.trials_over:
            paces["trial"] = last.trials_seconds / last.trials_over / max(plan.trial_units, 1.0)
        first = last.piece("phase:0")
        for piece in last.pieces:
            if piece.kind == "phase":
                if piece.pace is not None:
                    paces[piece.source] = piece.pace
                if first is not None and first.seconds > 0:
                    phases[piece.source] = piece.seconds / first.seconds
            elif piece.kind == "final":
                finish.setdefault(piece.finalist, []).append(piece.spent.get("finish", 0.0) / _units(plan, piece.finalist))
                for stage in STAGES[1:]:
                    if piece.finalist and stage in piece.spent:
                        stages.setdefault(stage, []).append(piece.spent[stage])
        return cls(
            plan.key, paces, phases, {role: median(values) for role, values in finish.items()},
            {stage: median(values) for stage, values in stages.items()},
            sum(piece.kind == "final" and not piece.finalist for piece in last.pieces),
        )


def _units(plan: Plan, finalist: bool) -> float:
    """Examples of an entrant's final training, or 1 where the algorithm finishes itself."""
    return max(plan.finish_units * plan.trainings(finalist), 1.0)


class Known:
    """Earlier runs of this machine: of a run's own kind, and of all."""

    def __init__(self, plan: Plan, profiles: Iterable[Profile] = ()) -> None:
        self.any = list(profiles)
        self.own = [profile for profile in self.any if profile.key == plan.key]

    def of_own(self, values: Iterable[float | None]) -> float | None:
        found = [value for value in values if value is not None]
        return median(found) if found else None

    def pace(self, source: str) -> float | None:
        return self.of_own(profile.paces.get(source) for profile in self.own)

    def phase(self, source: str) -> float | None:
        return self.of_own(profile.phases.get(source) for profile in self.own)

    def finish(self, finalist: bool) -> float | None:
        return self.of_own(profile.finish.get(finalist) for profile in self.own)

    def stage(self, name: str) -> tuple[float, Width] | None:
        """Of its own kind, or else of any."""
        for profiles, width in ((self.own, LEARNED), (self.any, GUESSED)):
            found = self.of_own(profile.stages.get(name) for profile in profiles)
            if found is not None:
                return found, width
        return None

    @property
    def baselines(self) -> int | None:
        return max((profile.baselines for profile in self.own), default=None)
