"""Examples in the engine's docstrings run, and say what they print.

Only modules with an example are imported, each in its own test. The standalone scripts of a download find each other as they do there: by
their bare names. Those that need its model have no example.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "search_engine"
STANDALONE = ENGINE / "bundle" / "standalone"
MODULES = sorted(path for path in ENGINE.rglob("*.py") if ">>> " in path.read_text())


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_examples_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if path.parent == STANDALONE:
        monkeypatch.syspath_prepend(str(ENGINE / "datasets" / "readers"))
    module = importlib.import_module(name_of(path))
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    tests = doctest.DocTestFinder(exclude_empty=True).find(module)
    for test in tests:
        runner.run(test, out=said.append)
    assert runner.tries and not runner.failures, "".join(said)


@cache
def exemplified(path: Path) -> str:
    """The source of all examples of a module."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    texts = [ast.get_docstring(node) or "" for node in nodes]
    return "\n".join(example.source for text in texts for example in doctest.DocTestParser().get_examples(text))


def test_every_class_that_the_how_to_pages_name_has_an_example() -> None:
    """In the module that defines it. Events have theirs above the module, because docstrings of models travel into schemas."""
    homes: dict[str, list[Path]] = {}
    for path in ENGINE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(path)
    named: set[str] = set()
    for page in sorted((ROOT / "docs").glob("add-*.md")):
        named |= set(re.findall(r"\b[A-Z]\w*[a-z]\w*\b", page.read_text())) & homes.keys()
    assert len(named) > 40
    missing = {name for name in named if not any(re.search(rf"\b{name}\b", exemplified(path)) for path in homes[name])}
    assert not missing, sorted(missing)
