"""Priority-queue training: make the best choice lists seen so far more probable.

Source: Abolafia, Norouzi, Shen, Zhao, Le, "Neural Program Synthesis with Priority Queue Training", 2018 (arXiv:1801.03526), as Evo-NAS
uses it (Maziarz et al. 2018, arXiv:1811.09828). The loss over the K best distinct choice lists is

    loss = -mean log pi(a) - beta mean H

It needs no scale of the rewards and no baseline, and it does not matter which policy proposed a choice list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .reinforce import Learner, Update

if TYPE_CHECKING:
    from .network import Controller


class PriorityQueue:
    """The `size` best distinct choice lists by reward; the earlier one wins a tie, an equal one seen again changes nothing."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: list[tuple[float, tuple[int | None, ...]]] = []

    def add(self, reward: float, choices: Sequence[int | None]) -> None:
        entry = tuple(choices)
        if any(known == entry for _, known in self._entries):
            return
        self._entries.append((reward, entry))
        # A stable sort keeps the earlier of equals in front.
        self._entries.sort(key=lambda item: -item[0])
        del self._entries[self.size :]

    @property
    def best(self) -> list[tuple[int | None, ...]]:
        """Choice lists, best first."""
        return [choices for _, choices in self._entries]

    @property
    def mean_reward(self) -> float:
        return sum(reward for reward, _ in self._entries) / len(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def state_dict(self) -> list[Any]:
        return [[reward, list(choices)] for reward, choices in self._entries]

    def load_state_dict(self, state: list[Any]) -> None:
        self._entries = [(reward, tuple(choices)) for reward, choices in state]


class PriorityQueueTraining(Learner):
    """Moves a controller towards the queue's choice lists."""

    def __init__(
        self, controller: Controller, learning_rate: float, *, size: int = 10, entropy_weight: float = 0.0, clip: float = 5.0
    ) -> None:
        super().__init__(controller, learning_rate, clip)
        self.queue = PriorityQueue(size)
        self.entropy_weight = entropy_weight

    def update(self) -> Update:
        """One step on what the queue holds (at least one choice list)."""
        batch = self.queue.best
        log_probs, entropies = self.controller.score(batch)
        return self.step(-log_probs.mean() - self.entropy_weight * entropies.mean(), entropies, batch)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "queue": self.queue.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.queue.load_state_dict(state["queue"])
