"""The quantities of published tables from finished runs, with intervals over pairs of equal seeds.

The protocol is that of M. Nikulenkov's master's thesis (Moscow State University, 2022, section 6.1): the last generations of all runs of a
group are pooled, and accuracy is the mean over that pool; time is the mean over the runs; a speed-up is a ratio of mean times, a
degradation a difference of mean accuracies. The thesis gives no intervals: these are ours, from runs of both groups that had one seed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..base.lazy import lazy_module
from .published import combined

special: Any = lazy_module("scipy.special")

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Observed:
    """What is taken from one finished run."""

    seed: int
    minutes: float
    """Device time of the search, summed over workers."""
    accuracies: tuple[float, ...]
    """In percent, of the networks of the last generation that gave a result."""
    failed: int = 0
    """Networks of the last generation that gave none."""


def last_generation(values: Sequence[float | None], size: int) -> tuple[tuple[float, ...], int]:
    """(values of the last `size` trials that have one, how many have none). `values` in the order of birth.

    >>> last_generation([0.1, 0.2, 0.3, None, 0.5], 3)
    ((0.3, 0.5), 1)
    """
    last = values[-size:] if size > 0 else []
    own = tuple(value for value in last if value is not None)
    return own, len(last) - len(own)


@dataclass(frozen=True)
class Estimate:
    """A quantity from n runs (or n pairs of runs)."""

    value: float
    runs: int
    low: float | None = None
    """Of the 95 % interval by Student's t; None below two runs or pairs."""
    high: float | None = None
    pairs: int = 0
    """Pairs of equal seeds that the interval is of; 0 where it is of single runs."""


Measure = Literal["minutes", "last_generation_accuracy"]


def of_run(run: Observed, measure: Measure) -> float | None:
    """The quantity of one run; None where it has none (a generation all of which failed)."""
    if measure == "minutes":
        return run.minutes
    return statistics.fmean(run.accuracies) if run.accuracies else None


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    half = float(special.stdtrit(len(values) - 1, 0.5 + CONFIDENCE / 2)) * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return mean - half, mean + half


def measured(runs: Sequence[Observed], measure: Measure) -> Estimate | None:
    """The quantity of one group: the mean over runs, or over the pool of their last generations. None without runs.

    >>> pool = [Observed(0, 2.0, (90.0, 92.0)), Observed(1, 4.0, (97.0,))]
    >>> measured(pool, "minutes").value, measured(pool, "last_generation_accuracy").value
    (3.0, 93.0)
    """
    own = [value for run in runs if (value := of_run(run, measure)) is not None]
    if not own:
        return None
    value = statistics.fmean(own) if measure == "minutes" else statistics.fmean([one for run in runs for one in run.accuracies])
    low, high = _interval(own) or (None, None)
    return Estimate(value, len(own), low, high)


def compared(
    formula: Literal["ratio", "difference"], first: Sequence[Observed], second: Sequence[Observed], measure: Measure
) -> Estimate | None:
    """One group against another, as the source computes it; the interval is over pairs of equal seeds. Of a ratio it is taken of
    logarithms, so that it stays above 0. None where a group has no runs.

    >>> plain, faster = [Observed(seed, 4.0, (90.0,)) for seed in (0, 1)], [Observed(seed, 2.0, (89.0,)) for seed in (0, 1)]
    >>> found = compared("ratio", plain, faster, "minutes")
    >>> (found.value, found.low, found.high, found.pairs)
    (2.0, 2.0, 2.0, 2)
    """
    whole, other = measured(first, measure), measured(second, measure)
    if whole is None or other is None or (formula == "ratio" and other.value <= 0):
        return None
    by_seed: Mapping[int, float | None] = {run.seed: of_run(run, measure) for run in second}
    pairs = [(one, two) for run in first if (one := of_run(run, measure)) is not None and (two := by_seed.get(run.seed)) is not None]
    if formula == "ratio":
        logs = _interval([math.log(one / two) for one, two in pairs if one > 0 and two > 0])
        bounds = None if logs is None else (math.exp(logs[0]), math.exp(logs[1]))
    else:
        bounds = _interval([one - two for one, two in pairs])
    low, high = bounds or (None, None)
    value = combined(formula, whole.value, other.value)
    return Estimate(value, min(whole.runs, other.runs), low, high, len(pairs))

