"""The columns of a table as numbers: what is missing is filled in, categories become places. NumPy alone; it goes along with a download.

A column is a dict of JSON, in the order of the network's input places:

    {"name": "age", "kind": "number", "missing": 38.5, "indicator": false}
    {"name": "colour", "kind": "category", "values": ["blue", "red"], "encoding": "one_hot", "width": 3, "missing": 2, "unknown": 2}

A number takes one place; a missing one becomes `missing` (None: it must be there), and with `indicator` a second place is 1 where it was
missing. A category is the number of its text among `values`; a missing one is number `missing`, a text that is not among them number
`unknown` (None: refused). As `one_hot` it takes `width` places with a 1 at its number (-1: none), as `code` one place with the number
itself. Standardising comes after it, over the places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Column = Mapping[str, Any]

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
"""Cells that say that there is nothing, in lower case and without spaces around."""


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def width(column: Column) -> int:
    """How many places the column takes.

    >>> width({"name": "age", "kind": "number", "missing": 0.0, "indicator": True})
    2
    """
    if column["kind"] == "number":
        return 2 if column["indicator"] else 1
    return int(column["width"]) if column["encoding"] == "one_hot" else 1


def place_names(columns: Sequence[Column]) -> list[str]:
    """What the places are called.

    >>> place_names([{"name": "c", "kind": "category", "values": ["x"], "encoding": "one_hot", "width": 2, "missing": 1, "unknown": 1}])
    ['c = x', 'c = other']
    """
    names: list[str] = []
    for column in columns:
        name = column["name"]
        if column["kind"] == "category" and column["encoding"] == "one_hot":
            known = [f"{name} = {value}" for value in column["values"]]
            names += known + [f"{name} = other" for _ in range(column["width"] - len(known))]
        else:
            names += [name, f"{name} missing"] if width(column) == 2 else [name]
    return names


def encode(columns: Sequence[Column], values: Sequence[Array]) -> Array:
    """(n, places) float32 of the columns' values: a float array with NaN where a number is missing, an array of texts with None where a
    category is. Raises ValueError naming the column and the row (from 1).

    >>> age = {"name": "age", "kind": "number", "missing": 38.5, "indicator": True}
    >>> hue = {"name": "hue", "kind": "category", "values": ["b", "r"], "encoding": "one_hot", "width": 3, "missing": -1, "unknown": 2}
    >>> encode([age, hue], [np.array([1.0, np.nan, 2.0]), np.array(["r", None, "x"], dtype=object)]).tolist()
    [[1.0, 0.0, 0.0, 1.0, 0.0], [38.5, 1.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0, 1.0]]
    """
    encoded = [_numbers(column, given) if column["kind"] == "number" else _categories(column, given)
               for column, given in zip(columns, values, strict=True)]
    return np.concatenate(encoded, axis=1)


def _numbers(column: Column, given: Array) -> Array:
    numbers = np.asarray(given, dtype=np.float64)
    absent = np.isnan(numbers)
    if column["missing"] is None and absent.any():
        raise ValueError(f"column '{column['name']}' has no value in row {int(absent.argmax()) + 1}; the model needs one")
    filled = np.where(absent, 0.0 if column["missing"] is None else column["missing"], numbers).astype(np.float32)
    places: Array = np.stack([filled, absent.astype(np.float32)], axis=1) if column["indicator"] else filled[:, None]
    return places


def _categories(column: Column, given: Array) -> Array:
    number = {value: place for place, value in enumerate(column["values"])}
    # Each text is looked at once, however many rows have it.
    places: dict[Any, int | None] = {
        text: column["missing"] if text is None else number.get(text, column["unknown"]) for text in set(given.tolist())
    }
    for text, place in places.items():
        if place is None:
            row = given.tolist().index(text) + 1
            said = "no value" if text is None else f"the value '{text}', which the model never saw,"
            raise ValueError(f"column '{column['name']}' has {said} in row {row}; it knows {', '.join(column['values'][:20])}")
    numbers = np.array([places[text] for text in given.tolist()], dtype=np.int64).reshape(len(given))
    if column["encoding"] == "code":
        code: Array = numbers[:, None].astype(np.float32)
        return code
    # -1 is equal to no place.
    hot: Array = numbers[:, None] == np.arange(column["width"])
    return hot.astype(np.float32)


def decode(columns: Sequence[Column], encoded: Array) -> list[list[str]]:
    """Rows of cells that `encode` makes into (n, places) `encoded`; a missing category is left empty, an unknown one is `(other)`.

    >>> age = {"name": "age", "kind": "number", "missing": 38.5, "indicator": True}
    >>> hue = {"name": "hue", "kind": "category", "values": ["b", "r"], "encoding": "code", "width": 3, "missing": 2, "unknown": 3}
    >>> decode([age, hue], np.array([[1.5, 0, 1], [38.5, 1, 2]], dtype=np.float32))
    [['1.5', 'r'], ['', '']]
    """
    cells: list[list[str]] = []
    start = 0
    for column in columns:
        own = encoded[:, start : start + width(column)]
        start += width(column)
        if column["kind"] == "number":
            cells.append(["" if column["indicator"] and row[1] else str(row[0]).removesuffix(".0") for row in own])
            continue
        numbers = own[:, 0] if column["encoding"] == "code" else np.where(own.any(axis=1), own.argmax(axis=1), -1)
        known = column["values"]
        # Where several have one number, a text of the column itself stands for it, then an empty cell.
        texts = {column["unknown"]: "(other)", column["missing"]: "", **dict(enumerate(known))}
        cells.append([texts.get(int(number), "") for number in numbers])
    return [list(row) for row in zip(*cells, strict=True)]
