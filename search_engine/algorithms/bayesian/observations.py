"""What a surrogate learns from: choice lists with their scores, failures imputed, and only so many of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from search_engine.spaces.decisions import Choices


@dataclass(frozen=True)
class Observation:
    """A told trial. `value` is None for a failed one."""

    choices: Choices
    value: float | None

    def to_tree(self) -> list[Any]:
        return [list(self.choices), self.value]

    @classmethod
    def from_tree(cls, tree: list[Any]) -> Observation:
        return cls(tuple(tree[0]), tree[1])


@dataclass(frozen=True)
class Observed:
    """An observation as a surrogate takes it."""

    choices: Choices
    value: float
    imputed: bool
    """The trial failed: the value is the worst one seen, so that its surroundings look bad but not absurdly so."""


def imputed(observations: Collection[Observation], most: int) -> list[Observed]:
    """At most `most` observations in the order told: the best half of them and the most recent others, which bounds what a fit costs
    while it forgets neither what is good nor where the search is now. Empty if no trial has a score."""
    scores = [item.value for item in observations if item.value is not None]
    if not scores:
        return []
    worst = min(scores)
    filled = [Observed(item.choices, worst if item.value is None else item.value, item.value is None) for item in observations]
    if len(filled) <= most:
        return filled
    by_score = sorted(range(len(filled)), key=lambda place: (-filled[place].value, place))
    kept = set(by_score[: most // 2])
    recent = (place for place in reversed(range(len(filled))) if place not in kept)
    kept.update(place for place, _ in zip(recent, range(most - len(kept)), strict=False))
    return [filled[place] for place in sorted(kept)]
