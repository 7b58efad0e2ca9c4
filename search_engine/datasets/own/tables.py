"""A table as a reader gives it, before anybody decided what its columns mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ...base.errors import BadInput
from ...base.lazy import lazy_module
from ..base import Array
from .findings import Note
from .missing import MISSING

pd: Any = lazy_module("pandas")


@dataclass
class RawColumn:
    """number: `values` (n,) float64, NaN where missing. text: a pandas Series of strings, NA where missing. date: (n,) int64 nanoseconds
    since 1970, the smallest number where missing."""

    name: str
    kind: Literal["number", "text", "date"]
    values: Any
    whole: bool = False
    """number: whether the file has them as whole numbers."""

    def __len__(self) -> int:
        return len(self.values)

    def missing(self) -> Array:
        """(n,) bool."""
        found: Array
        if self.kind == "number":
            found = np.isnan(self.values)
        elif self.kind == "date":
            found = self.values == np.iinfo(np.int64).min
        else:
            found = np.asarray(self.values.isna())
        return found

    def factorised(self) -> tuple[Array, list[str]]:
        """(n,) int64 numbers of the distinct values, -1 where missing, and what these are as texts, sorted: numbers by size."""
        values = self.values
        codes, distinct = pd.factorize(values if self.kind != "date" else np.where(self.missing(), -1, values), use_na_sentinel=True)
        if self.kind == "text":
            names = [str(item) for item in distinct]
            order = sorted(range(len(names)), key=names.__getitem__)
        else:
            names = [number_text(item) for item in distinct.tolist()]
            order = np.argsort(np.asarray(distinct), kind="stable").tolist()
        ranks = np.empty(len(names) + 1, dtype=np.int64)
        ranks[order] = np.arange(len(order))
        ranks[-1] = -1
        codes = np.where(self.missing(), -1, codes)
        return ranks[codes], [names[place] for place in order]

    def kept(self, rows: Array) -> RawColumn:
        values = self.values[rows] if self.kind != "text" else self.values[rows].reset_index(drop=True)
        return RawColumn(self.name, self.kind, values, self.whole)

    def text_at(self, row: int) -> str:
        """A cell for people."""
        if self.missing()[row : row + 1].any():
            return ""
        value = self.values.iloc[row] if self.kind == "text" else self.values[row]
        if self.kind == "date":
            return str(np.datetime64(int(value), "ns"))[:19]
        return str(value)[:80] if self.kind == "text" else number_text(float(value))


@dataclass
class Table:
    columns: list[RawColumn]
    format: str
    notices: list[Note] = field(default_factory=list)
    decimal: str = "."

    @property
    def rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def column(self, name: str, field_name: str) -> RawColumn:
        """Raises BadInput naming the columns that there are."""
        for column in self.columns:
            if column.name == name:
                return column
        there = ", ".join(column.name for column in self.columns[:12]) + (" ..." if len(self.columns) > 12 else "")
        raise BadInput(field_name, f"there is no column {name[:60]!r}; there are: {there}", code="unknown_id")


def joined(pieces: list[RawColumn]) -> RawColumn:
    """One column of its blocks; blocks without any value may be of another kind."""
    if len(pieces) == 1:
        return pieces[0]
    kinds = [piece.kind for piece in pieces if not piece.missing().all()]
    kind = kinds[0] if kinds else pieces[0].kind
    if kind == "text":
        values = [piece.values if piece.kind == "text" else pd.Series([None] * len(piece), dtype="str") for piece in pieces]
        return RawColumn(pieces[0].name, "text", pd.concat(values, ignore_index=True))
    numbers = [piece.values if piece.kind == "number" else np.full(len(piece), np.nan) for piece in pieces]
    return RawColumn(pieces[0].name, "number", np.concatenate(numbers), all(piece.whole for piece in pieces))


def number_text(value: float) -> str:
    """
    >>> number_text(3.0), number_text(0.5)
    ('3', '0.5')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def as_column(name: str, values: Any) -> RawColumn:
    """Of a pandas Series of any type that a reader gives. Raises BadInput(field "file") for nested values."""
    kind = values.dtype
    types = pd.api.types
    if types.is_bool_dtype(kind):
        return _text(name, values.map({True: "true", False: "false"}, na_action="ignore").astype("str"))
    if types.is_datetime64_any_dtype(kind):
        stamps = values.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(kind, "tz", None) is not None else values
        return RawColumn(name, "date", stamps.to_numpy(dtype="datetime64[ns]").view(np.int64).copy())
    if types.is_numeric_dtype(kind) and not types.is_complex_dtype(kind):
        whole = types.is_integer_dtype(kind)
        return RawColumn(name, "number", _finite(values.to_numpy(dtype=np.float64, na_value=np.nan)), whole)
    if isinstance(kind, pd.CategoricalDtype):
        return as_column(name, values.astype(values.cat.categories.dtype))
    if not types.is_string_dtype(kind):
        from decimal import Decimal

        first = next((item for item in values if item is not None and item == item), None)
        if isinstance(first, Decimal):
            return RawColumn(name, "number", _finite(pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)))
        if hasattr(first, "isoformat"):
            return as_column(name, pd.to_datetime(values, errors="coerce"))
        if first is not None and not isinstance(first, (str, int, float, bool)):
            what = "raw bytes" if isinstance(first, bytes) else f"a {type(first).__name__} in each cell"
            raise BadInput("file", f"the column '{name[:60]}' holds {what}; a cell must be a number, a text or a date", code="damaged_data")
        values = values.map(str, na_action="ignore").astype("str")
    return _text(name, values)


def _text(name: str, values: Any) -> RawColumn:
    stripped = values.str.strip()
    return RawColumn(name, "text", stripped.mask(stripped.str.lower().isin(list(MISSING))).reset_index(drop=True))


def _finite(values: Array) -> Array:
    """What a 32-bit float cannot hold counts as missing: an infinite input would make every answer of a network NaN."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < 1e30, values, np.nan)
