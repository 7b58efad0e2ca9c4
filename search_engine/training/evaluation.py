"""Scoring a network on one part of a split, without touching its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ..datasets.base import Part
from ..spaces.data_shape import Preprocessing
from ..spaces.tasks import TaskName
from .batches import DevicePart
from .criterion import Tally

BATCH = 500
"""Examples per forward pass; the downloaded bundle uses the same number, so that its arithmetic is the same."""


def evaluate(
    network: nn.Module, part: Part, preprocessing: Preprocessing, device: str = "cpu", batch: int = BATCH,
    task: TaskName = "classification", seen: Callable[[torch.Tensor, torch.Tensor], None] | None = None,
) -> dict[str, float]:
    """The task's score (`accuracy` or `r2`) and `loss` (mean over the examples) of `network` on `part`.

    The network must lie on `device`. Its mode (training or evaluation) is as before afterwards. `seen` is given the outputs and the
    targets of every batch (`by_class.Confusion.add`).
    """
    return evaluate_on(network, DevicePart(part, preprocessing, device), batch, task, seen)


def evaluate_on(
    network: nn.Module, part: DevicePart, batch: int = BATCH, task: TaskName = "classification",
    seen: Callable[[torch.Tensor, torch.Tensor], None] | None = None,
) -> dict[str, float]:
    """As `evaluate`, for a part that lies on the network's device already."""
    scoring = Scoring(network, part, task, batch, seen)
    was_training = network.training
    network.eval()
    while not scoring.finished:
        scoring.batch()
    network.train(was_training)
    return scoring.tally.figures()


class Scoring:
    """The score of `network` on `part`, batch by batch: between two of them the work may stop, and go on from `state_dict` with equal bits.

    The batches are those of `evaluate_on`, whoever asks for them.
    """

    def __init__(
        self, network: nn.Module, part: DevicePart, task: TaskName = "classification", size: int = BATCH,
        seen: Callable[[torch.Tensor, torch.Tensor], None] | None = None,
    ) -> None:
        self.tally = Tally(task)
        self._network = network
        self._part = part
        self._task = task
        self._size = size
        self._seen = seen
        self._first = 0

    @property
    def finished(self) -> bool:
        return self._first >= len(self._part)

    def batch(self) -> None:
        """Score the next batch. The network is in evaluation mode."""
        part, following = self._part, self._first + self._size
        with torch.no_grad():
            inputs = part.normalise(part.raw[self._first : following])
            targets = inputs if self._task == "reconstruction" else part.labels[self._first : following]
            outputs = self._network(inputs).float()
            self.tally.add(outputs, targets)
            if self._seen is not None:
                self._seen(outputs, targets)
        self._first = following

    def state_dict(self) -> dict[str, Any]:
        return {"first": self._first, "tally": self.tally.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._first = state["first"]
        self.tally = Tally.from_state(self._task, state["tally"])
