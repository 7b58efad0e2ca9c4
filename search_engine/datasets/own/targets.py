"""The target of a classification or a regression, from texts or numbers; one rule for tables, pictures, arrays and series."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...base.errors import BadInput
from ..base import Array
from .bounds import Bounds
from .choices import Task

MOST_NUMBERED = 20
"""Whole numbers with at most so many distinct values are taken for classes."""
LEAST = 3
"""Examples of a class: one each for training, validation and the test."""

Said = Callable[[str, str, int], None]


def proposed_task(numbers: Array | None, distinct: int, rows: int) -> Task:
    """Real numbers, and whole ones with many values, are a regression. `numbers`: the target's values, None where it is text."""
    if numbers is None:
        return "classification"
    whole = bool((numbers == np.floor(numbers)).all())
    return "classification" if whole and distinct <= min(MOST_NUMBERED, max(2, rows // 5)) else "regression"


def class_targets(codes: Array, names: Sequence[str], bounds: Bounds, say: Said) -> tuple[Array, list[str], Array]:
    """(rows that stay (n,) int64, class names, class numbers (n,) int64) of `codes` into `names`, without negative ones. Classes of fewer
    than `LEAST` examples are left out, and said. Raises BadInput(field "target") for one class only, and for too many."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    if len(names) > bounds.classes:
        raise BadInput("target", f"it has {len(names):,} classes; at most {bounds.classes:,} are read. Is it a number (a regression)?")
    rare = [name for name, count in zip(names, counts, strict=True) if 0 < count < LEAST]
    staying = np.flatnonzero(counts >= LEAST)
    if rare:
        shown = ", ".join(f"'{name[:40]}'" for name in rare[:5]) + (" ..." if len(rare) > 5 else "")
        lost = int(counts[(counts > 0) & (counts < LEAST)].sum())
        say("rare_classes", f"{lost} row(s) were dropped: of {shown} there are fewer than {LEAST} examples, too few for training, "
            "validation and the test.", lost)
    if len(staying) < 2:
        only = f"'{names[staying[0]][:60]}' is the only class" if len(staying) else "no class has enough examples"
        raise BadInput("target", f"{only} with at least {LEAST} examples: there is nothing to tell apart; choose another target",
                       code="one_class")
    places = np.full(len(names) + 1, -1, dtype=np.int64)
    places[staying] = np.arange(len(staying))
    numbers = places[np.where(codes < 0, len(names), codes)]
    rows = np.flatnonzero(numbers >= 0)
    return rows, [names[place] for place in staying.tolist()], numbers[rows]


def real_targets(values: Array) -> Array:
    """(n,) float64. Raises BadInput(field "target") for a target that never changes, or too few examples."""
    if len(values) < 2 * LEAST:
        raise BadInput("target", f"there are {len(values)} rows with a target; at least {2 * LEAST} are needed")
    if values.min() == values.max():
        raise BadInput("target", f"the target is {values[0]:g} everywhere: there is nothing to predict; choose another "
                                 "one", code="one_class")
    return values.astype(np.float64)
