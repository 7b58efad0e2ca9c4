"""The lambdas: weights of the terms of L and Q, and their schedule.

The complexity terms may rise or fall during a run (Bakhteev, lecture slides 2019: "successive increase and decrease of the model's
complexity"): the model is first kept simple and then let grow, or the reverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScheduleName = Literal["constant", "linear", "exponential"]


@dataclass(frozen=True)
class Lambdas:
    """Those of one step. All but `struct` are >= 0."""

    likelihood_q: float = 1.0
    prior_q: float = 1.0
    prior_l: float = 1.0
    struct: tuple[float, ...] = ()
    """One per p'_i: positive attracts the structure's prior to p'_i, negative repels it."""

    @property
    def one_level(self) -> bool:
        """Whether L and Q pull the variational parameters along one and the same gradient: then max over h of Q at the argmax of L is
        the joint maximum. The struct terms do not matter for this, since they depend on h alone."""
        return self.likelihood_q > 0 and abs(self.prior_q - self.prior_l * self.likelihood_q) <= 1e-9 * max(self.prior_q, 1e-300)


def moved(kind: ScheduleName, start: float, end: float, share: float) -> float:
    """The value at `share` (0 to 1) of the horizon. `exponential` needs both ends positive."""
    if kind == "constant" or start == end:
        return start
    if kind == "linear":
        return start + (end - start) * share
    return float(start * (end / start) ** share)
