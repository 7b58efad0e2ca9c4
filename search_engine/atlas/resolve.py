"""Which of what an entry names there is in this installation."""

from __future__ import annotations

from typing import Any

from ..catalogue import registry
from ..catalogue.presets import PRESETS
from ..events import PICTURES
from .entry import Arm, Entry, RunsLike

ALWAYS = frozenset({"genome", "result", "progress", "table", "reports", "matrix", "neurons", "figures"})
"""Pictures of the run page that no algorithm declares: every run may have them (frontend/src/pictures/table.tsx)."""
PANELS = frozenset({"grid-random", "simplex"})
"""Panels of the page Distributions that can be led to (frontend/src/explore/ExplorePage.tsx)."""


def lacking_of(wanted: RunsLike | Arm) -> list[str]:
    """What of the runs that are wanted cannot be had: `algorithm morphnet`, `option codeepneat.compress`, ..."""
    entry = registry.algorithms().get(wanted.algorithm)
    found = [] if entry else [f"algorithm {wanted.algorithm}"]
    if wanted.space and wanted.space not in registry.spaces():
        found.append(f"space {wanted.space}")
    if entry is not None:
        found += [f"option {wanted.algorithm}.{name}" for name in wanted.options if name not in entry.config.model_fields]
    if isinstance(wanted, RunsLike):
        found += [f"data set {name}" for name in wanted.datasets if name not in registry.datasets()]
        if wanted.picture not in PICTURES and wanted.picture not in ALWAYS:
            found.append(f"picture {wanted.picture}")
    return found


def preset(name: str) -> dict[str, Any] | None:
    """A ready-made search, or None where it is not in this installation."""
    return next((card for card in PRESETS if card["id"] == name), None)


def lacking(entry: Entry) -> list[str]:
    """Everything that an entry names and that is not in this installation, each once, in order."""
    found = [name for wanted in entry.runs for name in lacking_of(wanted)]
    found += [f"ready-made search {name}" for name in entry.presets if preset(name) is None]
    for form in entry.forms:
        found += [] if form.algorithm in registry.algorithms() else [f"algorithm {form.algorithm}"]
        found += [f"data set {form.dataset}"] if form.dataset and form.dataset not in registry.datasets() else []
    if entry.explore and entry.explore not in PANELS:
        found.append(f"panel {entry.explore}")
    if entry.table is not None:
        found += [name for arm in entry.table.arms.values() for name in lacking_of(arm)]
        for column in entry.table.columns:
            found += [f"data set {name}" for name in column.datasets if name not in registry.datasets()]
            found += [f"ready-made search {name}" for name in column.presets if preset(name) is None]
    return list(dict.fromkeys(found))
