"""What was told so far, counted: the numbers and per-decision pictures that trial-based searches draw beside their own."""

from __future__ import annotations

from typing import Any

from search_engine.base.measures import over_folds_sd
from search_engine.events import MarginalsFrame, Metrics, PlaneFrame, encode_floats
from search_engine.spaces.base import SearchSpace

from ..base import Result


class TrialTally:
    """Counts of told trials and the samples they cost.

    >>> from search_engine.events import Cost
    >>> from search_engine.spaces.genomes import Genome
    >>> tally = TrialTally()
    >>> for number, status in enumerate(("completed", "failed")):
    ...     tally.add(Result(number, Genome("toy", {}), status, {}, Cost(forward_backward=100)))
    >>> said = tally.metrics({"temperature": 0.5})
    >>> said.step, said.samples, said.values
    (2, 200.0, {'temperature': 0.5, 'failed_share': 0.5})
    """

    def __init__(self) -> None:
        self.told = 0
        self.failed = 0
        self.samples = 0.0

    def add(self, result: Result) -> None:
        self.told += 1
        self.failed += not result.ok
        self.samples += result.cost.samples

    def metrics(self, values: dict[str, float]) -> Metrics:
        """`values` at this many told trials, with the share of failures so far."""
        return Metrics(step=self.told, samples=self.samples, values={**values, "failed_share": self.failed / max(self.told, 1)})

    def state_dict(self) -> dict[str, Any]:
        return {"told": self.told, "failed": self.failed, "samples": self.samples}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.told, self.failed, self.samples = state["told"], state["failed"], state["samples"]


class Marginals:
    """Per decision and choice: how often it was tried, and the mean score of those that gave one.

    A failed trial was tried but has no score; it never counts as zero. `TrialSearch.shows_marginals` keeps and says them.
    """

    def __init__(self, space: SearchSpace[Any], metric: str) -> None:
        """`space` offers decisions."""
        self._space = space
        self._metric = metric
        self._starts: list[int] = []
        places = 0
        for decision in space.decisions:
            self._starts.append(places)
            places += len(decision.choices)
        self._tried = [0] * places
        self._scored = [0] * places
        self._sums = [0.0] * places

    def add(self, result: Result) -> None:
        for start, choice in zip(self._starts, self._space.choices_of(result.genome), strict=True):
            if choice is None:
                continue
            self._tried[start + choice] += 1
            if result.ok:
                self._scored[start + choice] += 1
                self._sums[start + choice] += result.metrics[self._metric]

    def frame(self, step: int) -> MarginalsFrame:
        means = [total / count if count else 0.0 for total, count in zip(self._sums, self._scored, strict=True)]
        unscored = [place for place, (tried, count) in enumerate(zip(self._tried, self._scored, strict=True)) if tried and not count]
        return MarginalsFrame(step=step, counts=encode_floats(map(float, self._tried)), means=encode_floats(means), unscored=unscored)

    def state_dict(self) -> dict[str, Any]:
        return {"tried": list(self._tried), "scored": list(self._scored), "sums": list(self._sums)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._tried, self._scored, self._sums = list(state["tried"]), list(state["scored"]), list(state["sums"])


class Plane:
    """Of a space of two decisions that are always active: what was tried at every point, as in figures 1 and 2 of M. Nikulenkov's master's
    thesis (Moscow State University, 2022). `TrialSearch.shows_marginals` keeps and says it, too."""

    @staticmethod
    def fits(space: SearchSpace[Any]) -> bool:
        return len(space.decisions) == 2 and all(decision.when is None for decision in space.decisions)

    def __init__(self, space: SearchSpace[Any], metric: str) -> None:
        self._space = space
        self._metric = metric
        rows, self._columns = (len(decision.choices) for decision in space.decisions)
        places = rows * self._columns
        self._tried = [0] * places
        self._scored = [0] * places
        self._sums = [0.0] * places
        self._deviations: dict[str, float] = {}
        """By place (JSON wants text), where trials are scored by folds: of the point's last trial."""

    def add(self, result: Result) -> None:
        row, column = self._space.choices_of(result.genome)
        assert row is not None and column is not None
        place = row * self._columns + column
        self._tried[place] += 1
        if not result.ok:
            return
        self._scored[place] += 1
        self._sums[place] += result.metrics[self._metric]
        deviation = result.metrics.get(over_folds_sd(self._metric))
        if deviation is not None:
            self._deviations[str(place)] = deviation

    def frame(self, step: int) -> PlaneFrame:
        scored = list(zip(self._sums, self._scored, strict=True))
        unscored = [place for place, (tried, count) in enumerate(zip(self._tried, self._scored, strict=True)) if tried and not count]
        deviations = [self._deviations.get(str(place), 0.0) for place in range(len(self._tried))]
        return PlaneFrame(
            step=step, counts=encode_floats(map(float, self._tried)),
            means=encode_floats([total / count if count else 0.0 for total, count in scored]), unscored=unscored,
            deviations=encode_floats(deviations) if self._deviations else "",
        )

    def state_dict(self) -> dict[str, Any]:
        return {"tried": list(self._tried), "scored": list(self._scored), "sums": list(self._sums), "deviations": dict(self._deviations)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._tried, self._scored, self._sums = list(state["tried"]), list(state["scored"]), list(state["sums"])
        self._deviations = dict(state["deviations"])
