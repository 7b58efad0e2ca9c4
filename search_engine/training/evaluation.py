"""Scoring a network on one part of a split, without touching its state."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ..datasets.base import Part, Preprocessing
from .batches import DevicePart

BATCH = 500
"""Examples per forward pass; the downloaded bundle uses the same number, so that its arithmetic is the same."""


def evaluate(network: nn.Module, part: Part, preprocessing: Preprocessing, device: str = "cpu", batch: int = BATCH) -> dict[str, float]:
    """`accuracy` (share of correct classes) and `loss` (mean cross-entropy, nats) of `network` on `part`.

    The network must lie on `device`. Its mode (training or evaluation) is as before afterwards.
    """
    return evaluate_on(network, DevicePart(part, preprocessing, device), batch)


def evaluate_on(network: nn.Module, part: DevicePart, batch: int = BATCH) -> dict[str, float]:
    """As `evaluate`, for a part that lies on the network's device already."""
    was_training = network.training
    network.eval()
    correct, loss = 0, 0.0
    with torch.no_grad():
        for first in range(0, len(part), batch):
            labels = part.labels[first : first + batch]
            logits = network(part.normalise(part.raw[first : first + batch])).float()
            correct += int((logits.argmax(1) == labels).sum())
            loss += float(F.cross_entropy(logits, labels, reduction="sum"))
    network.train(was_training)
    return {"accuracy": correct / len(part), "loss": loss / len(part)}
