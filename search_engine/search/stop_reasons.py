"""Why a search by trials ended, in words with the figures that they rest on.

Three ends look alike from outside and are different facts: nothing is left to try (exhausted); a row of proposals brought nothing new and
was spread over many architectures (repeated); or it was always the same few (collapsed: a controller that has settled, a population of
relatives). Only the first says something of the space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

REASONS = ("budget", "horizon", "exhausted", "repeated", "collapsed", "settled", "stopped", "ended")
"""Every reason that a run may give (`SearchStopped.reason`)."""
ENDED = "its owner ended the search to have the best of it"
FEW = 10
"""Repeats are of few where the whole row falls on this part (one in so many) of the architectures that were tried."""


@dataclass(frozen=True)
class Tried:
    """What a search by trials has proposed so far."""

    trials: int
    architectures: int
    """Distinct ones, up to isomorphism."""
    repeated: int
    """Trials that took the result of an earlier one."""
    row: int = 0
    """Repeated trials in a row, up to the last one."""
    row_of: int = 0
    """Distinct architectures among those."""

    @property
    def row_reason(self) -> Literal["collapsed", "repeated"]:
        """What a long row of repeats is.

        >>> Tried(1388, 388, 1000, row=1000, row_of=3).row_reason, Tried(7400, 6406, 1000, row=1000, row_of=921).row_reason
        ('collapsed', 'repeated')
        """
        return "collapsed" if self.row_of <= max(1, self.architectures // FEW) else "repeated"


def of_steps(reason: str) -> str:
    """Why a search by steps ended."""
    return {
        "budget": "the budget is used up",
        "horizon": "the planned number of steps is done",
        "settled": "the last round found nothing better",
        "stopped": "a stop rule of the algorithm ended the search early",
        "ended": ENDED,
    }[reason]


def of_trials(reason: str, tried: Tried) -> str:
    """Why a search by trials ended.

    >>> of_trials("exhausted", Tried(6466, 6466, 0))
    'no architecture is left to try: all 6,466 were tried'
    >>> of_trials("collapsed", Tried(1388, 388, 1000, row=1000, row_of=3))
    'the last 1,000 trials repeated 3 of the 388 architectures tried: the search has settled on them; others may be left'
    """
    known = _count(tried.architectures, "architecture")
    if reason == "exhausted":
        return f"no architecture is left to try: all {tried.architectures:,} were tried"
    if reason == "collapsed":
        few = "them" if tried.row_of > 1 else "it"
        return (
            f"the last {tried.row:,} trials repeated {tried.row_of:,} of the {known} tried: the search has settled on {few}; "
            "others may be left"
        )
    if reason == "repeated" and tried.row:
        return f"the last {tried.row:,} trials repeated {tried.row_of:,} of the {known} tried; others may be left"
    if reason == "repeated":
        return f"nothing new was found by drawing after {known}; others may be left"
    if reason == "settled":
        return f"the search has settled by its own rule, after {known} in {tried.trials:,} trials"
    return {"budget": "the budget is used up", "horizon": "the planned number of trials is done", "ended": ENDED}[reason]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
