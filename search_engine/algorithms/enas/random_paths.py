"""The control of a weight-sharing search: what chance gives on the same shared weights."""

from __future__ import annotations

from typing import Any

from search_engine.base.observation import observed
from search_engine.events import ControlScored, Cost

from ..base import Context, Finalist
from ..step_search import StepSearch


class RandomPaths(StepSearch):
    """Says what chance gives: the policy's final samples beside as many random ones, both judged by the same shared weights."""

    control = True
    name = "random_paths"
    title = "Random paths through the super-network"
    state_version = 2

    def begin(self, context: Context, handover: dict[str, Any] | None) -> None:
        """Raises ValueError without the search's figures."""
        super().begin(context, handover)
        if handover is None:
            raise ValueError("this control compares what the search hands over")
        self.figures = {name: float(value) for name, value in handover.items()}

    def step(self) -> Cost:
        """Nothing is computed anew: the search has ranked both groups."""
        figures = self.figures
        message = (
            f"With the shared weights, on {figures['examples']:.0f} validation examples: {figures['samples']:.0f} paths of the policy "
            f"reach {figures['policy_max']:.4f} at best and {figures['policy_mean']:.4f} on average, as many random paths "
            f"{figures['random_max']:.4f} and {figures['random_mean']:.4f}."
        )
        self.done = 1
        self.context.emit(ControlScored(name=self.name, title=self.title, message=observed(message), values=figures), self.done)
        return Cost()

    @property
    def horizon(self) -> int:
        return 1

    def best(self) -> list[Finalist]:
        return []
