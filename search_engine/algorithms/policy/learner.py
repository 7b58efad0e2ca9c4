"""One gradient step of a controller: optimiser, clipping, and what is worth knowing about the step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from search_engine.spaces.decisions import DecisionList

from .network import Controller


@dataclass(frozen=True)
class Update:
    """Numbers of one step."""

    loss: float
    entropy: float
    """Mean over the batch of the sequences' entropies, nats."""
    entropy_share: float
    """The same, as a share of the uniform policy's."""
    gradient_norm: float
    """Before clipping."""


class Learner:
    """Adam with clipping by the global norm. `version` counts the updates."""

    def __init__(self, controller: Controller, learning_rate: float, clip: float = 5.0) -> None:
        self.controller = controller
        self.clip = clip
        self.version = 0
        self._optimiser = torch.optim.Adam(controller.parameters(), lr=learning_rate)

    def step(self, loss: Tensor, entropies: Tensor, batch: Sequence[Sequence[int | None]]) -> Update:
        """Move the controller down `loss`; `entropies` (B,) belong to the choice lists of `batch`."""
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.controller.parameters(), self.clip)
        self._optimiser.step()
        self.version += 1
        entropy = float(entropies.detach().mean())
        uniform = sum(uniform_entropy(self.controller.decisions, choices) for choices in batch) / len(batch)
        return Update(float(loss.detach()), entropy, entropy / uniform if uniform else 0.0, float(norm))

    def state_dict(self) -> dict[str, Any]:
        return {"controller": self.controller.state_dict(), "optimiser": self._optimiser.state_dict(), "version": self.version}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.controller.load_state_dict(state["controller"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.version = state["version"]


def uniform_entropy(decisions: DecisionList, choices: Sequence[int | None]) -> float:
    """Entropy, in nats, of the uniform policy along a choice list: the sum of ln n over its active decisions."""
    return sum(math.log(len(decision.choices)) for decision, choice in zip(decisions, choices, strict=True) if choice is not None)
