"""What a habit sees and what it may answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from search_engine.events import Notice

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class EpochView:
    """A search after one epoch, as habits see it."""

    epoch: int
    """Epochs completed, from 1."""
    step: int
    """Steps completed."""
    weights: dict[str, Array]
    """Per group the edge weights, (edges, operations)."""
    operations: dict[str, list[str]]
    """Per group the names of the columns."""
    derived: dict[str, list[str]]
    """Per group the operations of the genome that would be derived now, one per edge that is kept."""
    eigenvalue: float | None = None
    """The largest eigenvalue of the Hessian of the structure's loss in alpha, where a habit asks for it."""


@dataclass(frozen=True)
class Firing:
    """A habit fired: what it says, and why the search should end (empty: it should not)."""

    notice: Notice
    stop: str = ""
    back_to: int | None = None
    """The epoch whose structure the search returns, where it stops and that is not the present one."""


class Habit(ABC):
    """One rule. `name` is stable: it names the notice and the state."""

    name: ClassVar[str]
    watches_held_structure: ClassVar[bool] = False
    """Whether it is asked also after epochs in which another habit held the structure still."""

    def holds_structure(self, epoch: int) -> bool:
        """Whether the structure must not move during epoch `epoch` (from 0)."""
        return False

    @abstractmethod
    def after_epoch(self, view: EpochView) -> Firing | None:
        """Called once after every epoch, in order."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """What the next epoch needs of the former ones, as JSON."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None: ...
