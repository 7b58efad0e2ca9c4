"""The cosine schedule of the learning rate, in closed form: it has no state."""

from __future__ import annotations

import math


def cosine(step: int, steps: int, start: float, end: float) -> float:
    """The rate of step `step` of `steps` (from 0): `start` at the first, `end` at the last, half a cosine between.

    Source: I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, equation 5, without restarts.
    """
    if steps <= 1:
        return start
    # The share of `start` rather than the textbook's sum, so that both ends are exact.
    share = (1 + math.cos(math.pi * step / (steps - 1))) / 2
    return start * share + end * (1 - share)
