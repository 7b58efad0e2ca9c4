"""The moving average of rewards that REINFORCE compares a reward with. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any


class MovingBaseline:
    """b <- decay b + (1 - decay) mean(R), starting at the first batch's mean.

    Started at 0 instead, the first updates would all push what happened to be sampled, whatever it was worth.
    """

    def __init__(self, decay: float = 0.95) -> None:
        self.decay = decay
        self.value: float | None = None

    def before(self, rewards: Sequence[float]) -> float:
        """The baseline that this batch is compared with: without the batch itself, the first one excepted. Then the batch moves it."""
        mean = fmean(rewards)
        used = mean if self.value is None else self.value
        self.value = self.decay * used + (1 - self.decay) * mean
        return used

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]
