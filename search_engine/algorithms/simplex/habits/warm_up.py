"""Alpha warm-up: the structure stands still while the weights of all operations learn something.

Without it operations that need no training (skips, pooling) lead early. PC-DARTS (Xu et al. 2020) holds the structure for 15 of 50
epochs, P-DARTS (Chen et al. 2019) for 10 of 25 in each stage.
"""

from __future__ import annotations

from typing import Any

from search_engine.events import Notice

from .base import EpochView, Firing, Habit


class WarmUp(Habit):
    """Holds the structure for the first `epochs` epochs and says when it lets go."""

    name = "warm_up"
    watches_held_structure = True

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def holds_structure(self, epoch: int) -> bool:
        return epoch < self.epochs

    def after_epoch(self, view: EpochView) -> Firing | None:
        if view.epoch != self.epochs:
            return None
        message = f"The warm-up of {self.epochs} epochs is over: from now on the structure moves too."
        return Firing(Notice(name=self.name, message=message, step=view.step, values={"epochs": float(self.epochs)}))

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to restore: the epoch alone decides."""
