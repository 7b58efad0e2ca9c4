"""Columns that say the target by themselves: an answer written into the question, as a code that is given once the outcome is known.

Of each column alone a table of answers is made on one half of the rows outside the test part, and tried on the other half. Values of a
number are put into `BINS` bins of equally many rows first; to a real target a straight line is tried, too.
"""

from __future__ import annotations

import numpy as np

from ..base import Array
from ..splits import permutation

BINS = 64
NEARLY = 0.99
"""Accuracy, or R², from which a column is suspicious."""
LEAST_ROWS = 40


def gives_away(values: Array, targets: Array) -> float | None:
    """The accuracy (R² of real targets) on the second half where it is at least NEARLY and the column does what the majority (the mean)
    does not; None otherwise. `values` (n,): codes (int, -1 = missing) or float with NaN.

    >>> rows = np.arange(200)
    >>> gives_away(rows % 7, (rows % 7 > 3).astype(np.int64)), gives_away(rows % 5, rows % 2)
    (1.0, None)
    """
    if len(targets) < LEAST_ROWS:
        return None
    keys = _keys(values)
    order = permutation(len(targets), "gives away")
    made, tried = order[: len(order) // 2], order[len(order) // 2 :]
    return _accuracy(keys, targets, made, tried) if targets.dtype.kind != "f" else _r2(keys, values, targets, made, tried)


def _keys(values: Array) -> Array:
    """Small whole numbers, 0 for missing."""
    if values.dtype.kind != "f":
        return values.astype(np.int64) + 1
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) > BINS:
        distinct = np.unique(np.quantile(values[~np.isnan(values)], np.linspace(0, 1, BINS + 1)[1:-1]))
        return np.where(np.isnan(values), 0, 1 + np.searchsorted(distinct, values, side="right"))
    return np.where(np.isnan(values), 0, 1 + np.searchsorted(distinct, values))


def _accuracy(keys: Array, targets: Array, made: Array, tried: Array) -> float | None:
    classes = int(targets.max()) + 1
    table = np.zeros((int(keys.max()) + 1, classes), dtype=np.int64)
    np.add.at(table, (keys[made], targets[made]), 1)
    majority = int(np.bincount(targets[made], minlength=classes).argmax())
    answers = np.where(table.sum(axis=1) > 0, table.argmax(axis=1), majority)
    right = float((answers[keys[tried]] == targets[tried]).mean())
    plain = float((targets[tried] == majority).mean())
    # Of a rare class, always answering the other one is nearly perfect too: most of its errors must go.
    return right if right >= NEARLY and 1 - right <= 0.2 * (1 - plain) else None


def _r2(keys: Array, values: Array, targets: Array, made: Array, tried: Array) -> float | None:
    """The better of the table of answers and, for numbers, a straight line: bins of few rows are coarse."""
    spread = float(((targets[tried] - targets[tried].mean()) ** 2).sum())
    if spread == 0:
        return None
    sums = np.bincount(keys[made], weights=targets[made], minlength=int(keys.max()) + 1)
    counts = np.bincount(keys[made], minlength=int(keys.max()) + 1)
    answers = [np.where(counts > 0, sums / np.maximum(counts, 1), targets[made].mean())[keys[tried]]]
    if values.dtype.kind == "f":
        filled = np.where(np.isnan(values), np.nanmean(values[made]) if (~np.isnan(values[made])).any() else 0.0, values)
        centred, deviation = filled - filled[made].mean(), filled[made].std()
        if deviation > 0:
            slope = float((centred[made] * targets[made]).mean()) / deviation**2
            answers.append(targets[made].mean() + slope * centred[tried])
    r2 = max(1 - float(((answer - targets[tried]) ** 2).sum()) / spread for answer in answers)
    return r2 if r2 >= NEARLY else None
