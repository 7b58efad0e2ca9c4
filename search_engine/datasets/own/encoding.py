"""From the cells of a row to what a network gets: filled, spread out, and only with what the training part of a run knows.

| column | becomes |
| --- | --- |
| number | itself; where it is missing the median of the training part, and 1 on a second input if it has one |
| category | one input for each category, 1 on its own; all 0 for one that the training part does not know, and where it is missing |

Bringing the inputs to mean 0 and deviation 1 comes afterwards and stands in `Preprocessing`, as for every data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Array
from ..readers import columns
from ..transformation import ColumnRule, TargetRule
from .findings import LaidOut


def fitted_columns(layout: Sequence[LaidOut], numbers: Array, codes: Array) -> list[ColumnRule]:
    """The rules, fitted to the rows of a training part: `numbers` (n, k) float64 with NaN where missing, `codes` (n, m) int32, -1 = missing
    or rare.

    >>> layout = [LaidOut(name="age", kind="number", place=0, missing=True), LaidOut(name="job", kind="category", place=0,
    ...           categories=["cook", "smith"])]
    >>> numbers, codes = np.array([[1.0], [np.nan], [3.0]]), np.array([[0], [-1], [0]], dtype=np.int32)
    >>> rules = fitted_columns(layout, numbers, codes)
    >>> rules[0].fill, rules[0].places, rules[1].known, rules[1].places
    (2.0, [0, 1], ['cook'], [2, 3])
    >>> encoded(rules, layout, np.array([[np.nan], [5.0]]), np.array([[0], [1]], dtype=np.int32)).tolist()
    [[2.0, 1.0, 1.0, 0.0], [5.0, 0.0, 0.0, 0.0]]
    """
    rules: list[ColumnRule] = []
    first = 0
    for column in layout:
        places = list(range(first, first + column.width))
        first += column.width
        if column.kind == "number":
            values = numbers[:, column.place]
            present = values[~np.isnan(values)]
            # A column that is empty in this training part says nothing whatever it is filled with.
            fill = float(np.median(present)) if len(present) else 0.0
            rules.append(ColumnRule(name=column.name, kind="number", places=places, fill=fill, missing_place=column.missing))
        else:
            seen = set(np.unique(codes[:, column.place]).tolist())
            known = [name for code, name in enumerate(column.categories) if code in seen]
            rules.append(ColumnRule(name=column.name, kind="category", places=places, categories=column.categories, known=known))
    return rules


def encoded(rules: Sequence[ColumnRule], layout: Sequence[LaidOut], numbers: Array, codes: Array) -> Array:
    """(n, width) float32 of rows, as `fitted_columns` takes them; a download encodes by the same function."""
    fitted = {"columns": [rule.model_dump() for rule in rules], "width": sum(column.width for column in layout)}
    return columns.encode(fitted, [
        numbers[:, column.place] if column.kind == "number" else np.array([*column.categories, None], dtype=object)[codes[:, column.place]]
        for column in layout
    ])


def place_names(layout: Sequence[LaidOut]) -> tuple[str, ...]:
    """What the inputs are called, in order."""
    names: list[str] = []
    for column in layout:
        if column.kind == "category":
            names += [f"{column.name} = {category}" for category in column.categories]
        else:
            names += [column.name, f"{column.name} is missing"][: column.width]
    return tuple(names)


def target_rule(name: str, class_names: Sequence[str], targets: Array) -> TargetRule:
    """Fitted to the targets of a training part: real ones are brought to mean 0 and deviation 1, or a net would have to learn their
    unit."""
    if targets.dtype.kind != "f":
        return TargetRule(name=name, kind="class", classes=list(class_names))
    values: np.ndarray[Any, Any] = targets.astype(np.float64)
    return TargetRule(name=name, kind="number", mean=float(values.mean()), std=float(values.std()) or 1.0)
