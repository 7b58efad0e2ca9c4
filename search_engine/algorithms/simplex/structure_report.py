"""What a search with weights on edges tells the world: the family, the weights' frames, the genome that would be derived, the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from search_engine.events import DerivedGenome, FamilyDeclared, Metrics, StructureFrame, encode_floats
from search_engine.spaces.genomes import Genome

from ..base import Context

Array = np.ndarray[Any, Any]


class StructureReport:
    """Says the science events of one step phase. Metrics are means over the steps since the last report.

    `derive` gives the genome that weights point to; default: the space's rule.
    """

    def __init__(self, context: Context, derive: Callable[[dict[str, Array]], Genome] | None = None) -> None:
        self._context = context
        self._space: Any = context.space
        self._derive = derive or self._space.derive
        self.family = context.space.family()
        self._derived: Genome | None = None
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def declare(self, constraint: str = "") -> None:
        """Step 0: the topology, once. `constraint` says where the weights live, if not in the family's own set."""
        groups = [group.model_copy(update={"constraint": constraint}) for group in self.family] if constraint else self.family
        self._context.emit(FamilyDeclared(groups=groups), 0)

    def due(self, step: int, last: bool) -> bool:
        return last or step % self._context.structure_every == 0

    def count(self, **values: float) -> None:
        """Numbers of one step, to be averaged until the next report."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def say(
        self, step: int, weights: dict[str, Array], samples: float, draws: dict[str, Array] | None = None, **now: float
    ) -> None:
        """Frame (with a few draws, where the structure is a distribution), metrics (the means so far, and `now` as it is) and, if it
        changed, the derived genome."""
        frame = StructureFrame(
            step=step,
            groups={group: encode_floats(array) for group, array in weights.items()},
            samples={group: encode_floats(array) for group, array in (draws or {}).items()},
        )
        self._context.emit(frame, step)
        means = {name: total / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        values = {**means, **now, "structure_max": max(float(array.max()) for array in weights.values())}
        self._context.emit(Metrics(step=step, samples=samples, values=values), step)
        self._say_derived(step, weights)

    def _say_derived(self, step: int, weights: dict[str, Array]) -> None:
        genome = self._derive(weights)
        if genome == self._derived:
            return
        before = Counter() if self._derived is None else self._edges(self._derived)
        changed = sum((self._edges(genome) - before).values())
        self._derived = genome
        self._context.emit(
            DerivedGenome(
                step=step, genome=genome.to_json(), genome_hash=self._space.hash(genome), string=self._space.to_string(genome),
                changed_edges=changed,
            ),
            step,
        )

    def operations_of(self, genome: Genome) -> dict[str, list[str]]:
        """Per group the operations of a genome, one per kept edge."""
        drawings = self._space.drawings(genome)
        return {
            group.name: [edge.operation for edge in drawings[group.name].edges if edge.operation is not None] for group in self.family
        }

    def _edges(self, genome: Genome) -> Counter[tuple[str, str, str, str]]:
        drawings = self._space.drawings(genome)
        return Counter(
            (group.name, edge.source, edge.target, edge.operation)
            for group in self.family
            for edge in drawings[group.name].edges
            if edge.operation is not None
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "derived": None if self._derived is None else self._derived.to_json(),
            "sums": dict(self._sums),
            "counts": dict(self._counts),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._derived = None if state["derived"] is None else Genome.from_json(state["derived"])
        self._sums = dict(state["sums"])
        self._counts = dict(state["counts"])
