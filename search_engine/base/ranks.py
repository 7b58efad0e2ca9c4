"""Rank correlation."""

from __future__ import annotations

from collections.abc import Sequence


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 0; equal values share the mean of theirs.

    >>> ranks([0.5, 0.1, 0.5])
    [1.5, 0.0, 1.5]
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop < len(order) and values[order[stop]] == values[order[start]]:
            stop += 1
        for place in order[start:stop]:
            found[place] = (start + stop - 1) / 2
        start = stop
    return found


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None for fewer than three pairs, or where one side is constant.

    >>> spearman([1, 2, 3], [10, 30, 90]), spearman([1, 2, 3], [3, 2, 1]), spearman([1, 2], [1, 2])
    (1.0, -1.0, None)
    """
    if len(first) < 3:
        return None
    one, other = ranks(first), ranks(second)
    mean = (len(first) - 1) / 2
    products = sum((a - mean) * (b - mean) for a, b in zip(one, other, strict=True))
    squares = [sum((rank - mean) ** 2 for rank in each) for each in (one, other)]
    return float(products / (squares[0] * squares[1]) ** 0.5) if all(squares) else None
