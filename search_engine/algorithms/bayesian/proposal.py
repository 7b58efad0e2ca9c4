"""What a surrogate answers when it is asked where to look next."""

from __future__ import annotations

from dataclasses import dataclass, field

from search_engine.spaces.decisions import Choices

SHOWN = 50
"""At most so many candidates are reported for the live picture."""


@dataclass(frozen=True)
class Candidates:
    """What the surrogate thinks of architectures that it looked at last: mean and standard deviation of the score of each, in the
    score's own unit. The Parzen estimators predict no score: theirs is the logarithm of the density ratio, without a deviation."""

    means: list[float] = field(default_factory=list)
    deviations: list[float] = field(default_factory=list)
    scale: str = "predicted score"
    """What the means are."""
    chosen: list[int] = field(default_factory=list)
    """Places of those that are proposed."""
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Suggestion:
    """Choice lists to try, in order, each with what the surrogate expects of it."""

    choices: list[Choices]
    predicted: list[float]
    candidates: Candidates
    duplicates: int = 0
    """Known architectures that it proposed on the way."""
