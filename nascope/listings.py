"""What there is to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from search_engine.algorithms.base import AlgorithmEntry
    from search_engine.datasets.base import DatasetEntry
    from search_engine.spaces.base import SpaceEntry

EntryT = TypeVar("EntryT")


class Listing(Mapping[str, EntryT], Generic[EntryT]):
    """Entries by id, the first being the default; shows itself as a table of ids and titles."""

    def __init__(self, entries: Mapping[str, EntryT]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> EntryT:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def _titles(self) -> list[tuple[str, str]]:
        entries: Mapping[str, Any] = self._entries
        return [(name, entry.title) for name, entry in entries.items()]

    def __repr__(self) -> str:
        return "\n".join(f"{name:<24}{title}" for name, title in self._titles())

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td><code>{escape(name)}</code></td><td>{escape(title)}</td></tr>" for name, title in self._titles())
        return f"<table><tr><th>id</th><th>what it is</th></tr>{rows}</table>"


def algorithms() -> Listing[AlgorithmEntry]:
    """The algorithms, those of installed packages included.

    >>> algorithms()["random"].title
    'Random search'
    """
    from search_engine.catalogue import registry

    return Listing(registry.algorithms())


def spaces() -> Listing[SpaceEntry]:
    """The search spaces.

    >>> spaces()["cell"].source.split(":")[0]
    'Liu, Simonyan and Yang'
    """
    from search_engine.catalogue import registry

    return Listing(registry.spaces())


def datasets() -> Listing[DatasetEntry]:
    """The data sets, your own stored ones at the end.

    >>> datasets()["digits"].shape.input
    (1, 8, 8)
    """
    from search_engine.catalogue import registry

    return Listing({**registry.datasets(), **registry.own_datasets()})
