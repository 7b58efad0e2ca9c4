"""A trial that is scored by k-fold cross-validation: k networks of one genome, each trained on all folds but one and scored on that one.

Source: Stone 1974 and Kohavi 1995 (`datasets.folds`); grid search with it: M. Nikulenkov's master's thesis (Moscow State University,
2022, section 2.1.1). The finale knows nothing of folds: the finalist is trained on the training part and tested once, as ever.
"""

from __future__ import annotations

import statistics
from typing import Any

from ..base.compression import Compression
from ..base.errors import TrialFailure
from ..base.generators import derive_seed
from ..base.measures import of_fold, over_folds_sd
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..datasets.folds import fold_sizes
from ..events import Cost
from .trial_work import TrialWork, declared_cost


def over_folds(own: list[dict[str, float]], metric: str) -> dict[str, float]:
    """A trial's metrics from those of its k >= 2 folds: the mean of each that all have, then `metric` on every fold and its sample
    standard deviation (k - 1). Means are exact sums divided once.

    >>> found = over_folds([{"val_accuracy": 0.5, "epoch": 3}, {"val_accuracy": 0.7, "epoch": 3}], "val_accuracy")
    >>> {name: round(value, 4) for name, value in found.items()}
    {'val_accuracy': 0.6, 'epoch': 3.0, 'val_accuracy_fold_1': 0.5, 'val_accuracy_fold_2': 0.7, 'val_accuracy_sd': 0.1414}
    """
    means = {name: statistics.fmean(each[name] for each in own) for name in own[0] if all(name in each for each in own)}
    values = [each[metric] for each in own]
    return {
        **means, **{of_fold(metric, fold): value for fold, value in enumerate(values)},
        over_folds_sd(metric): statistics.stdev(values),
    }


def declared_trial_cost(training: TrainingConfig, data: SearchData, folds: int, compress: Compression | None = None) -> Cost:
    """What a trial will use on `data` (`trial_work.declared_cost`); on `folds` > 1 folds of what it divides in two, k whole trainings
    (of networks that nothing compresses: the check refuses both together)."""
    if folds == 1:
        return declared_cost(training, len(data.train), len(data.validation), compress)
    # Of an enlarged training part the copies are made anew for every fold.
    originals = len(set(data.train.indices.tolist()))
    copies, examples = len(data.train) // originals, originals + len(data.validation)
    total = Cost()
    for size in fold_sizes(examples, folds):
        total = total.plus(declared_cost(training, copies * (examples - size), size))
    return total


class FoldWork(TrialWork):
    """Arguments as of `TrialWork`, without `inherit` and `keep` (the check refuses folds there). One fold after the other; each network has
    a seed of its own, from the trial's and the fold's number. A fold that fails ends the trial with that reason."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.folds: int = self.resources.checked.config.folds
        self.own: list[dict[str, float]] = []
        """Metrics of the folds that are done."""
        self.earlier = Cost()
        """What these took."""
        self.units = (0, 0)
        """Steps and epochs of these."""

    @property
    def fold(self) -> int:
        """The one that is under way, from 0."""
        return len(self.own)

    @property
    def data(self) -> SearchData:
        return self.resources.fold_data(self.folds, self.fold)

    @property
    def network_seed(self) -> int:
        return derive_seed(self.seed, "fold", self.fold)

    def _advance(self) -> None:
        try:
            super()._advance()
        except TrialFailure as failure:
            raise TrialFailure(f"fold {self.fold + 1} of {self.folds}: {failure.reason}", machine=failure.machine) from failure
        if not super()._done():
            return
        self.earlier = self.earlier.plus(super().cost)
        self.units = (self.units[0] + self.trainer.steps_done, self.units[1] + self.trainer.epochs_done)
        self.own.append(self.trainer.metrics())
        if self.fold < self.folds:
            self.initialised = not self.resources.checked.space.initialiser
            self._initial_cost = Cost()
            self.trainer = self._trainer_of(self.genome)

    def _epoch(self, epoch: int) -> int:
        return self.units[1] + epoch

    def _done(self) -> bool:
        return self.fold == self.folds

    @property
    def cost(self) -> Cost:
        return self.earlier if self.fold == self.folds else self.earlier.plus(super().cost)

    def metrics(self) -> dict[str, float]:
        return over_folds(self.own, self.resources.checked.metric)

    def progress(self) -> Any:
        found = super().progress()
        if found.total is None:
            return found
        done, total = self.units[0] + (0 if self._done() else found.done), self.units[0] + found.total * max(self.folds - self.fold, 0)
        return type(found)(done, total, f"fold {min(self.fold + 1, self.folds)} of {self.folds}, {found.text}")

    def _state(self) -> dict[str, Any]:
        own = [dict(each) for each in self.own]
        return {**super()._state(), "own": own, "earlier": self.earlier.model_dump(), "units": list(self.units)}

    def _load(self, state: dict[str, Any]) -> None:
        self.own = [dict(each) for each in state["own"]]
        self.earlier = Cost.model_validate(state["earlier"])
        self.units = (int(state["units"][0]), int(state["units"][1]))
        if 0 < self.fold < self.folds:
            # `_begin` has made the first fold's: the one under way has other data and another seed.
            self.trainer = self._trainer_of(self.genome)
        super()._load(state)
