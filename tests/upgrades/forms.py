"""The form of a state: what is in it, without the values."""

from __future__ import annotations

from typing import Any

import numpy as np


def form(tree: Any) -> list[str]:
    """Every path in the tree with the kind of what stands there, sorted. Places in lists and numbers as keys are all `*`: how many there
    are is no matter of form.

    >>> form({"done": 3, "best": None, "rows": [{"x": 1.5}, {"x": 2}]})
    ['best: none', 'done: number', 'rows.*.x: number']
    """
    return sorted(set(_lines("", tree)))


def _lines(path: str, tree: Any) -> list[str]:
    if hasattr(tree, "trees"):
        # What grows, as a view of it.
        tree = tree.trees()
    if isinstance(tree, dict) and tree:
        return [line for key, value in tree.items() for line in _lines(_joined(path, key), value)]
    if isinstance(tree, list | tuple) and tree:
        return [line for value in tree for line in _lines(_joined(path, 0), value)]
    return [f"{path}: {_kind(tree)}"]


def _joined(path: str, key: Any) -> str:
    name = "*" if not isinstance(key, str) or key.isdigit() or len(key) == 64 else key
    return f"{path}.{name}" if path else name


def _kind(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float | np.generic):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict | list | tuple):
        return "empty"
    return f"{type(value).__module__.partition('.')[0]} {value.dtype}".replace("torch torch.", "torch ")
