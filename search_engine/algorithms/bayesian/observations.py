"""What a surrogate learns from: choice lists with their scores, failures imputed, and only so many of them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from search_engine.base.growing import Identity, Records
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


class Observations(Records[Observation]):
    """All told trials in order, of which a fit takes at most `most`: the best half of them and the most recent others, which bounds what a
    fit costs while it forgets neither what is good nor where the search is now. Which those are is known without looking at all.

    >>> observations = Observations(most=4)
    >>> observations.extend(Observation((place,), value) for place, value in enumerate((0.9, 0.1, 0.8, None, 0.2, 0.3)))
    >>> [(item.choices, item.value, item.imputed) for item in observations.imputed()]
    [((0,), 0.9, False), ((2,), 0.8, False), ((4,), 0.2, False), ((5,), 0.3, False)]
    """

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(Observation.to_tree, Observation.from_tree)

    def _begin(self, first: int, identity: Identity) -> None:
        super()._begin(first, identity)
        self.failures = 0
        self._worst: float | None = None
        self._best: list[tuple[float, int]] = []
        """(-value, place) of the best half of `most`; the earlier one wins a tie."""
        self._failed: list[int] = []
        """Places of the first failures: where they tie with the worst, the earlier one wins as well."""

    def _entered(self, item: Observation) -> None:
        place, half = len(self) - 1, self.most // 2
        if item.value is None:
            self.failures += 1
            if len(self._failed) < half:
                self._failed.append(place)
        else:
            self._worst = item.value if self._worst is None else min(self._worst, item.value)
            insort(self._best, (-item.value, place))
            del self._best[half:]

    def imputed(self) -> list[Observed]:
        """What a fit takes, in the order told; empty if no trial has a score."""
        worst = self._worst
        if worst is None:
            return []
        places: Iterable[int] = range(len(self))
        if len(self) > self.most:
            kept = self._best_places(worst)
            recent = (place for place in reversed(range(len(self))) if place not in kept)
            kept.update(list(islice(recent, self.most - len(kept))))
            places = sorted(kept)
        items = [self[place] for place in places]
        return [Observed(item.choices, worst if item.value is None else item.value, item.value is None) for item in items]

    def _best_places(self, worst: float) -> set[int]:
        """Those of the best half of `most`, a failure counting as the worst score."""
        better = [place for negative, place in self._best if -negative > worst]
        equal = sorted([place for negative, place in self._best if -negative == worst] + self._failed)
        return set((better + equal)[: self.most // 2])
