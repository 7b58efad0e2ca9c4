"""Scoring a network on one part of a split, without touching its state."""

from __future__ import annotations

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
    task: TaskName = "classification",
) -> dict[str, float]:
    """The task's score (`accuracy` or `r2`) and `loss` (mean over the examples) of `network` on `part`.

    The network must lie on `device`. Its mode (training or evaluation) is as before afterwards.
    """
    return evaluate_on(network, DevicePart(part, preprocessing, device), batch, task)


def evaluate_on(network: nn.Module, part: DevicePart, batch: int = BATCH, task: TaskName = "classification") -> dict[str, float]:
    """As `evaluate`, for a part that lies on the network's device already."""
    was_training = network.training
    network.eval()
    tally = Tally(task)
    with torch.no_grad():
        for first in range(0, len(part), batch):
            inputs = part.normalise(part.raw[first : first + batch])
            targets = inputs if task == "reconstruction" else part.labels[first : first + batch]
            tally.add(network(inputs).float(), targets)
    network.train(was_training)
    return tally.figures()
