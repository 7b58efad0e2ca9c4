"""The genome that a search would end with now, said where it is another one than before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..events import DerivedGenome
from ..spaces.base import SearchSpace
from ..spaces.genomes import Genome
from .base import Context

Changes = Callable[[Genome, Genome | None], int]
"""How many parts of the first genome are not those of the second, which was said before it (None: none was)."""


def derived_genome(space: SearchSpace[Any], genome: Genome, step: int, changed: int, unit: str) -> DerivedGenome:
    """The genome after `step`; `changed`: how many of its parts (`unit` names one) are others than in the one before."""
    return DerivedGenome(
        step=step, genome=genome.to_json(), genome_hash=space.hash(genome), string=space.to_string(genome), changed_edges=changed, unit=unit
    )


def kept_otherwise(space: Any) -> Changes:
    """Counts what one of both genomes keeps and the other does not, in a space that says what a genome has `kept`."""
    return lambda genome, before: len(set(space.kept(genome)) ^ (set() if before is None else set(space.kept(before))))


class DerivedGenomes:
    """Says a genome where it differs from the last one that was said.

    >>> import random
    >>> from search_engine.algorithms.base import AlgorithmConfig, Context
    >>> from search_engine.catalogue import registry
    >>> from search_engine.events import EventLog
    >>> from search_engine.spaces.data_shape import DataShape
    >>> entry = registry.space("nb201")
    >>> space = entry.space(entry.config(), DataShape((3, 32, 32), 10))
    >>> log = EventLog("phase:0")
    >>> context = Context(space, AlgorithmConfig(), 0, random.Random(0), "val_accuracy", log)
    >>> genomes = DerivedGenomes(context, lambda genome, before: 6 if before is None else 1, "edge")
    >>> for step, choices in enumerate(((0,) * 6, (0,) * 6, (1,) + (0,) * 5)):
    ...     genomes.say(step, space.genome_of(choices))
    >>> [(event.step, event.payload.changed_edges) for event in log.drain()]
    [(0, 6), (2, 1)]
    """

    def __init__(self, context: Context, changes: Changes, unit: str) -> None:
        """`unit` names one of the parts that `changes` counts."""
        self._context = context
        self._changes = changes
        self._unit = unit
        self._said: Genome | None = None

    def say(self, step: int, genome: Genome) -> None:
        if genome == self._said:
            return
        changed = self._changes(genome, self._said)
        self._said = genome
        self._context.emit(derived_genome(self._context.space, genome, step, changed, self._unit), step)

    def state_dict(self) -> dict[str, Any]:
        return {"said": None if self._said is None else self._said.to_json()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._said = None if state["said"] is None else Genome.from_json(state["said"])
