"""What follows from published cells by arithmetic, and how far that is from what is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .entry import Atlas, Derived, Entry


def combined(formula: Literal["ratio", "difference"], first: float, second: float) -> float:
    """
    >>> combined("ratio", 3.0, 2.0), combined("difference", 3.0, 2.0)
    (1.5, 1.0)
    """
    return first / second if formula == "ratio" else first - second


@dataclass(frozen=True)
class Check:
    """A printed cell beside what its parts give."""

    row: str
    column: str
    printed: float
    recomputed: float
    """In full."""
    agrees: bool
    """Rounded to the printed decimals it is the printed one."""


def recomputed(atlas: Atlas, derived: Derived, column: str) -> float | None:
    """A derived cell, from the printed ones that it is made of (which may be derived themselves); None where one of them is not printed."""
    first, second = (atlas.row(name)[1].values.get(column) for name in (derived.first, derived.second))
    return None if first is None or second is None else combined(derived.formula, first, second)


def checks(atlas: Atlas, entry: Entry) -> list[Check]:
    """Every derived cell of a table that is printed, as its parts are, row by row."""
    found = []
    for row in entry.table.rows if entry.table else ():
        if row.derived is None:
            continue
        for column, printed in row.values.items():
            value = recomputed(atlas, row.derived, column)
            if value is not None:
                found.append(Check(row.key, column, printed, value, round(value, row.decimals) == round(printed, row.decimals)))
    return found
