"""Some classes of a data set as a data set of its own: the others' examples are left out, the chosen ones are numbered anew from 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from .base import Array

CLASSES = 10
LEFT_OUT = -1
"""The label of an example whose class was not chosen."""


def _usable(labels: tuple[int, ...]) -> tuple[int, ...]:
    if len(labels) == 1:
        raise ValueError("name at least two classes, or none for all of them")
    if len(set(labels)) != len(labels):
        raise ValueError("a class is named twice")
    return labels


TenLabels = Annotated[tuple[Annotated[int, Field(ge=0, lt=CLASSES)], ...], Field(max_length=CLASSES), AfterValidator(_usable)]
"""The option `labels` of a data set with the classes 0 to 9: those that are used, in the order of their new numbers; empty = all."""
DESCRIPTION = (
    "use only these of the ten classes (0 to 9), numbered anew in this order; empty = all. Two data sets with different classes are two "
    "tasks"
)


def with_opened_labels(opened: dict[str, Any]) -> dict[str, Any]:
    """What decides the opened test part (`DatasetConfig.opened`), with `labels` as the classes whose examples it holds: their order only
    numbers them, and all ten are what none is.

    >>> with_opened_labels({"labels": [8, 3]}), with_opened_labels({"labels": list(range(10))})
    ({'labels': [3, 8]}, {})
    """
    labels = sorted(opened.get("labels", ()))
    others = {name: value for name, value in opened.items() if name != "labels"}
    return {**others, "labels": labels} if 0 < len(labels) < CLASSES else others


def relabelled(labels: Array, chosen: Sequence[int]) -> Array:
    """Labels (n,) int64 with class `chosen[k]` as k and every other class as LEFT_OUT; unchanged where nothing is chosen."""
    if not chosen:
        return labels
    table = np.full(int(labels.max(initial=0)) + 1 + max(chosen), LEFT_OUT, dtype=np.int64)
    for new, old in enumerate(chosen):
        table[old] = new
    return table[labels]


def kept_names(names: tuple[str, ...], chosen: Sequence[int]) -> tuple[str, ...]:
    """The names of the chosen classes, in their new order."""
    return tuple(names[label] for label in chosen) if chosen else names
