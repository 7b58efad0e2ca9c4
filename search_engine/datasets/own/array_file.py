"""numpy's files: .npz with inputs and targets by name, also in parts that their owner made, and .npy with one array."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...base.errors import BadInput
from ..base import Array
from ..readers.arrays import listed, read_arrays, read_header
from .bounds import Bounds
from .choices import Choices
from .draft import Draft, Tell
from .example_arrays import of_arrays

INPUTS = ("x", "inputs", "data", "images", "series", "features", "arr_0")
TARGETS = ("y", "labels", "label", "targets", "target", "classes", "arr_1")
PARTS = ("train", "test", "val", "valid", "validation")


def read_npz(path: Path, choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    """Raises BadInput naming the arrays that there are."""
    with _in_file(path):
        there = listed(path)
    found = _in_parts(there) or _whole(there, choices)
    # Kept beside what becomes of them, so a third each.
    most = min(bounds.bytes, bounds.memory // 3)
    with _in_file(path):
        arrays = read_arrays(path, {name: ("iufUb", len(there[name][0])) for pair in found.values() for name in pair}, most_bytes=most)
    inputs = [arrays[x] for x, _ in found.values()]
    if len({item.shape[1:] for item in inputs}) > 1:
        raise BadInput("file", f"the parts have examples of different shapes: {', '.join(str(item.shape[1:]) for item in inputs)}",
                       code="damaged_data")
    labels = [arrays[y] for _, y in found.values()]
    for (x, y), one, other in zip(found.values(), inputs, labels, strict=True):
        if len(one) != len(other):
            message = f"'{x}' has {len(one):,} examples and '{y}' {len(other):,} targets; give one for each"
            raise BadInput("file", message, code="damaged_data")
    parts = None if "" in found else np.concatenate([np.full(len(item), part) for part, item in zip(found, inputs, strict=True)])
    settled = choices.model_copy(update={"target": None})
    target = next(iter(found.values()))[1].removesuffix("_train").removesuffix("_test")
    return of_arrays(_joined(inputs), _joined(labels), parts, ".npz arrays", target, settled, bounds, tell)


def read_npy(path: Path, choices: Choices, bounds: Bounds, tell: Tell) -> Draft:
    """One array (n, values): its last column is the target."""
    with _in_file(path), path.open("rb") as file:
        shape, kind, begun = read_header(file, path, "array")
        if kind.hasobject:
            raise ValueError("it holds Python objects, which are never read: save it as numbers")
        size = math.prod(shape) * kind.itemsize
        if size != path.stat().st_size - begun:
            raise ValueError(f"the header promises {size:,} bytes, there are {path.stat().st_size - begun:,}")
        if size > bounds.memory // 3:
            raise BadInput("file", f"its array takes {size:,} bytes; at most {bounds.memory // 3:,} are read", code="too_large")
        if len(shape) != 2 or shape[1] < 2 or kind.kind not in "iuf":
            raise ValueError(f"it is {kind} of shape {shape}; give numbers (n, values) with the target last, or .npz with x and y")
        file.seek(0)
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return of_arrays(array[:, :-1], array[:, -1], None, ".npy array, its last column the target", "last column", choices, bounds, tell)


def _in_parts(there: dict[str, Any]) -> dict[str, tuple[str, str]] | None:
    """part -> (inputs, targets) for names such as x_train and y_train."""
    lower = {name.lower(): name for name in there}
    found = {}
    for part in PARTS:
        for x, y in ((x, y) for x in INPUTS for y in TARGETS):
            for form in ("{0}_{1}", "{1}_{0}", "{0}{1}"):
                pair = (lower.get(form.format(x, part)), lower.get(form.format(y, part)))
                if pair[0] is not None and pair[1] is not None and part not in found:
                    found[part] = (pair[0], pair[1])
    return found if {"train", "test"} <= set(found) else None


def _whole(there: dict[str, Any], choices: Choices) -> dict[str, tuple[str, str]]:
    lower = {name.lower(): name for name in there}
    if choices.target is not None and choices.target not in there:
        raise BadInput("target", f"there is no array {choices.target[:60]!r}; there are: {', '.join(there)[:200]}", code="unknown_id")
    y = choices.target or next((lower[name] for name in TARGETS if name in lower), None)
    x = next((lower[name] for name in INPUTS if name in lower and lower[name] != y), None)
    others = [name for name in there if name != y]
    if x is None and len(others) == 1:
        x = others[0]
    if x is None or y is None:
        raise BadInput("target", f"inputs and targets were not found among the arrays {', '.join(there)[:200]}: call them x and y (or "
                                 "x_train, y_train, x_test, y_test)", code="unknown_id")
    return {"": (x, y)}


def _joined(arrays: list[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


@contextmanager
def _in_file(path: Path) -> Iterator[None]:
    """A reader's ValueError as BadInput(field "file")."""
    try:
        yield
    except BadInput:
        raise
    except ValueError as error:
        raise BadInput("file", str(error).replace(str(path), "the file"), code="damaged_data") from None
