"""What a forecast is made from: what the config plans, and how far a run is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...algorithms.base import TrialPhase
from ...base.training_config import TrainingConfig
from ...catalogue.config import CheckedRun
from ...catalogue.idle import idle

STAGES = ("finish", "test", "export", "verify", "redundancy")
SETTLED = 0.1
"""From this share of its units on a stage's own pace is believed."""
EXAMPLES = 1000
"""Training examples of a data set that does not say how many it has."""


BUSIEST = 20.0
MOST = 10**300
"""Of trials that a plan is told to have."""

Width = tuple[float, float]
"""By which factors (below and above one) what is expected may be wrong."""
SEEN: Width = (0.85, 1.2)
LEARNED: Width = (0.75, 1.4)
GUESSED: Width = (0.4, 2.5)


@dataclass(frozen=True)
class Plan:
    """What the config alone says about the work: ids for looking up earlier runs, and how much of each stage there will be."""

    key: tuple[str, ...]
    """Algorithm, space, data sets: runs with equal keys take alike per unit."""
    phases: tuple[tuple[bool, bool], ...]
    """Of each phase: whether it asks trials, whether it is a control."""
    instant: bool
    """Trials are answered at once by the coordinator itself, and there is no finale."""
    budget: tuple[str, float] | None
    trial_units: float
    """Examples that one trial trains on, epochs counted."""
    finish_units: float
    finish_epochs: float
    finalists: int
    baselines: int
    """At least; the finale may bring more."""
    exports: bool
    studies: bool
    window: int
    finish_bound: float = math.inf
    """Seconds that the final training of a network may take."""
    seeds: int = 1
    """How many times a finalist is trained, one after the other."""
    ensemble: bool = False
    """Whether all of these together are exported and studied, instead of one."""

    @property
    def search(self) -> str:
        """What the coordinator's own pace is kept under: it is per unit of the budget, per trial where there is none."""
        return f"search {self.budget[0] if self.budget else 'trials'}"

    def trainings(self, finalist: bool) -> int:
        """Of an entrant of the finale."""
        return self.seeds if finalist else 1

    @classmethod
    def of(cls, checked: CheckedRun) -> Plan:
        config, phases = checked.config, checked.phases()
        finale = config.finale
        sizes = [size for name, size in checked.dataset.sizes.items() if "test" not in name]
        examples = checked.dataset_options[0].used(sum(sizes)) or EXAMPLES
        as_is = bool(checked.algorithm.finisher)
        finish_epochs, finish_units = (0.0, 0.0) if as_is else _length(checked.finale_training, examples)
        # A finale that no random architecture stands beside has none to train, whatever the config says.
        nothing = idle(checked.algorithm, checked.space, checked.dataset)
        several = len(config.datasets) if checked.algorithm.domains.one_finalist_each else 1
        return cls(
            key=(checked.algorithm.id, checked.space.id, *config.datasets),
            phases=tuple((isinstance(phase, TrialPhase), phase.control) for phase in phases),
            instant=checked.dataset.provides != "samples",
            budget=None if config.budget is None else (config.budget.kind, config.budget.limit),
            trial_units=_trial_units(checked, examples),
            finish_units=finish_units,
            finish_epochs=finish_epochs,
            finalists=finale.finalists * several,
            baselines=0 if as_is or "finale.baselines" in nothing else finale.baselines,
            exports=finale.export,
            studies=finale.redundancy and several == 1,
            window=getattr(checked.options, "window", 1) or 1,
            finish_bound=finale.seconds or math.inf,
            seeds=finale.seeds,
            ensemble=finale.ensemble,
        )


def _trial_units(checked: CheckedRun, examples: int) -> float:
    """Examples that one trial trains on, on the average: all folds, and the compression before where there is one."""
    fidelity = checked.options.trial_fidelity
    training = TrainingConfig(**checked.config.training.changed(fidelity)) if fidelity else checked.config.training
    units = checked.config.folds * _length(training, examples)[1]
    compressions = checked.options.compressions
    if compressions is None:
        return units
    used = min(examples, training.train_examples or examples)
    batches = math.ceil(used / training.batch_size)
    compressed: float = compressions.share * compressions.how.length(batches) / batches * used
    return units + compressed


def _length(training: TrainingConfig, examples: int) -> tuple[float, float]:
    """Epochs of a training on a set of so many examples, and the examples that it trains on in them."""
    used = min(examples, training.train_examples or examples)
    # A batch has no more examples than there are (search_engine.search.trial_work.declared_cost counts alike).
    epochs = training.steps / math.ceil(used / training.batch_size) if training.steps else float(training.epochs)
    return epochs, epochs * used


@dataclass(frozen=True)
class Piece:
    """A piece of work as far as it is. `first`: seconds and units at its first commit, which building and loading lengthen."""

    source: str
    over: bool = False
    seconds: float = 0.0
    done: float = 0.0
    total: float | None = None
    first: tuple[float, float] = (0.0, 0.0)
    stage: str = ""
    spent: dict[str, float] = field(default_factory=dict)
    finalist: bool = True
    cpu: float = 0.0
    """CPU seconds of its process meanwhile; 0 where nobody looked."""
    trials: int = 1
    """How many are trained together, of a group."""

    @property
    def kind(self) -> str:
        kind = self.source.partition(":")[0]
        return "trial" if kind == "group" else kind

    @property
    def pace(self) -> float | None:
        """Seconds per unit once it is under way; None before: what comes before the first commit is mostly loading."""
        seconds, done = self.seconds - self.first[0], self.done - self.first[1]
        if self.first[0] and done > 0 and seconds > 0:
            return seconds / done
        share = self.done / self.total if self.total else 0.0
        return self.seconds / self.done if share >= SETTLED and self.seconds > 0 else None


@dataclass(frozen=True)
class TrialPlan:
    """What a search by trials knows of itself (`search.coordinator`), and only it: it may hang on the size of the space."""

    told: int
    """Trials so far, repeated ones included."""
    planned: float | None
    """How many a plan of its own ends it after; None where only a budget does."""
    at_once: int
    """How many can be worked on at the same time: its window, or a whole generation."""

    def to_json(self) -> list[Any]:
        return [self.told, self.planned, self.at_once]

    @classmethod
    def of(cls, told: int, planned: int | None, at_once: int) -> TrialPlan:
        """With a plan that a float can hold: a grid may have more points than that."""
        return cls(told, None if planned is None else float(min(planned, MOST)), at_once)

    @property
    def left(self) -> float | None:
        return None if self.planned is None else max(self.planned - self.told, 0.0)

    @property
    def share(self) -> float:
        """Of the plan that is carried out; 0 where there is none."""
        return min(1.0, self.told / self.planned) if self.planned else 0.0


@dataclass(frozen=True)
class Situation:
    """A run at one moment. `search_seconds`: of the coordinator; `charged`: in the budget's own unit, in trials where there is none."""

    pieces: Sequence[Piece] = ()
    search_seconds: float = 0.0
    charged: float = 0.0
    samples: float = 0.0
    trials_over: int = 0
    trials_seconds: float = 0.0
    """Of all trials that are over."""
    finale: bool = False
    """Whether the entrants are chosen: then all of them are among the pieces."""
    over: bool = False
    trials: TrialPlan | None = None
    """Of the trial phase that is under way."""

    def done(self, plan: Plan) -> float:
        """Seconds of work that are done of what `work_left` tells the rest of."""
        return self.search_seconds * plan.instant + self.trials_seconds + sum(piece.seconds for piece in self.pieces)

    @property
    def busy(self) -> float:
        """How many of the clock's seconds a CPU second takes: more than one where the machine has other work. By the pieces that compute in
        their own process and have been at it for a while."""
        seen = [piece for piece in self.pieces if piece.kind in ("phase", "trial") and piece.cpu >= 0.5]
        cpu = sum(piece.cpu for piece in seen)
        return min(BUSIEST, max(1.0, sum(piece.seconds for piece in seen) / cpu)) if cpu else 1.0

    def piece(self, source: str) -> Piece | None:
        return next((piece for piece in self.pieces if piece.source == source), None)


@dataclass(frozen=True)
class Left:
    """Work that is left in one stage: expected seconds of one worker, between `low` and `high`; its longest piece bounds how much of it can
    be done at once."""

    seconds: float
    low: float
    high: float
    longest: float

    @classmethod
    def of(cls, seconds: float, width: Width, longest: float | None = None) -> Left:
        return cls(seconds, seconds * width[0], seconds * width[1], seconds if longest is None else longest)

    @property
    def width(self) -> float:
        """How many workers it can use."""
        return self.seconds / self.longest if self.longest > 0 else 1.0
