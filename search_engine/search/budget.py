"""What a run may spend, and when it stops asking.

`charged` decides: a trial's whole cost is charged at its tell, a step's after the step. Asking goes on only while what is charged plus
the declared cost of the open trials is below the limit (docs/architecture.md, "What counts").
"""

from __future__ import annotations

from typing import Any

from ..catalogue.config import Budget
from ..events import Cost


class Meter:
    """The charged cost of a run, against its budget (None = only horizons end it).

    >>> from search_engine.catalogue.config import Budget
    >>> meter = Meter(Budget(samples=100))
    >>> meter.charge(Cost(forward_backward=90), trials=1)
    >>> meter.allows(Cost(), 0), meter.allows(Cost(forward_backward=30), 1)
    (True, False)
    """

    def __init__(self, budget: Budget | None) -> None:
        self.budget = budget
        self.cost = Cost()
        self.trials = 0

    def charge(self, cost: Cost, trials: int = 0) -> None:
        self.cost = self.cost.plus(cost)
        self.trials += trials

    def amount(self, cost: Cost, trials: int) -> float:
        """`cost` and `trials` in the budget's own unit."""
        if self.budget is None:
            return 0.0
        if self.budget.kind == "trials":
            return float(trials)
        return float(getattr(cost, self.budget.kind))

    @property
    def in_seconds(self) -> bool:
        return self.budget is not None and self.budget.kind == "seconds"

    @property
    def charged(self) -> float:
        return self.amount(self.cost, self.trials)

    def allows(self, open_cost: Cost, open_trials: int) -> bool:
        """Whether one more trial may be asked while these are open."""
        return self.budget is None or self.charged + self.amount(open_cost, open_trials) < self.budget.limit

    @property
    def seconds_left(self) -> float | None:
        """Device seconds that may still be used; None where they are no budget."""
        return self.budget.limit - self.charged if self.budget is not None and self.budget.kind == "seconds" else None

    @property
    def exhausted(self) -> bool:
        return self.budget is not None and self.charged >= self.budget.limit

    @property
    def overshoot(self) -> float:
        """By how much the charge exceeds the limit, in the budget's unit."""
        return 0.0 if self.budget is None else max(0.0, self.charged - self.budget.limit)

    def totals(self) -> dict[str, float]:
        return {"samples": self.cost.samples, "trials": self.trials, "seconds": self.cost.seconds, "flops": self.cost.flops}

    def state_dict(self) -> dict[str, Any]:
        return {"cost": self.cost.model_dump(), "trials": self.trials}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.cost = Cost.model_validate(state["cost"])
        self.trials = state["trials"]


def counted(charged: float, budget: Budget) -> str:
    """"12 of 100 trials"."""
    return f"{charged:,.0f} of {budget.limit:,.0f} {budget.kind}"
