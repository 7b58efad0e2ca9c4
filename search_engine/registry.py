"""The registry: every algorithm, search space and data set by id, and which fit together.

Built-in entries are listed by module in each room's `__init__`; installed packages add theirs through the entry points
`nascope.algorithms`, `nascope.spaces` and `nascope.datasets` (each naming an entry object). Importing the registry imports no torch.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, TypeVar

from .algorithms import BUILT_IN as _ALGORITHMS
from .algorithms.base import AlgorithmEntry
from .datasets import BUILT_IN as _DATASETS
from .datasets.base import DatasetEntry
from .errors import BadInput
from .spaces import BUILT_IN as _SPACES
from .spaces.base import SpaceEntry

EntryT = TypeVar("EntryT")


def _load(room: str, modules: tuple[str, ...], kind: type[EntryT]) -> dict[str, EntryT]:
    entries: dict[str, EntryT] = {}
    found: list[Any] = [importlib.import_module(f"search_engine.{room}.{name}").ENTRY for name in modules]
    found += [point.load() for point in entry_points(group=f"nascope.{room}")]
    for item in found:
        for entry in item if isinstance(item, tuple) else (item,):
            if not isinstance(entry, kind):
                raise TypeError(f"nascope.{room}: {entry!r} is not a {kind.__name__}")
            if entry.id in entries:  # type: ignore[attr-defined]
                raise ValueError(f"two {room} are called '{entry.id}'")  # type: ignore[attr-defined]
            entries[entry.id] = entry  # type: ignore[attr-defined]
    return entries


@lru_cache(maxsize=1)
def algorithms() -> dict[str, AlgorithmEntry]:
    """All algorithms by id, in catalogue order."""
    return _load("algorithms", _ALGORITHMS, AlgorithmEntry)


@lru_cache(maxsize=1)
def spaces() -> dict[str, SpaceEntry]:
    """All search spaces by id."""
    return _load("spaces", _SPACES, SpaceEntry)


@lru_cache(maxsize=1)
def datasets() -> dict[str, DatasetEntry]:
    """All data sets by id; the first is the default."""
    return _load("datasets", _DATASETS, DatasetEntry)


def _find(entries: dict[str, EntryT], field: str, name: str) -> EntryT:
    if name not in entries:
        raise BadInput(field, f"there is no '{name}'; choose one of: {', '.join(entries)}", code="unknown_id")
    return entries[name]


def algorithm(name: str) -> AlgorithmEntry:
    """Raises BadInput(field "algorithm") for an unknown id."""
    return _find(algorithms(), "algorithm", name)


def space(name: str) -> SpaceEntry:
    """Raises BadInput(field "space") for an unknown id."""
    return _find(spaces(), "space", name)


def dataset(name: str) -> DatasetEntry:
    """Raises BadInput(field "dataset") for an unknown id."""
    return _find(datasets(), "dataset", name)


def spaces_for(entry: AlgorithmEntry) -> list[SpaceEntry]:
    """The spaces that an algorithm can search, its default first."""
    if entry.spaces is not None:
        return [space(name) for name in entry.spaces]
    return [item for item in spaces().values() if entry.space_needs <= item.offers]


def datasets_for(algorithm_entry: AlgorithmEntry, space_entry: SpaceEntry) -> list[DatasetEntry]:
    """The data sets on which the algorithm can search that space, the default first."""
    trial_based = "trials" in algorithm_entry.needs
    return [
        item
        for item in datasets().values()
        if (item.provides == "samples" or trial_based)
        and item.input_kind in space_entry.inputs
        and item.task in space_entry.tasks
        and (item.spaces is None or space_entry.id in item.spaces)
    ]


def compatibility() -> list[dict[str, Any]]:
    """Every combination that works: algorithm, space, data set, budgets."""
    return [
        {"algorithm": a.id, "space": s.id, "dataset": d.id, "budgets": sorted(a.budgets & d.budgets)}
        for a in algorithms().values()
        for s in spaces_for(a)
        for d in datasets_for(a, s)
    ]
