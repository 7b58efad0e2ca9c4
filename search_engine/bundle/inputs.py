"""What a model takes, in words and by kind, from a bundle's settings (`preprocessing.json`)."""

from __future__ import annotations

from typing import Any, Literal

from ..datasets.base import Array

Kind = Literal["columns", "row", "image", "series"]


def table_columns(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns of a table that are encoded; none where a row is a raw input itself.

    >>> table_columns({"transformation": None})
    []
    """
    columns: list[dict[str, Any]] = (settings["transformation"] or {"columns": []})["columns"]
    return columns


def input_kind(settings: dict[str, Any]) -> Kind:
    """`columns`: a table whose columns are encoded; `row`: numbers; `image`; `series`.

    >>> input_kind({"input_shape": [1, 8, 8], "transformation": None})
    'image'
    """
    if table_columns(settings):
        return "columns"
    kinds: dict[int, Kind] = {1: "row", 2: "series", 3: "image"}
    return kinds[len(settings["input_shape"])]


def input_meaning(settings: dict[str, Any], inputs: Array) -> str:
    """What the files that have the preprocessing inside take; `inputs` are raw ones."""
    shape, kind, number = settings["input_shape"], input_kind(settings), inputs.dtype.name
    if kind == "columns":
        kinds = {"number": "number", "category": "text"}
        columns = ", ".join(f"{item['name']} ({kinds[item['kind']]})" for item in table_columns(settings))
        how = "numbers as float32, NaN where missing, categories as text"
        return f"one input for each column of the table, each (batch, 1): {how}: {columns}"
    if kind == "image":
        colours = {1: "grey", 3: "red, green, blue"}.get(shape[0], f"{shape[0]} channels")
        return f"x (batch, {shape[0]}, {shape[1]}, {shape[2]}) {number}: {colours}, points from 0 to {settings['scale']:g}, not normalised"
    if kind == "series":
        return f"x (batch, {shape[0]}, {shape[1]}) {number}: {shape[0]} channel(s) at {shape[1]} moments, raw values, not normalised"
    names = ", in the order of the feature names" if settings["feature_names"] else ""
    return f"x (batch, {shape[0]}) {number}: raw values, not standardised{names}"
