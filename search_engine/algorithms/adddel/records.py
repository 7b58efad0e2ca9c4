"""A set on the way of a search."""

from __future__ import annotations

from typing import NamedTuple


class Visit(NamedTuple):
    """The set after step `step`. Plain numbers and text: checkpoints hold it."""

    step: int
    stage: str
    cycle: int
    q: float
    best_q: float
    units: int
    parameters: int
    val_loss: float
    val_score: float
    condition: float
