"""How the house hangs together, in numbers: rooms, arrows between them, arrows up, pairs that import each other, circles of files.

    python -m tools.architecture                 every room, every arrow that points up, every pair, every circle
    python -m tools.architecture --counts        one line per part of the house
    python -m tools.architecture --root FOLDER   of another checkout

A *room* is the first folder below a part (`search_engine/`, `search_engine/algorithms/`, `webapp/`, `frontend/src/`); a file directly in a
part is a room of its own. An *arrow* is one room that imports another, whatever the number of imports. Counted are all kinds of import:
at the top of a file, in a function, under TYPE_CHECKING, and those in strings (tools.string_imports); of what entries name
(`builder="...:build"`) only the number is told. A package's `__init__` is a file like any other; that Python runs it before every module
of its folder is not counted.

*Up* is against the part's layers in pyproject (the `layers` of the import-linter contract whose container is the part). A part without such
a contract, or with a room that the contract does not know, is measured against the best order that a greedy search finds
(Eades, Lin, Smyth 1993), which flatters it.

Exit status 1 where a part that pyproject calls free of circles (`[tool.architecture] no_circles`) has one.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grimp
import networkx as nx

from . import string_imports

PYTHON = ("search_engine", "webapp", "nascope")
INNER = "search_engine.algorithms"
"""The part of which each package is a room, beside being one room of the engine."""
FRONTEND = Path("frontend/src")
_IMPORT = re.compile(r"""(?:^|[;\s}])(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")


@dataclass(frozen=True)
class Part:
    """One part of the house."""

    name: str
    files: nx.DiGraph[tuple[str, ...]]
    """An edge from each file to every file that it imports, files named by the folders below the part."""
    entries: int
    """Strings of entries, which are no arrows."""

    @property
    def rooms(self) -> nx.DiGraph[str]:
        """An edge from each room to every room that it imports."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(name[0] for name in self.files)
        graph.add_edges_from((file[0], imported[0]) for file, imported in self.files.edges if file[0] != imported[0])
        return graph

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Rooms that import each other."""
        rooms = self.rooms
        return sorted((one, other) for one, other in rooms.edges if one < other and rooms.has_edge(other, one))

    @property
    def circles(self) -> list[list[str]]:
        """Files that import each other, directly or round about: the strongly connected components of more than one."""
        found = [component for component in nx.strongly_connected_components(self.files) if len(component) > 1]
        return sorted(sorted("/".join(file) for file in component) for component in found)

    def arrows_up(self, floors: dict[str, int]) -> list[tuple[str, str]]:
        """Arrows to a room on a higher floor."""
        return sorted((room, imported) for room, imported in self.rooms.edges if floors[imported] > floors[room])


def python_parts(root: Path) -> Iterator[Part]:
    """The engine, its algorithms, the web application."""
    sys.path.insert(0, str(root))
    graph = grimp.build_graph(*PYTHON, cache_dir=None)
    entries = [item.importer for item in string_imports.add_to(graph) if item.entry]
    for name in (PYTHON[0], INNER, *PYTHON[1:]):
        yield Part(name, _python_files(graph, name), sum(_inside(importer, name) for importer in entries))


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _python_files(graph: grimp.ImportGraph, package: str) -> nx.DiGraph[tuple[str, ...]]:
    modules = sorted(module for module in graph.modules if _inside(module, package))
    # The package's own __init__ is a file beside the others.
    names = {module: tuple((module.removeprefix(package) or ".__init__")[1:].split(".")) for module in modules}
    files: nx.DiGraph[tuple[str, ...]] = nx.DiGraph()
    files.add_nodes_from(names.values())
    for module in modules:
        files.add_edges_from((names[module], names[item]) for item in graph.find_modules_directly_imported_by(module) if item in names)
    return files


def frontend_part(root: Path) -> Part:
    """The front end, type-only imports and those of lazily loaded pages counted; it has no aliases, so an import of ours begins with a
    dot."""
    sources = root / FRONTEND
    paths = {path.resolve(): path.relative_to(sources).with_suffix("").parts for path in sorted(sources.rglob("*.ts*"))}
    files: nx.DiGraph[tuple[str, ...]] = nx.DiGraph()
    files.add_nodes_from(paths.values())
    for path, name in paths.items():
        for match in _IMPORT.finditer(path.read_text(encoding="utf-8")):
            target = (path.parent / match.group(1)).resolve()
            candidates = [target, *(Path(f"{target}{ending}") for ending in (".ts", ".tsx", "/index.ts", "/index.tsx"))]
            files.add_edges_from((name, paths[item]) for item in candidates if item in paths)
    return Part(str(FRONTEND), files, 0)


def declared_floors(settings: dict[str, Any], part: str) -> dict[str, int]:
    """The floor of each room by the layers of the part's contract, the ground being 0; {} where there is no contract."""
    for contract in settings.get("importlinter", {}).get("contracts", []):
        if part in contract.get("containers", []) and "layers" in contract:
            layers = [re.split(r"\s*[|:]\s*", layer) for layer in reversed(contract["layers"])]
            return {room.strip("() "): floor for floor, layer in enumerate(layers) for room in layer}
    return {}


def found_floors(rooms: nx.DiGraph[str]) -> dict[str, int]:
    """An order of rooms that few arrows run against: sinks to the bottom, sources to the top, else the room with the most arrows out."""
    left = rooms.copy()
    bottom: list[str] = []
    top: list[str] = []
    while left:
        sinks = sorted(room for room in left if left.out_degree(room) == 0)
        sources = sorted(room for room in left if left.in_degree(room) == 0)
        if sinks:
            bottom.append(sinks[0])
            left.remove_node(sinks[0])
        else:
            room = sources[0] if sources else max(sorted(left), key=lambda room: left.out_degree(room) - left.in_degree(room))
            top.append(room)
            left.remove_node(room)
    return {room: floor for floor, room in enumerate([*bottom, *reversed(top)])}


def report(part: Part, declared: dict[str, int], *, counts: bool) -> Iterator[str]:
    """Lines for people."""
    rooms = part.rooms
    unknown = sorted(set(rooms) - set(declared) - {"__init__", "__main__"})
    known = {**dict.fromkeys(("__init__", "__main__"), len(declared)), **declared}
    up = part.arrows_up(found_floors(rooms) if unknown else known)
    yield (
        f"{part.name}: {len(rooms)} rooms, {rooms.number_of_edges()} arrows, {len(up)} up ({_order(declared, unknown)}), "
        f"{len(part.pairs)} pairs, {len(part.circles)} circles of files, {part.entries} entries' strings"
    )
    if counts:
        return
    if declared and unknown:
        yield f"  no layer of the contract: {', '.join(unknown)}"
    yield from (f"  up: {room} -> {imported}" for room, imported in up)
    yield from (f"  pair: {one} <-> {other}" for one, other in part.pairs)
    yield from (f"  circle: {', '.join(circle)}" for circle in part.circles)
    yield from (f"  {room} -> {', '.join(sorted(rooms[room])) or 'nothing'}" for room in sorted(rooms))


def _order(declared: dict[str, int], unknown: Iterable[str]) -> str:
    return "by its layers" if declared and not unknown else "by the best order found"


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.architecture", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="the checkout to measure (default: this one)")
    parser.add_argument("--counts", action="store_true", help="one line per part of the house")
    given = parser.parse_args(arguments)
    tools = tomllib.loads((given.root / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {})
    clean = tools.get("architecture", {}).get("no_circles", [])
    broken = []
    for part in (*python_parts(given.root), frontend_part(given.root)):
        print("\n".join(report(part, declared_floors(tools, part.name), counts=given.counts)))
        if part.circles and part.name in clean:
            broken.append(part)
    for part in broken:
        print(f"{part.name} has circles of files: {'; '.join(' <-> '.join(circle) for circle in part.circles)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
