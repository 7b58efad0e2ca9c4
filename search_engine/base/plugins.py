"""What is registered: the entries of a room's own modules, and those that installed packages bring.

Built-in entries are listed by module in their room's `__init__`. An installed package names its own through an entry point of the group
`nascope.<room>`. An entry point that cannot be loaded, or that names an entry which could not be listed or used, is left out and its
reason kept (`broken`), so that one bad package never takes the others down; a built-in module that cannot be loaded is a fault of ours
and raises.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any, Protocol, TypeVar

logger = logging.getLogger(__name__)


class Entry(Protocol):
    """Anything that is found by its id."""

    @property
    def id(self) -> str: ...


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True)
class BrokenPlugin:
    """An entry point of an installed package that was left out, and why.

    >>> print(BrokenPlugin("nascope.algorithms", "mine", "my_package.mine:ENTRY", "my-package", "1.0", "SyntaxError: invalid syntax"))
    mine (my_package.mine:ENTRY, nascope.algorithms) of my-package 1.0 was left out: SyntaxError: invalid syntax
    """

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
    """Entry points that were left out so far, in the order of their groups, names and packages."""
    return [_broken[key] for key in sorted(_broken)]


def load(room: str, modules: Iterable[str], kind: type[EntryT], check: Callable[[EntryT], None]) -> dict[str, EntryT]:
    """All entries of a room by id: those of its own `modules`, then those of installed packages.

    A module's `ENTRY`, like the object that an entry point names, is one entry or a tuple of them. `check` raises for a stranger's entry
    that could not be listed or used; our own are checked by a test. Raises TypeError or ValueError for a built-in module that names
    anything else or an id twice.
    """
    entries = load_own(room, modules, kind)
    group = f"nascope.{room}"
    for key in [key for key in _broken if key[0] == group]:
        del _broken[key]
    for point in points(group):
        try:
            new = _entries(point.load(), kind, entries)
            for entry in new.values():
                check(entry)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # Whatever a stranger's module does at its import, be it to end the process: the reason is told, the house stands.
            _leave_out(group, point.name, point.value, point.dist, error)
        else:
            entries.update(new)
    return entries


def load_own(room: str, modules: Iterable[str], kind: type[EntryT]) -> dict[str, EntryT]:
    """The entries of a room's own `modules` by id. Raises TypeError or ValueError for one that names anything else or an id twice."""
    entries: dict[str, EntryT] = {}
    for name in modules:
        found = importlib.import_module(f"search_engine.{room}.{name}").ENTRY
        entries.update(_entries(found, kind, entries))
    return entries


def _entries(found: Any, kind: type[EntryT], known: dict[str, EntryT]) -> dict[str, EntryT]:
    new: dict[str, EntryT] = {}
    for entry in found if isinstance(found, tuple) else (found,):
        if not isinstance(entry, kind):
            given = type(entry).__name__ + (f" {entry[:80]!r}" if isinstance(entry, str) else "")
            raise TypeError(f"it names {given}, where one {kind.__name__} (or a tuple of them) is expected")
        if entry.id in known or entry.id in new:
            raise ValueError(f"there is another {kind.__name__} with the id '{entry.id}'")
        new[entry.id] = entry
    return new


def points(group: str) -> Iterator[EntryPoint]:
    """The entry points of a group, in the order of the path; of a package that lies there twice, the first. Packages are asked one by one:
    `importlib.metadata.entry_points` reads all files at once and fails with the first that is malformed, whoever's it is (libraries that
    ask so at their import, as networkx does, end there in any program)."""
    seen: set[str] = set()
    for distribution in distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
        except (OSError, UnicodeDecodeError):
            continue  # nobody can say what it names
        if group not in text:
            continue
        package, _ = _origin(distribution)
        if package and package in seen:
            continue
        seen.add(package)
        try:
            yield from distribution.entry_points.select(group=group)
        except Exception as error:
            _leave_out(group, "entry_points.txt", "the whole file", distribution, error)


def _origin(distribution: Distribution | None) -> tuple[str, str]:
    """Name and version of a package; empty where its metadata lack them or cannot be read."""
    if distribution is None:
        return "", ""
    try:
        metadata = distribution.metadata.json
    except Exception:
        return "", ""
    return str(metadata.get("name", "")), str(metadata.get("version", ""))


def _leave_out(group: str, name: str, value: str, distribution: Distribution | None, error: BaseException) -> None:
    package, version = _origin(distribution)
    message = " ".join(str(error).split())
    reason = f"{type(error).__name__}: {message}" if message else type(error).__name__
    plugin = _broken[group, name, package] = BrokenPlugin(group, name, value, package, version, reason[:500])
    logger.warning("%s", plugin)
    logger.debug("where %s failed", value, exc_info=error)
