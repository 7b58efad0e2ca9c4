"""What a budgeted search tells the world: the blocks' probabilities, the cost that comes with them, and the way of cost and loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from search_engine.events import (
    Chart,
    ChartMark,
    ChartsFrame,
    FamilyDeclared,
    Metrics,
    StructureFrame,
    encode_floats,
    series,
)
from search_engine.spaces.block_costs.blocks import Array
from search_engine.spaces.genomes import Genome

from ..base import Context
from ..derived_genomes import DerivedGenomes, kept_otherwise
from ..means import Means

DRAWS = 8
"""Examples whose draws a structure frame shows."""


class BudgetReport:
    """Says the events of one search. Metrics are means over the steps since the last report."""

    def __init__(self, context: Context, budget: float, cost_title: str) -> None:
        self._context = context
        self._space: Any = context.space
        self._budget = budget
        self._title = cost_title
        self._derived = DerivedGenomes(context, kept_otherwise(context.space), "block")
        self._means = Means()
        self.points: list[dict[str, float]] = []
        """One per evaluation: epoch, sampled, pruned, derived, val_loss, val_accuracy."""

    def declare(self) -> None:
        """Step 0: the topology, once."""
        self._context.emit(FamilyDeclared(groups=self._space.family()), 0)

    def due(self, step: int, last: bool) -> bool:
        return last or step % self._context.structure_every == 0

    def count(self, **values: float) -> None:
        """Numbers of one step."""
        self._means.count(**values)

    def say(self, step: int, samples: float, probabilities: Array, draws: Array, **now: float) -> None:
        """Probabilities (blocks,), a few of the batch's draws (B, blocks), and the metrics."""
        groups = {name: encode_floats(array) for name, array in self._space.as_family_weights(probabilities).items()}
        several = [self._space.as_family_weights(draw.astype(np.float32)) for draw in draws[:DRAWS]]
        samples_of = {name: encode_floats(np.stack([item[name] for item in several])) for name in groups} if several else {}
        self._context.emit(StructureFrame(step=step, groups=groups, samples=samples_of), step)
        if means := self._means.take():
            self._context.emit(Metrics(step=step, samples=samples, values={**means, **now}), step)

    def say_point(self, step: int, samples: float, point: dict[str, float], genome: Genome) -> None:
        """An evaluation of the most probable network: its scores, its place in the plane of cost and loss, and the genome where it
        changed."""
        self.points.append(point)
        values = {name: value for name, value in point.items() if name.startswith("val_")}
        self._context.emit(Metrics(step=step, samples=samples, values={**values, "cost_derived": point["derived"]}), step)
        self._context.emit(ChartsFrame(step=step, charts=self._charts()), step)
        self._derived.say(step, genome)

    def _charts(self) -> list[Chart]:
        def column(name: str) -> list[float]:
            return [point[name] for point in self.points]

        return [
            Chart(
                name="cost_and_loss", title="Cost against loss", form="trajectory",
                x_title=f"{self._title} of the most probable network, share of the super-network", y_title="validation loss, nats",
                series=[series("search", column("derived"), column("val_loss"))],
                marks=[ChartMark(axis="x", value=self._budget, title="budget")],
                note="Each point is an evaluation of the blocks with a probability above one half; the search should end left of the "
                "budget.",
            ),
            Chart(
                name="cost", title="Cost while it is searched", x_title="epoch", y_title=f"{self._title}, share of the super-network",
                series=[
                    series("sampled: all blocks drawn", column("epoch"), column("sampled")),
                    series("pruned: drawn blocks on a path", column("epoch"), column("pruned")),
                    series("most probable network", column("epoch"), column("derived"), look="dashed"),
                ],
                marks=[ChartMark(axis="y", value=self._budget, title="budget")],
                note="The search lowers the sampled cost; the pruned cost is what the drawn networks really need.",
            ),
        ]

    def state_dict(self) -> dict[str, Any]:
        return {
            "derived": self._derived.state_dict(),
            "means": self._means.state_dict(),
            "points": [dict(point) for point in self.points],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._derived.load_state_dict(state["derived"])
        self._means.load_state_dict(state["means"])
        self.points = [dict(point) for point in state["points"]]
