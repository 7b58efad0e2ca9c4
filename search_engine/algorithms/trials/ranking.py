"""The best genomes of a trial-based search, bounded: what `best()` hands to the finale."""

from __future__ import annotations

from typing import Any

from search_engine.spaces.genomes import Genome

from ..base import Finalist, Result

KEPT = 10
"""The finale takes at most this many finalists."""


class Ranking:
    """The `KEPT` best distinct genomes by validation fitness; the earlier one wins a tie.

    >>> from search_engine.events import Cost
    >>> ranking = Ranking("score")
    >>> for number, score in enumerate((0.5, 0.7, 0.7)):
    ...     genome = Genome("toy", {"name": number})
    ...     ranking.add(Result(number, genome, "completed", {"score": score}, Cost()), hash_=str(number))
    >>> [(finalist.candidate, finalist.value) for finalist in ranking.finalists()]
    [(1, 0.7), (2, 0.7), (0, 0.5)]
    """

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._entries: list[tuple[float, int, Genome, str]] = []

    def add(self, result: Result, hash_: str) -> None:
        """Take a completed result into account; failed ones never rank. `hash_`: of its genome, also where a compressed one was scored."""
        if not result.ok or any(entry[3] == hash_ for entry in self._entries):
            return
        self._entries.append((result.metrics[self._metric], result.number, result.scored, hash_))
        self._entries.sort(key=lambda entry: (-entry[0], entry[1]))
        del self._entries[KEPT:]

    def finalists(self) -> list[Finalist]:
        return [Finalist(genome=genome, value=value, candidate=number) for value, number, genome, _ in self._entries]

    def state_dict(self) -> list[Any]:
        return [[value, number, genome.to_json(), hash_] for value, number, genome, hash_ in self._entries]

    def load_state_dict(self, state: list[Any]) -> None:
        self._entries = [(value, number, Genome.from_json(genome), hash_) for value, number, genome, hash_ in state]
