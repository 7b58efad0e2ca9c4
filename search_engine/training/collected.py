"""The answers of a network on a whole part, batch by batch: what metrics that are no sums over examples are computed from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..datasets.base import Array


class Collected:
    """Outputs and targets in the order in which they came.

    >>> collected = Collected()
    >>> collected.add(torch.tensor([[1.0, 2.0]]), torch.tensor([1]))
    >>> collected.add(torch.tensor([[0.0, 3.0]]), torch.tensor([0]))
    >>> collected.outputs.tolist(), collected.targets.tolist()
    ([[1.0, 2.0], [0.0, 3.0]], [1, 0])
    """

    def __init__(self) -> None:
        self._outputs: list[Array] = []
        self._targets: list[Array] = []

    def add(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        """A batch: `outputs` (B, outputs), `targets` (B,) or (B, values)."""
        self._outputs.append(outputs.detach().float().flatten(1).cpu().numpy())
        self._targets.append(targets.cpu().numpy())

    @property
    def outputs(self) -> Array:
        return np.concatenate(self._outputs)

    @property
    def targets(self) -> Array:
        return np.concatenate(self._targets)

    def state_dict(self) -> dict[str, Any]:
        return {"outputs": self.outputs, "targets": self.targets} if self._outputs else {"outputs": None, "targets": None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._outputs = [] if state["outputs"] is None else [state["outputs"]]
        self._targets = [] if state["targets"] is None else [state["targets"]]
