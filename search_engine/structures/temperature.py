"""The temperature of a structure distribution: schedules with an explicit horizon, and a temperature that is learned.

A low temperature brings draws close to the simplex's vertices (the relaxed network resembles a derived one) and makes the gradient
noisy; a high one does the opposite. So it usually falls during a search.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..base.lazy import lazy_module
from .distribution import Parameters, StructureDistribution

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:
    torch = lazy_module("torch")
    functional = lazy_module("torch.nn.functional")

ScheduleName = Literal["constant", "linear", "exponential"]

LEAST_LEARNED = 0.05
"""A learned temperature is softplus(raw) + this. A raw temperature of its own is free to become negative, and under Adam it does."""
LEARNED = "temperature"
"""Name of the learned parameter."""


@dataclass(frozen=True)
class TemperatureSchedule:
    """`start` before the first of `horizon` steps, `end` before the last; beyond it stays at `end`.

    Raises ValueError for a temperature that is not positive and for a horizon below one step.
    """

    kind: ScheduleName
    start: float
    end: float
    horizon: int

    def __post_init__(self) -> None:
        if not (self.start > 0 and self.end > 0 and math.isfinite(self.start) and math.isfinite(self.end)):
            raise ValueError(f"temperatures must be positive, not {self.start} and {self.end}")
        if self.horizon < 1:
            raise ValueError(f"a schedule needs a horizon of at least one step, not {self.horizon}")

    def at(self, step: int) -> float:
        """The temperature of step `step`, counted from 0."""
        if self.kind == "constant":
            return self.start
        share = min(max(step / max(self.horizon - 1, 1), 0.0), 1.0)
        if self.kind == "linear":
            return self.start + (self.end - self.start) * share
        return float(self.start * (self.end / self.start) ** share)


class TemperedStructure(StructureDistribution):
    """A structure distribution with a temperature, set from outside or learned.

    `temperature` can be read and set at any time; where it is learned it is one more parameter, last in the list and shared by all
    edges, as theta_temp in Bakhteev's variational method (PhD thesis 2020).
    """

    learns_temperature = False

    def __init__(
        self, shapes: Mapping[str, tuple[int, int]], device: str = "cpu", dtype: torch.dtype | None = None, temperature: float = 1.0
    ) -> None:
        super().__init__(shapes, device, dtype)
        self._temperature = _positive(temperature)

    def learn_temperature(self) -> None:
        """Make the temperature a parameter that begins at its present value. Raises ValueError at or below `LEAST_LEARNED`."""
        if self._temperature <= LEAST_LEARNED:
            raise ValueError(f"a learned temperature begins above {LEAST_LEARNED}, not at {self._temperature}")
        self.learns_temperature = True
        self.learn(LEARNED, torch.tensor(self._raw(self._temperature), dtype=torch.float64))

    @staticmethod
    def _raw(temperature: float) -> float:
        """The inverse of softplus(raw) + `LEAST_LEARNED`."""
        return math.log(math.expm1(temperature - LEAST_LEARNED)) if temperature < 30 else temperature - LEAST_LEARNED

    @property
    def temperature(self) -> float:
        return float(self.temperature_of(None).detach())

    @temperature.setter
    def temperature(self, value: float) -> None:
        """Raises ValueError for a value that is not positive; for a learned one, at or below `LEAST_LEARNED`."""
        self._temperature = _positive(value)
        if self.learns_temperature:
            if value <= LEAST_LEARNED:
                raise ValueError(f"a learned temperature stays above {LEAST_LEARNED}, not {value}")
            with torch.no_grad():
                self.parameters[-1].fill_(self._raw(value))

    def temperature_of(self, parameters: Parameters | None) -> torch.Tensor:
        """A scalar, differentiable where it is learned."""
        if self.learns_temperature:
            return functional.softplus(self.named(parameters)[LEARNED]) + LEAST_LEARNED
        return torch.tensor(self._temperature, dtype=self.dtype, device=self.device)

    def of_groups(self, parameters: Parameters | None) -> dict[str, torch.Tensor]:
        """The parameters that belong to edges, by name."""
        return {name: value for name, value in self.named(parameters).items() if name != LEARNED}

    def logits(self, parameters: Parameters | None = None) -> dict[str, torch.Tensor]:
        """Of a law with one alpha per operation: the alphas, those of dropped operations at minus infinity."""
        return {group: self.kept_logits(group, alpha) for group, alpha in self.of_groups(parameters).items()}

    def state_dict(self) -> dict[str, object]:
        return {**super().state_dict(), "temperature": self._temperature}

    def load_state_dict(self, state: dict[str, object]) -> None:
        super().load_state_dict(state)
        self._temperature = float(state["temperature"])  # type: ignore[arg-type]


def _positive(value: float) -> float:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"a temperature must be positive, not {value}")
    return float(value)
