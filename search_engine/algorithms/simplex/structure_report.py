"""What a search with weights on edges tells the world: the family, the weights' frames, the genome that would be derived, the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from search_engine.events import FamilyDeclared, Metrics, StructureFrame, encode_floats
from search_engine.spaces.genomes import Genome

from ..base import Context
from ..derived_genomes import DerivedGenomes
from ..means import Means

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
        self._derived = DerivedGenomes(context, self._changed_edges, "edge")
        self._means = Means()

    def declare(self, constraint: str = "") -> None:
        """Step 0: the topology, once. `constraint` says where the weights live, if not in the family's own set."""
        groups = [group.model_copy(update={"constraint": constraint}) for group in self.family] if constraint else self.family
        self._context.emit(FamilyDeclared(groups=groups), 0)

    def due(self, step: int, last: bool) -> bool:
        return last or step % self._context.structure_every == 0

    def count(self, **values: float) -> None:
        """Numbers of one step, to be averaged until the next report."""
        self._means.count(**values)

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
        values = {**self._means.take(), **now, "structure_max": max(float(array.max()) for array in weights.values())}
        self._context.emit(Metrics(step=step, samples=samples, values=values), step)
        self._derived.say(step, self._derive(weights))

    def operations_of(self, genome: Genome) -> dict[str, list[str]]:
        """Per group the operations of a genome, one per kept edge."""
        drawings = self._space.drawings(genome)
        return {
            group.name: [edge.operation for edge in drawings[group.name].edges if edge.operation is not None] for group in self.family
        }

    def _changed_edges(self, genome: Genome, before: Genome | None) -> int:
        return (self._edges(genome) - (Counter() if before is None else self._edges(before))).total()

    def _edges(self, genome: Genome) -> Counter[tuple[str, str, str, str]]:
        drawings = self._space.drawings(genome)
        return Counter(
            (group.name, edge.source, edge.target, edge.operation)
            for group in self.family
            for edge in drawings[group.name].edges
            if edge.operation is not None
        )

    def state_dict(self) -> dict[str, Any]:
        return {"derived": self._derived.state_dict(), "means": self._means.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._derived.load_state_dict(state["derived"])
        self._means.load_state_dict(state["means"])
