"""Imports that stand in strings: `lazy_module("search_engine.spaces.graphs")`, `"search_engine.supernets.cell_network:build"`.

They bind as tightly as an `import` line and no tool sees them. grimp, whose graph import-linter checks, reads import statements (also
those in functions and under TYPE_CHECKING); `add_to` adds the strings.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grimp import ImportGraph

LOADERS = frozenset({"lazy_module", "load_object", "import_module", "find_spec"})
"""Functions whose first argument names a module, alone or with an object of it (`module:name`)."""
NAMES_A_MODULE = frozenset({"test_reader"})
"""Keyword arguments whose value names a module alone."""
ENTRY_KEYWORDS = frozenset({"builder", "finisher", "check", "advice", "initialiser", "morpher", "adopter"})
"""Keyword arguments of an entry that name a function of a higher room (a space names the builder of its network): these alone may point
up, because whoever reads them stands above both. `tests/tools/test_entries.py` resolves each."""
_OBJECT = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+:[A-Za-z_]\w*")


@dataclass(frozen=True)
class StringImport:
    """One string that names a module."""

    importer: str
    imported: str
    line: int
    text: str
    entry: bool
    """Whether it is the value of one of ENTRY_KEYWORDS."""


def add_to(graph: ImportGraph) -> list[StringImport]:
    """Add to `graph` what its modules import by strings, except what entries name. Returns all that was found, entries too."""
    found = [item for name, path in sorted(_files(graph).items()) for item in _of_file(graph, name, path)]
    for item in found:
        if not item.entry and item.imported != item.importer:
            graph.add_import(importer=item.importer, imported=item.imported, line_number=item.line, line_contents=repr(item.text))
    return found


def _files(graph: ImportGraph) -> dict[str, Path]:
    """The source file of every module of the graph, by its name."""
    files = {}
    for root in sorted(name for name in graph.modules if "." not in name and not graph.is_module_squashed(name)):
        spec = importlib.util.find_spec(root)
        for folder in map(Path, (spec.submodule_search_locations if spec is not None else None) or []):
            for path in folder.rglob("*.py"):
                parts = path.relative_to(folder).with_suffix("").parts
                name = ".".join((root, *(parts[:-1] if parts[-1] == "__init__" else parts)))
                if name in graph.modules:
                    files[name] = path
    return files


def _of_file(graph: ImportGraph, importer: str, path: Path) -> Iterator[StringImport]:
    for text, line, entry in _strings(ast.parse(path.read_text(encoding="utf-8"))):
        imported = _module(graph, text.partition(":")[0])
        if imported:
            yield StringImport(importer, imported, line, text, entry)


def _strings(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """The strings that name modules, each with its line and whether an entry's keyword holds it."""
    seen: set[ast.Constant] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = [(item.arg, item.value) for item in call.keywords]
        if call.args and _callee(call) in LOADERS:
            named.append(("", call.args[0]))
        for keyword, value in named:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                entry = keyword in ENTRY_KEYWORDS
                if keyword == "" or entry or keyword in NAMES_A_MODULE:
                    seen.add(value)
                    yield value.value, value.lineno, entry
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in seen and isinstance(node.value, str) and _OBJECT.fullmatch(node.value):
            yield node.value, node.lineno, False


def _callee(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def _module(graph: ImportGraph, name: str) -> str:
    """`name` as the graph knows it: a module of ours, or the package of others (squashed) that holds it; "" where it is neither."""
    if name in graph.modules:
        return name
    top = name.partition(".")[0]
    return top if top in graph.modules and graph.is_module_squashed(top) else ""
