"""What the columns of a table are, as far as their cells say: numbers, categories, and what no network can use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base import Array
from .choices import Kind
from .splitting import own_roles
from .tables import RawColumn, pd

TARGET_NAMES = ("target", "label", "labels", "class", "y", "outcome", "species", "category", "response")
GROUP_NAMES = re.compile(r"(group|subject|patient|person|user|session|speaker|household|customer)s?([ _-]?(id|no|number))?", re.IGNORECASE)
PART_COLUMNS = ("split", "part", "subset", "fold", "set", "partition")
ID_NAMES = re.compile(r"(.*[ _-])?(id|uuid|guid|index|idx|no|nr|number|rownum|row)|unnamed: \d+|column 1|", re.IGNORECASE)
MOST_TEXTS = 1000
"""A column of more distinct texts is no category."""
NEARLY = 0.95
"""Share of cells that must be numbers for the few others to count as missing."""
_DATE = re.compile(r"(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2})?")


@dataclass(frozen=True)
class Inferred:
    kind: Kind
    why: str = ""


def infer(column: RawColumn, rows: int) -> Inferred:
    """The kind of a column that is not the target."""
    missing = column.missing()
    if missing.all():
        return Inferred("dropped", "it is empty")
    if column.kind == "date" or looks_like_date(column):
        return Inferred(
            "dropped", "dates are no numbers that a network can use: make columns of it that matter (month, weekday, age in days), or "
                       "split by time with it"
        )
    if column.kind == "text":
        number = as_number(column)
        if number is not None:
            column = number
    names = column.factorised()[1]
    if len(names) == 1 and not missing.any():
        return Inferred("dropped", f"it is constant: every cell is {names[0][:40]!r}")
    called = column.name.strip().lower()
    if called in PART_COLUMNS and column.kind == "text" and own_roles(np.array(names)) is not None:
        return Inferred("split", "it says of each row to which part it belongs")
    repeated = 1 < len(names) <= rows / 2
    if GROUP_NAMES.fullmatch(called) and repeated and len(names) >= 5:
        return Inferred("group", "rows of one group belong together: it says who a row is of, and is no input")
    if len(names) == rows and rows > 20 and _is_id(column, called):
        return Inferred("dropped", "it numbers the rows: every cell is another one")
    if column.kind == "number":
        return Inferred("number")
    if len(names) > MOST_TEXTS or (len(names) > 50 and len(names) > 0.5 * (~missing).sum()):
        return Inferred("dropped", f"{len(names):,} distinct texts in {int((~missing).sum()):,} cells are no categories")
    return Inferred("category")


def _is_id(column: RawColumn, called: str) -> bool:
    if column.kind == "text":
        return True
    values = np.sort(column.values)
    whole = bool((values == np.floor(values)).all())
    return whole and (bool((np.diff(values) == 1).all()) or ID_NAMES.fullmatch(called) is not None)


def as_number(column: RawColumn) -> RawColumn | None:
    """A column of texts of which nearly all are numbers, with the rest (at most five distinct texts) as missing; None for any other."""
    if column.kind != "text":
        return column if column.kind == "number" else None
    values = pd.to_numeric(column.values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    present = ~column.missing()
    bad = present & np.isnan(values)
    if bad.sum() > (1 - NEARLY) * present.sum() or column.values[bad].nunique() > 5:
        return None
    return RawColumn(column.name, "number", np.where(np.abs(values) < 1e30, values, np.nan))


def looks_like_date(column: RawColumn) -> bool:
    if column.kind != "text":
        return column.kind == "date"
    some = column.values.dropna().iloc[:200]
    return len(some) > 0 and sum(_DATE.fullmatch(text) is not None for text in some) >= NEARLY * len(some)


def as_time(column: RawColumn) -> Array:
    """(n,) int64 ranks in time, equal for equal times, -1 where missing."""
    values: Any = column.values
    if column.kind == "text":
        number = as_number(column)
        if number is not None:
            return as_time(number)
        stamps = pd.to_datetime(values, errors="coerce", format="mixed", utc=True).dt.tz_localize(None)
        return as_time(RawColumn(column.name, "date", stamps.to_numpy(dtype="datetime64[ns]").view(np.int64)))
    missing = column.missing()
    ranks = np.searchsorted(np.unique(values[~missing]), values)
    return np.where(missing, -1, ranks).astype(np.int64)


def target_of(columns: list[RawColumn]) -> str:
    """The column that is probably to be predicted: one that is called so, else the last."""
    for name in TARGET_NAMES:
        for column in columns:
            if column.name.strip().lower() == name:
                return column.name
    return columns[-1].name
