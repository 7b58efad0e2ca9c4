"""What to do with a trial that an older policy proposed: with several open trials the policy moves on while they run. Torch-free.

The lag counts the policy's updates between the proposal and the update that uses it, so it follows from the order of asks and tells
alone. Up to `most` updates a trial counts fully; a staler one is dropped, or weighted by how much likelier the policy now finds it,
clipped (Espeholt et al. 2018, "IMPALA", section 4.1: truncated importance weights).
"""

from __future__ import annotations

import math
from typing import Literal

CLIP = 2.0
"""Largest importance weight."""

StalenessRule = Literal["drop", "clip"]


def weight(lag: int, most: int, rule: StalenessRule, log_prob_now: float, log_prob_then: float) -> float | None:
    """The factor of a trial's advantage; None = leave the trial out."""
    if lag <= most:
        return 1.0
    if rule == "drop":
        return None
    return math.exp(min(log_prob_now - log_prob_then, math.log(CLIP)))
