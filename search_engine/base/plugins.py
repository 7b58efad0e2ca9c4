"""What is registered: the entries of a room's own modules, and those that installed packages bring.

Built-in entries are listed by module in their room's `__init__`. An installed package names its own through an entry point of the group
`nascope.<room>`. A package that cannot be loaded is left out and its reason kept (`broken`), so that one bad package never takes the
others down; a built-in module that cannot be loaded is a fault of ours and raises.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, TypeVar

logger = logging.getLogger(__name__)


class Entry(Protocol):
    """Anything that is found by its id."""

    @property
    def id(self) -> str: ...


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True)
class BrokenPlugin:
    """An entry point of an installed package that was left out, and why."""

    group: str
    """For example `nascope.algorithms`."""
    name: str
    value: str
    """What it names: `module:object`."""
    package: str
    version: str
    reason: str

    def __str__(self) -> str:
        origin = f"{self.package} {self.version}".strip() or "an unknown package"
        return f"{self.name} ({self.value}, {self.group}) of {origin} was left out: {self.reason}"


_broken: dict[tuple[str, str, str], BrokenPlugin] = {}


def broken() -> list[BrokenPlugin]:
    """Entry points that were left out so far, in the order of their groups and names."""
    return [_broken[key] for key in sorted(_broken)]


def load(room: str, modules: Iterable[str], kind: type[EntryT]) -> dict[str, EntryT]:
    """All entries of a room by id: those of its own `modules`, then those of installed packages.

    A module's `ENTRY`, like the object that an entry point names, is one entry or a tuple of them. Raises TypeError or ValueError for a
    built-in module that names anything else or an id twice.
    """
    entries: dict[str, EntryT] = {}
    for name in modules:
        found = importlib.import_module(f"search_engine.{room}.{name}").ENTRY
        entries.update(_checked(found, kind, entries))
    group = f"nascope.{room}"
    for key in [key for key in _broken if key[0] == group]:
        del _broken[key]
    for point in entry_points(group=group):
        try:
            entries.update(_checked(point.load(), kind, entries))
        except (Exception, SystemExit) as error:
            # Whatever a stranger's module does at its import: the reason is told, the house stands.
            plugin = _told(group, point, error)
            _broken[group, point.name, point.value] = plugin
            logger.warning("%s", plugin)
    return entries


def _checked(found: Any, kind: type[EntryT], known: dict[str, EntryT]) -> dict[str, EntryT]:
    new: dict[str, EntryT] = {}
    for entry in found if isinstance(found, tuple) else (found,):
        if not isinstance(entry, kind):
            given = f"{type(entry).__name__} {str(entry)[:80]!r}"
            raise TypeError(f"it names {given}, where one {kind.__name__} (or a tuple of them) is expected")
        if entry.id in known or entry.id in new:
            raise ValueError(f"there is another {kind.__name__} with the id '{entry.id}'")
        new[entry.id] = entry
    return new


def _told(group: str, point: EntryPoint, error: BaseException) -> BrokenPlugin:
    package = getattr(point, "dist", None)
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return BrokenPlugin(group, point.name, point.value, package.name if package else "", package.version if package else "", reason[:500])
