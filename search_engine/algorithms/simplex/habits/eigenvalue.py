"""Stop when the validation loss becomes sharp in alpha (R-DARTS: Zela et al. 2020, section 4.3).

Watched is the largest eigenvalue of the Hessian of the validation loss in alpha, after every epoch. The search ends when its mean over
the last epochs exceeds that over as many epochs before by a factor; and it returns the structure from before the growth, that of the epoch
in the middle of the earlier mean (as the authors' code does: an average stands for its middle), not the sharp one that it has come to.
"""

from __future__ import annotations

from statistics import fmean
from typing import Any

from search_engine.events import Notice

from .base import EpochView, Firing, Habit


class EigenvalueStop(Habit):
    """Fires when mean(last `window`) / mean(`window` before) > `ratio`; both means must be positive."""

    name = "eigenvalue"

    def __init__(self, window: int, ratio: float) -> None:
        self.window = window
        self.ratio = ratio
        self.history: list[float] = []
        self.epoch = 0

    def after_epoch(self, view: EpochView) -> Firing | None:
        if view.eigenvalue is None:
            return None
        if view.epoch <= self.epoch:
            # A stage of shrinking began: another structure.
            self.history = []
        self.epoch = view.epoch
        self.history = [*self.history, view.eigenvalue][-2 * self.window :]
        if len(self.history) < 2 * self.window:
            return None
        before, now = fmean(self.history[: self.window]), fmean(self.history[self.window :])
        if before <= 0 or now / before <= self.ratio:
            return None
        back_to = view.epoch - self.reach_of(self.window)
        message = (
            f"The largest eigenvalue of the validation loss' Hessian in the structure grew by {now / before:.2f} over {self.window} epochs "
            f"(limit {self.ratio:g}): the search stops before it collapses and returns the structure of epoch {back_to}, as R-DARTS does."
        )
        values = {"ratio": now / before, "eigenvalue": view.eigenvalue, "epoch": float(back_to)}
        return Firing(Notice(name=self.name, message=message, step=view.step, values=values), stop="Hessian eigenvalue", back_to=back_to)

    @staticmethod
    def reach_of(window: int) -> int:
        """How many epochs back the middle of the earlier mean lies."""
        return window + window // 2

    def state_dict(self) -> dict[str, Any]:
        return {"history": self.history, "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.history = list(state["history"])
        self.epoch = state["epoch"]
