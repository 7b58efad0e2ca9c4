"""The engine's only comparisons in words. One run is an observation and says so; verdicts need pairs of seeds, which one run does not have.

`tests/test_sentences.py` looks for sentences that compare without coming from here. The pages have their own place, `views/verdict.ts`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

ONE_RUN = "One run of each with one seed (n = 1): an observation, no verdict."


def observed(message: str) -> str:
    """What one run showed beside another, said as that.

    >>> observed("With a frozen path 12 tournaments, without 20.")
    'With a frozen path 12 tournaments, without 20. One run of each with one seed (n = 1): an observation, no verdict.'
    """
    return f"{message.rstrip()} {ONE_RUN}"


def beside_random(name: str, own: float, others: Sequence[float]) -> str:
    """A finished network's score beside those of random architectures finished in the same way.

    >>> beside_random("test_accuracy", 0.9, [0.88, 0.92, 0.84])
    '3 random architectures of about its size: mean test_accuracy 0.8800, from 0.8400 to 0.9200; the best one is above 2 of 3 (n = 1 run)'
    """
    count = f"{len(others)} random architecture{'' if len(others) == 1 else 's'} of about its size"
    spread = f", from {min(others):.4f} to {max(others):.4f}" if len(others) > 1 else ""
    below = sum(other < own for other in others)
    return f"{count}: mean {name} {statistics.fmean(others):.4f}{spread}; the best one is above {below} of {len(others)} (n = 1 run)"
