"""From seconds of work to seconds of waiting: the workers go round among the runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...base.durations import about
from .parts import SEEN, Left

FOR_EVER = 1e7
"""Seconds of work of a run of which nothing is known."""


@dataclass(frozen=True)
class Forecast:
    """Seconds until the run is over: expected, and between which figures."""

    seconds: float
    low: float
    high: float


def share(done: float, left: float) -> float | None:
    """Of all work, in seconds of it, what is done; None where there is none."""
    return min(1.0, done / (done + left)) if done + left > 0 else None


def forecast(own: Sequence[Left], others: Sequence[Sequence[Left] | None] = (), workers: int = 1) -> Forecast:
    """`others`: the work that is left in the other runs that are not over (None: nobody knows, so they are thought to stay).

    >>> alone = forecast([Left.of(10, SEEN), Left.of(20, SEEN, longest=10)], workers=2)
    >>> alone.seconds, forecast([Left.of(10, SEEN)], [[Left.of(100, SEEN)]], workers=1).seconds
    (20.0, 20.0)
    """
    rest = [[(FOR_EVER, 1.0)] if run is None else [(stage.seconds, stage.width) for stage in run] for run in others]

    def waits(figures: list[tuple[float, float]]) -> float:
        return waiting(figures, rest, workers)

    return Forecast(
        waits([(stage.seconds, stage.width) for stage in own]),
        waits([(stage.low, stage.width) for stage in own]),
        waits([(stage.high, stage.width) for stage in own]),
    )


def waiting(own: list[tuple[float, float]], others: list[list[tuple[float, float]]], workers: int) -> float:
    """Seconds until `own` is over, if the workers are shared evenly among the runs, none getting more than it can use. Stages are
    (seconds of one worker, how many workers they can use)."""
    runs = [list(stages) for stages in (own, *others)]
    clock = 0.0
    while runs[0]:
        active = [place for place, stages in enumerate(runs) if stages]
        rates = _shares([runs[place][0][1] for place in active], max(workers, 1))
        step = min(runs[place][0][0] / rate for place, rate in zip(active, rates, strict=True))
        clock += step
        for place, rate in zip(active, rates, strict=True):
            seconds, width = runs[place][0]
            seconds -= step * rate
            if seconds <= 1e-9:
                runs[place].pop(0)
            else:
                runs[place][0] = (seconds, width)
    return clock


def _shares(widths: list[float], workers: float) -> list[float]:
    """Workers for each run: equal shares, what a run cannot use going to the others."""
    shares = [0.0] * len(widths)
    open_, rest = sorted(range(len(widths)), key=lambda place: widths[place]), float(workers)
    for number, place in enumerate(open_):
        shares[place] = max(min(widths[place], rest / (len(open_) - number)), 1e-6)
        rest -= shares[place]
    return shares


def worth_a_range(found: Forecast) -> bool:
    """Whether one figure would say more than is known."""
    return math.isfinite(found.high) and found.high > 1.6 * max(found.low, 0.1) and found.high - found.low > 10


def stages_json(left: Iterable[Left]) -> list[list[float]]:
    """For other runs' forecasts: [seconds, workers it can use]."""
    return [[round(stage.seconds, 2), round(stage.width, 2)] for stage in left]


def lefts(stages: Any) -> list[Left]:
    """Undo `stages_json`."""
    return [Left.of(float(seconds), SEEN, longest=float(seconds) / max(float(width), 1.0)) for seconds, width in stages or []]


def in_words(found: Forecast) -> str:
    """
    >>> in_words(Forecast(47, 40, 55)), in_words(Forecast(0.3, 0.1, 1)), in_words(Forecast(90, 30, 200))
    ('about 45 s', 'a few seconds', '30 s to 3 min')
    >>> in_words(Forecast(9000, 8000, 9900))
    'about 2.5 h'
    """
    if worth_a_range(found):
        low, high = (about(max(seconds, 1.0)) for seconds in (found.low, found.high))
        if low != high:
            return f"{low} to {high}"
    return "a few seconds" if found.seconds < 5 else f"about {about(found.seconds)}"
