"""The columns of a table as numbers: what is missing is filled in, categories are spread out. NumPy alone; it goes along with a download.

It applies a fitted encoding as JSON (`datasets.transformation.Transformation`):

    {"format": 1, "width": 4, "missing_texts": ["", "na"], "decimal": ".", "columns": [
      {"name": "age", "kind": "number", "places": [0, 1], "fill": 38.5, "missing_place": true},
      {"name": "job", "kind": "category", "places": [2, 3], "categories": ["cook", "smith"], "known": ["cook"], "unknown": "zeros"}],
     "target": {"name": "pay", "kind": "number", "mean": 3.1, "std": 2.0}}

A number takes its first place; a missing one becomes `fill` (null: it must be there), and with `missing_place` the last place is 1 where it
was missing. A category has a place for each of its `categories`, 1 on its own; one that is not `known` or is missing has zeros alone.
Standardising comes after it, over the places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Fitted = Mapping[str, Any]

MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-")
"""Cells that say that there is nothing, where no encoding says which: in lower case, without spaces around."""


def is_missing(cell: str, texts: Sequence[str] = MISSING) -> bool:
    return cell.strip().lower() in texts


def encode(fitted: Fitted, values: Sequence[Array]) -> Array:
    """(n, width) float32 of the columns' values, one array (n,) for each of `fitted["columns"]`: floats with NaN where a number is missing,
    or texts with None where a category is. Raises ValueError naming the column and the row (from 1) where a number must not be missing.

    >>> age = {"name": "age", "kind": "number", "places": [0, 1], "fill": 38.5, "missing_place": True}
    >>> job = {"name": "job", "kind": "category", "places": [2, 3], "categories": ["cook", "smith"], "known": ["cook"]}
    >>> rows = [np.array([1.0, np.nan, 2.0]), np.array(["cook", None, "smith"], dtype=object)]
    >>> encode({"columns": [age, job], "width": 4}, rows).tolist()
    [[1.0, 0.0, 1.0, 0.0], [38.5, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]]
    """
    encoded: Array = np.zeros((len(values[0]) if values else 0, fitted["width"]), dtype=np.float32)
    for column, given in zip(fitted["columns"], values, strict=True):
        places = column["places"]
        if column["kind"] == "category":
            known = set(column["known"])
            for place, name in zip(places, column["categories"], strict=True):
                if name in known:
                    encoded[:, place] = given == name
            continue
        numbers = np.asarray(given, dtype=np.float64)
        missing = np.isnan(numbers)
        if column["fill"] is None and missing.any():
            raise ValueError(f"column '{column['name']}' has no number in row {int(missing.argmax()) + 1}; the model needs one")
        encoded[:, places[0]] = np.where(missing, 0.0 if column["fill"] is None else column["fill"], numbers)
        if column["missing_place"]:
            encoded[:, places[-1]] = missing
    return encoded


def decode(fitted: Fitted, encoded: Array) -> list[list[str]]:
    """Rows of cells that `encode` makes into (n, width) `encoded`; what is missing, or a category that is not known, is left empty.

    >>> age = {"name": "age", "kind": "number", "places": [0, 1], "fill": 38.5, "missing_place": True}
    >>> job = {"name": "job", "kind": "category", "places": [2, 3], "categories": ["cook", "smith"], "known": ["cook"]}
    >>> decode({"columns": [age, job]}, np.array([[1.5, 0, 1, 0], [38.5, 1, 0, 0]], dtype=np.float32))
    [['1.5', 'cook'], ['', '']]
    """
    cells: list[list[str]] = []
    for column in fitted["columns"]:
        own = encoded[:, column["places"]]
        if column["kind"] == "category":
            cells.append([column["categories"][int(row.argmax())] if row.any() else "" for row in own])
        else:
            cells.append(["" if column["missing_place"] and row[-1] else str(row[0]).removesuffix(".0") for row in own])
    return [list(row) for row in zip(*cells, strict=True)]
