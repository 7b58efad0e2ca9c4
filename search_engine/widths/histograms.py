"""The importances of a layer's channels as a histogram around the threshold below which channels go.

Bins are equal on the logarithmic scale and the threshold is one of their ends: what lies in the lower half is dead, what lies in the upper
half is alive, whatever the rounding of a logarithm. Two decades on each side; the outermost bins take what lies further out, the first
one zeros, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

BINS = 24
DECADES = 2
"""On each side of the threshold."""


def ends(threshold: float) -> list[float]:
    """The BINS + 1 ends of the bins; the one in the middle is the threshold.

    >>> [round(end, 4) for end in ends(0.1)[::6]]
    [0.001, 0.01, 0.1, 1.0, 10.0]
    """
    half = BINS // 2
    return [threshold * 10 ** (DECADES * (place - half) / half) if place != half else threshold for place in range(BINS + 1)]


def histogram(values: Iterable[float], threshold: float) -> list[int]:
    """How many of the importances lie in each bin; a value on an end is in the bin below it, as one on the threshold is dead.

    >>> counts = histogram([0.0, 0.02, 0.1, 0.1000001, 1.0, 99.0], 0.1)
    >>> sum(counts[: BINS // 2]), sum(counts[BINS // 2 :]), counts[0], counts[-1]
    (3, 3, 1, 1)
    """
    half = BINS // 2
    counts = [0] * BINS
    for value in values:
        place = math.ceil(half / DECADES * math.log10(value / threshold)) + half - 1 if value > 0 else 0
        low, high = (half, BINS - 1) if value > threshold else (0, half - 1)
        counts[min(max(place, low), high)] += 1
    return counts
