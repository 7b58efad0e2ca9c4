"""The habits' options, and all the habits of one search together."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from search_engine.algorithms.base import AlgorithmConfig
from search_engine.base.works_with import WorksWith, other_than
from search_engine.events import Notice

from .base import EpochView, Habit
from .eigenvalue import EigenvalueStop
from .skip_counter import SkipCounter
from .stable_ranking import StableRanking
from .warm_up import WarmUp


def _habits_last(schema: dict[str, Any]) -> None:
    """In a form the method's own options come first (pydantic lists those of a base class before)."""
    own = SimplexHabitsConfig.model_fields
    schema["properties"] = dict(sorted(schema["properties"].items(), key=lambda item: item[0] in own))


class SimplexHabitsConfig(AlgorithmConfig):
    """Options that every method on the simplex shares."""

    model_config = ConfigDict(json_schema_extra=_habits_last)

    works_with: ClassVar[WorksWith] = {
        "skip_stop": {"skip_limit": other_than(0)}, "eigenvalue_window": {"eigenvalue_ratio": other_than(0)},
    }

    warm_up_epochs: int = Field(
        default=0,
        ge=0,
        le=10_000,
        title="Warm-up of the structure",
        description="Epochs at the start in which only the network's weights learn; 0 = none. PC-DARTS uses 15 of 50.",
    )
    skip_limit: int = Field(
        default=2,
        ge=0,
        le=100,
        title="Skip connections that count as many",
        description="Say so when the derived normal cell reaches this many skip connections, a sign of collapse; 0 = do not count.",
    )
    skip_stop: bool = Field(
        default=False,
        title="Stop at that many skips",
        description="End the search when the limit of skip connections is reached, as DARTS+ does.",
    )
    eigenvalue_ratio: float = Field(
        default=0.0,
        ge=0,
        le=1000,
        title="Stop when the loss becomes sharp",
        description="End the search when the largest eigenvalue of the Hessian in the structure, of the loss that moves it, averaged over "
        "some epochs, exceeds that of as many epochs before by this factor, and return the structure from before; 0 = never. R-DARTS: 1.3.",
    )
    eigenvalue_window: int = Field(
        default=5,
        ge=1,
        le=1000,
        title="Epochs of each average",
        description="How many epochs each of the two averages of the eigenvalue takes. R-DARTS: 5.",
    )
    stable_epochs: int = Field(
        default=0,
        ge=0,
        le=10_000,
        title="Stop when the ranking is stable",
        description="End the search when no edge has changed the ranking of its learnable operations for this many epochs; "
        "0 = never. DARTS+ uses 10.",
    )


class Habits:
    """The habits that a config switches on.

    >>> habits = Habits(SimplexHabitsConfig(warm_up_epochs=15, skip_limit=2))
    >>> [habit.name for habit in habits.habits], habits.hold_structure(epoch=14), habits.hold_structure(epoch=15)
    (['warm_up', 'skip_counter'], True, False)
    """

    def __init__(self, config: SimplexHabitsConfig) -> None:
        self.habits: list[Habit] = []
        self.back_to: int | None = None
        """The epoch whose structure is returned, where the last call of `after_epoch` stopped the search for it."""
        if config.warm_up_epochs:
            self.habits.append(WarmUp(config.warm_up_epochs))
        if config.skip_limit:
            self.habits.append(SkipCounter(config.skip_limit, config.skip_stop))
        if config.eigenvalue_ratio:
            self.habits.append(EigenvalueStop(config.eigenvalue_window, config.eigenvalue_ratio))
        if config.stable_epochs:
            self.habits.append(StableRanking(config.stable_epochs))

    def hold_structure(self, epoch: int) -> bool:
        """Whether the structure must not move during epoch `epoch` (from 0)."""
        return any(habit.holds_structure(epoch) for habit in self.habits)

    def after_epoch(self, view: EpochView) -> tuple[list[Notice], str]:
        """What the habits say, and why the search should end (empty: it should not)."""
        # A structure that stands still has a stable ranking and says nothing about collapse.
        held = self.hold_structure(view.epoch - 1)
        asked = [habit for habit in self.habits if habit.watches_held_structure or not held]
        firings = [firing for habit in asked if (firing := habit.after_epoch(view)) is not None]
        stopping = next((firing for firing in firings if firing.stop), None)
        self.back_to = None if stopping is None else stopping.back_to
        return [firing.notice for firing in firings], "" if stopping is None else stopping.stop

    def state_dict(self) -> dict[str, Any]:
        return {habit.name: habit.state_dict() for habit in self.habits}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises KeyError where a habit's state is missing: the config differs from that of the checkpoint."""
        for habit in self.habits:
            habit.load_state_dict(state[habit.name])
