"""Optuna's Gaussian process and tree-structured Parzen estimators behind one function.

Sources: GP with expected improvement as in Optuna's `GPSampler` (Matern 5/2 over Hamming distances with a length per decision, learnt
noise; open trials enter through a q-batch expected improvement over fantasies of their scores). TPE: Bergstra et al., "Algorithms for
Hyper-Parameter Optimization", NeurIPS 2011, in the multivariate and grouped form of Optuna's `TPESampler` (open trials count as bad ones).

A study is rebuilt for every question from the observations that our own history holds: there is no second database, and as every sampler
object is fresh and seeded, nothing of Optuna's needs a checkpoint. Rebuilding takes time proportional to the observations, which
`observations.imputed` bounds.

Inactive decisions are absent from TPE's trials (it groups decisions that occur together). The GP needs a value of every decision: an
inactive one counts as its first choice there.
"""

from __future__ import annotations

import math
import random
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import optuna
import torch
from optuna.distributions import CategoricalDistribution
from optuna.samplers import GPSampler, TPESampler
from optuna.trial import TrialState, create_trial

from search_engine.base.generators import derive_seed
from search_engine.spaces.decisions import Choices, DecisionList

from ..trials.acquisition import expected_improvement
from .observations import Observed
from .proposal import SHOWN, Candidates, Suggestion
from .threads import one_thread

optuna.logging.set_verbosity(optuna.logging.ERROR)

Kind = Literal["gp", "tpe"]
ASKS: dict[Kind, int] = {"gp": 5, "tpe": 20}
"""So often a sampler is asked before a known architecture is accepted as its answer: Optuna proposes points again by design. The GP is
fitted anew for each question, which takes a hundred times as long."""
Lookup = Callable[[Choices], tuple[bool, float | None]]
"""Whether a choice list is an architecture that was proposed before, and its score where it has one already."""


def suggest(
    kind: Kind, decisions: DecisionList, observed: Sequence[Observed], pending: Sequence[Choices], lookup: Lookup, seed: int, draws: int
) -> Suggestion:
    """Where to look next: one choice list, new if the sampler names a new one within its `ASKS` questions, else the last it named.

    A known architecture is told with its known score before the next question. `pending` are open trials; `draws` is how many points TPE
    draws from its good density. The answer follows from the arguments alone.
    """
    # Optuna warns of `group` being experimental at every construction.
    with one_thread(), warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
        study = _TPEStudy(decisions, draws) if kind == "tpe" else _GPStudy(decisions)
        study.add(observed, pending)
        for attempt in range(ASKS[kind]):
            choices = study.ask(derive_seed(seed, attempt))
            known, value = lookup(choices)
            if not known:
                break
            study.add([Observed(choices, value, False)], []) if value is not None else study.add([], [choices])
        else:
            attempt += 1
        return study.suggestion(choices, attempt, derive_seed(seed, "shown"))


class _Study(ABC):
    """A study with its observations, asked by fresh samplers."""

    def __init__(self, decisions: DecisionList) -> None:
        self.decisions = decisions
        self.distributions = {decision.key: CategoricalDistribution(tuple(range(len(decision.choices)))) for decision in decisions}
        self.study = optuna.create_study(direction="maximize")
        self.scores: list[float] = []

    def add(self, observed: Sequence[Observed], pending: Sequence[Choices]) -> None:
        """Tell observations, and which trials are open."""
        for item in observed:
            self.study.add_trial(create_trial(value=item.value, **self._trial(item.choices)))
            self.scores.append(item.value)
        for choices in pending:
            self.study.add_trial(create_trial(state=TrialState.RUNNING, **self._trial(choices)))

    def ask(self, seed: int) -> Choices:
        """The active decisions of the sampler's next point."""
        self.study.sampler = self.sampler(seed % 2**32)
        trial = self.study.ask(fixed_distributions=self.distributions)  # type: ignore[arg-type]
        # What we know of this point is told by `add`; as an open trial of Optuna's it would count as one more point.
        self.study.tell(trial, state=TrialState.FAIL)
        choices: list[int | None] = []
        for place, decision in enumerate(self.decisions):
            choices.append(trial.params[decision.key] if self.decisions.active(place, choices) else None)
        return tuple(choices)

    def _trial(self, choices: Choices) -> dict[str, Any]:
        params = {decision.key: choice for decision, choice in zip(self.decisions, choices, strict=True) if choice is not None}
        return {"params": params, "distributions": {key: self.distributions[key] for key in params}}

    @abstractmethod
    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """A fresh sampler; it is the one that `suggestion` explains."""

    @abstractmethod
    def suggestion(self, choices: Choices, duplicates: int, seed: int) -> Suggestion:
        """The answer, with what the model thinks of it and of others."""


class _RatioTPESampler(TPESampler):
    """Keeps the candidates' log density ratios of the largest group of decisions, for the live picture."""

    ratios: np.ndarray[Any, Any] = np.zeros(0)
    _widest = 0

    def _compute_acquisition_func(self, samples: Any, mpe_below: Any, mpe_above: Any) -> np.ndarray[Any, Any]:
        values: np.ndarray[Any, Any] = super()._compute_acquisition_func(samples, mpe_below, mpe_above)
        if len(samples) > self._widest:
            self._widest, self.ratios = len(samples), values
        return values


class _TPEStudy(_Study):
    def __init__(self, decisions: DecisionList, draws: int) -> None:
        super().__init__(decisions)
        self.draws = draws
        self.latest: _RatioTPESampler

    def sampler(self, seed: int) -> TPESampler:
        self.latest = _RatioTPESampler(
            seed=seed, n_startup_trials=1, n_ei_candidates=self.draws, multivariate=True, group=True, constant_liar=True
        )
        return self.latest

    def suggestion(self, choices: Choices, duplicates: int, seed: int) -> Suggestion:
        ratios = sorted((float(ratio) for ratio in self.latest.ratios), reverse=True)[:SHOWN] or [0.0]
        shown = Candidates(ratios, [0.0] * len(ratios), "log density ratio, good to other architectures", [0])
        return Suggestion([choices], [ratios[0]], shown, duplicates)


class _GPStudy(_Study):
    def __init__(self, decisions: DecisionList) -> None:
        super().__init__(decisions)
        # Optuna's GP orders its inputs by name and leaves out what has a single choice.
        self.columns = sorted((decision.key, place) for place, decision in enumerate(decisions) if len(decision.choices) > 1)
        self.latest: GPSampler

    def sampler(self, seed: int) -> GPSampler:
        self.latest = GPSampler(seed=seed, n_startup_trials=1)
        return self.latest

    def _trial(self, choices: Choices) -> dict[str, Any]:
        return super()._trial(tuple(choice or 0 for choice in choices))

    def suggestion(self, choices: Choices, duplicates: int, seed: int) -> Suggestion:
        """Posterior of the choice, of its neighbours and of random points, in the score's unit; expected improvement of the choice."""
        if not self.columns:  # a space of one architecture: there was nothing to fit
            return Suggestion([choices], [self.scores[-1]], Candidates(), duplicates)
        rng = random.Random(seed)
        shown = [choices]
        while len(shown) < SHOWN:
            places = self.decisions.changeable(choices)
            neighbour = len(shown) % 2 and places
            shown.append(self.decisions.change(choices, rng.choice(places), rng) if neighbour else self.decisions.sample(rng))
        [model] = self.latest._gprs_cache_list or []
        points = torch.tensor([[item[place] or 0 for _, place in self.columns] for item in shown], dtype=torch.float64)
        with torch.no_grad():
            mean, variance = model.posterior(points)
        scores = np.array(self.scores)
        centre, scale = float(scores.mean()), float(scores.std())
        means = [centre + scale * float(value) for value in mean]
        deviations = [scale * math.sqrt(float(value)) for value in variance]
        values = {"expected_improvement": expected_improvement(means[0], deviations[0], max(self.scores))}
        return Suggestion([choices], [means[0]], Candidates(means, deviations, chosen=[0], values=values), duplicates)
