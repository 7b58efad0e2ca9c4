"""A search on the simplex whose structure is a distribution with a temperature: the schedule, the curves and the draws that are shown."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from search_engine.base.works_with import WorksWith, other_than
from search_engine.structures import TemperatureSchedule, TemperedStructure
from search_engine.structures.temperature import ScheduleName

from .search import SimplexSearch

MOST_NUMBERS = 6000
"""Numbers in the draws of one frame, so that it stays far below 64 KB."""
MOST_DRAWS, LEAST_DRAWS = 16, 4


class TemperatureConfig(BaseModel):
    """The options of a temperature that follows a schedule over the whole horizon of the search."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    works_with: ClassVar[WorksWith] = {"temperature_end": {"temperature_schedule": other_than("constant")}}

    temperature_schedule: ScheduleName = Field(
        default="linear", title="Temperature schedule",
        description="How the temperature goes from its first to its last value over the horizon: linear, exponential, or constant (stays "
        "at the first).",
    )
    temperature_start: float = Field(
        default=1.0, gt=0, le=80, title="First temperature",
        description="At the first step.",
    )
    temperature_end: float = Field(
        default=0.1, gt=0, le=80, title="Last temperature",
        description="At the last step of the horizon; unused if constant.",
    )


class StochasticSearch(SimplexSearch):
    """`choice` is a TemperedStructure; the options have those of `TemperatureConfig`."""

    choice: TemperedStructure

    def before_step(self) -> None:
        options: Any = self.options
        schedule = TemperatureSchedule(
            options.temperature_schedule, options.temperature_start, options.temperature_end, max(self.horizon, 1)
        )
        self.choice.temperature = schedule.at(self.done)

    def numbers(self) -> dict[str, float]:
        """The temperature, and how close draws come to choosing: the mean of their largest weights, 1 at the vertices."""
        largest = [array.max(axis=-1).ravel() for array in self.draws().values()]
        return {"temperature": self.choice.temperature, "draw_max": float(np.concatenate(largest).mean())}

    def draws(self) -> dict[str, Any]:
        numbers = sum(edges * operations for edges, operations in self.choice.shapes.values())
        count = min(max(MOST_NUMBERS // numbers, LEAST_DRAWS), MOST_DRAWS)
        return self.alpha.draws(count, self.generator("picture"))
