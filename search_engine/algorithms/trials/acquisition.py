"""What a model of the scores promises of a candidate."""

from __future__ import annotations

import math


def expected_improvement(mean: float, deviation: float, best: float) -> float:
    """E[max(0, score - best)] for a normally distributed score (Jones, Schonlau, Welch 1998, "Efficient Global Optimization of Expensive
    Black-Box Functions", equation 15).

    >>> round(expected_improvement(0.0, 1.0, 0.0), 6), expected_improvement(0.5, 0.0, 0.25)
    (0.398942, 0.25)
    """
    if deviation <= 0:
        return max(0.0, mean - best)
    z = (mean - best) / deviation
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return deviation * (density + z * 0.5 * math.erfc(-z / math.sqrt(2)))
