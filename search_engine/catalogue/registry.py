"""The registry: every algorithm, search space and data set by id, and which fit together.

Built-in entries are listed by module in each room's `__init__`; installed packages add theirs through the entry points
`nascope.algorithms`, `nascope.spaces` and `nascope.datasets` (each naming an entry object). Importing the registry imports no torch.

>>> algorithm("random").title, space("nb201").id, dataset("digits").provides
('Random search', 'nb201', 'samples')
>>> algorithm("randon")
Traceback (most recent call last):
search_engine.base.errors.BadInput: algorithm: there is no 'randon'; choose one of: ...
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..algorithms import BUILT_IN as _ALGORITHMS
from ..algorithms import UNLISTED as _UNLISTED
from ..algorithms.base import AlgorithmEntry, Phase
from ..base import plugins
from ..base.errors import BadInput
from ..base.plugins import BrokenPlugin, EntryT
from ..base.quoting import shown
from ..datasets import BUILT_IN as _DATASETS
from ..datasets.base import DatasetEntry
from ..datasets.own import entry as _own
from ..datasets.own.stored import is_own
from ..spaces import entries as _spaces
from ..spaces.base import SpaceEntry
from .plugin_checks import check_algorithm, check_dataset


@lru_cache(maxsize=1)
def algorithms() -> dict[str, AlgorithmEntry]:
    """All algorithms by id, in catalogue order."""
    return plugins.load("algorithms", _ALGORITHMS, AlgorithmEntry, lambda entry: check_algorithm(entry, spaces()))


@lru_cache(maxsize=1)
def unlisted() -> dict[str, AlgorithmEntry]:
    """What a run may name as its algorithm though it is no search, and no list offers it."""
    return plugins.load_own("algorithms", _UNLISTED, AlgorithmEntry)


def spaces() -> dict[str, SpaceEntry]:
    """All search spaces by id."""
    return _spaces.entries()


@lru_cache(maxsize=1)
def datasets() -> dict[str, DatasetEntry]:
    """All data sets by id that the program and installed packages bring; the first is the default. What people brought: `own_datasets`."""
    return plugins.load("datasets", _DATASETS, DatasetEntry, lambda entry: check_dataset(entry, spaces()))


def own_datasets() -> dict[str, DatasetEntry]:
    """The stored data sets of people, the oldest first, as they lie in the folder now: they come and go while the program runs."""
    return _own.entries()


def known_dataset(name: str) -> DatasetEntry | None:
    """Any data set; None for an unknown id, and for a stored set that was removed."""
    return _own.entry(name) if is_own(name) else datasets().get(name)


_brought: set[tuple[str, str]] = set()


def bring(entry: AlgorithmEntry | SpaceEntry | DatasetEntry) -> None:
    """Make an entry known in this process, until it ends, as that of an installed package would be. One of the same id that was brought
    before gives way to it. Raises BadInput (field "algorithm", "space" or "data") where it could not be listed or used, or where its id is
    another's.

    >>> from dataclasses import replace
    >>> bring(replace(dataset("digits"), id="more_digits"))
    >>> dataset("more_digits").title == dataset("digits").title
    True
    >>> bring(replace(dataset("digits"), id="mnist"))
    Traceback (most recent call last):
    search_engine.base.errors.BadInput: data: there is another one with the id 'mnist': give yours an id of its own
    >>> forget("data", "more_digits")
    """
    field, known = _room(entry)
    if known.get(entry.id) is entry:
        return
    if (entry.id in known and (field, entry.id) not in _brought) or entry.id in unlisted() or is_own(entry.id):
        raise BadInput(field, f"there is another one with the id {shown(entry.id)}: give yours an id of its own")
    try:
        if isinstance(entry, AlgorithmEntry):
            check_algorithm(entry, spaces())
        elif isinstance(entry, SpaceEntry):
            _spaces.check_space(entry)
        else:
            check_dataset(entry, spaces())
    except (TypeError, ValueError, ImportError, AttributeError) as error:
        raise BadInput(field, f"{shown(entry.id)} could not be used: {error}") from None
    known[entry.id] = entry
    _brought.add((field, entry.id))


def forget(field: str, name: str) -> None:
    """Undo `bring` of an entry with that id."""
    if (field, name) in _brought:
        _brought.discard((field, name))
        rooms: dict[str, dict[str, Any]] = {"algorithm": algorithms(), "space": spaces(), "data": datasets()}
        del rooms[field][name]


def _room(entry: AlgorithmEntry | SpaceEntry | DatasetEntry) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, AlgorithmEntry):
        return "algorithm", algorithms()
    return ("space", spaces()) if isinstance(entry, SpaceEntry) else ("data", datasets())


def broken_plugins() -> list[BrokenPlugin]:
    """What installed packages would have brought if it could be loaded, with the reasons."""
    algorithms(), spaces(), datasets()
    return plugins.broken()


def _find(entries: dict[str, EntryT], field: str, name: str) -> EntryT:
    if name not in entries:
        raise BadInput(field, f"there is no {shown(name)}; choose one of: {', '.join(entries)}", code="unknown_id")
    return entries[name]


def algorithm(name: str) -> AlgorithmEntry:
    """Raises BadInput(field "algorithm") for an unknown id."""
    return unlisted()[name] if name in unlisted() else _find(algorithms(), "algorithm", name)


def space(name: str) -> SpaceEntry:
    """Raises BadInput(field "space") for an unknown id."""
    return _find(spaces(), "space", name)


def dataset(name: str) -> DatasetEntry:
    """Raises BadInput(field "dataset") for an unknown id, with the code "deleted_data" for that of a stored set that is not there."""
    if not is_own(name):
        return _find(datasets(), "dataset", name)
    found = _own.entry(name)
    if found is None:
        why = "is not stored here: it was removed, or kept elsewhere. Import its file again with the same choices"
        raise BadInput("dataset", f"the data set {shown(name)} {why}", code="deleted_data")
    return found


def spaces_for(entry: AlgorithmEntry) -> list[SpaceEntry]:
    """The spaces that an algorithm can search, its default first."""
    if entry.spaces is not None:
        return [space(name) for name in entry.spaces]
    return [item for item in spaces().values() if entry.space_needs <= item.offers]


def spaces_by_kind(entry: AlgorithmEntry) -> dict[str, list[str]]:
    """Ids of the spaces that an algorithm can search, by the kind of data that they take, the default first; where there is none,
    `AlgorithmEntry.no_space_for` says why.

    >>> spaces_by_kind(algorithm("enas"))
    {'image': ['macro', 'cell', 'nb201'], 'vector': ['tabular_cell'], 'series': ['macro_1d', 'cell_1d']}
    """
    return {kind: [item.id for item in spaces_for(entry) if kind in item.inputs] for kind in ("image", "vector", "series")}


def datasets_for(algorithm_entry: AlgorithmEntry, space_entry: SpaceEntry) -> list[DatasetEntry]:
    """The data sets of `datasets` on which the algorithm can search that space, the default first."""
    return [item for item in datasets().values() if fits(algorithm_entry, space_entry, item)]


def fits(algorithm_entry: AlgorithmEntry, space_entry: SpaceEntry, item: DatasetEntry) -> bool:
    """Whether the algorithm can search that space on that data set."""
    return (
        (item.provides == "samples" or "trials" in algorithm_entry.needs)
        and item.input_kind in space_entry.inputs
        and item.task in space_entry.tasks
        and (item.spaces is None or space_entry.id in item.spaces)
    )


def beginning_with_models(dataset_name: str) -> list[AlgorithmEntry]:
    """The algorithms that can begin with a finished model of that data set, as far as that follows from the ids alone; none for an
    unknown id."""
    item = known_dataset(dataset_name)
    able = [] if item is None else [entry for entry in algorithms().values() if entry.begins_with]
    return [entry for entry in able if item is not None and any(fits(entry, each, item) for each in spaces_for(entry))]


def phases_of(entry: AlgorithmEntry) -> list[Phase]:
    """The phases of an algorithm with its default options, on as few data sets as it takes."""
    options = entry.config()
    return entry.phases(options, entry.domains.least) if entry.domains.most > 1 else entry.phases(options)


def compatibility() -> list[dict[str, Any]]:
    """Every combination that works: algorithm, space, data set, budgets."""
    return [
        {"algorithm": a.id, "space": s.id, "dataset": d.id, "budgets": sorted(a.budgets & d.budgets)}
        for a in algorithms().values()
        for s in spaces_for(a)
        for d in datasets_for(a, s)
    ]
