"""What docstrings, comments and pages name is there: files by their path, modules and what they hold by their dotted name."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILE = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|ts|tsx|md|toml|yaml|yml|mjs))(?::\w+)?`")
DOTTED = re.compile(r"(?<![\w.])search_engine(?:\.[A-Za-z_]\w*)+")
HISTORY = ("CHANGELOG.md",)
"""Pages that speak of what was."""
EXAMPLES = ("my_package/",)
"""Folders that the how-to pages invent."""


def texts() -> Iterator[tuple[Path, str]]:
    listed = subprocess.run(["git", "ls-files", "*.py", "*.md", "*.toml", "*.yml", "*.ts", "*.tsx", "*.mjs"], cwd=ROOT, capture_output=True,
                            text=True, check=True)
    for name in listed.stdout.split():
        path = ROOT / name
        # Tests speak of what is not there, on purpose; what they import is there, or they fail.
        if name not in HISTORY and not name.startswith("tests/") and path.is_file():
            yield path, path.read_text(encoding="utf-8")


def is_there(name: str, beside: Path) -> bool:
    """A file, seen from the repository, from one of its rooms, or from a folder above the text that names it."""
    rooms = [ROOT / "search_engine", ROOT / "search_engine" / "algorithms", ROOT / "webapp", ROOT / "frontend", ROOT / "frontend" / "src"]
    above = [folder for folder in beside.parents if folder.is_relative_to(ROOT)]
    return any((folder / name).exists() for folder in [*rooms, *above])


def is_defined(dotted: str) -> bool:
    """The longest beginning that is a module must say the next word, if there is one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if source.is_file():
            return length == len(parts) or re.search(rf"\b{parts[length]}\b", source.read_text(encoding="utf-8")) is not None
    return False


def test_every_file_that_is_named_is_there() -> None:
    missing = [f"{path.relative_to(ROOT)}: {name}" for path, text in texts() for name in FILE.findall(text)
               if not name.startswith(EXAMPLES) and not is_there(name, path)]
    assert not missing, missing


def test_every_module_that_is_named_is_there() -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {name}" for path, text in texts() for name in set(DOTTED.findall(text))
        if not is_defined(name)
    ]
    assert not missing, missing


@pytest.mark.parametrize("name", ["search_engine.no_room.search", "search_engine.base.errors.WorseInput"])
def test_a_name_of_what_is_not_there_is_found(name: str) -> None:
    assert not is_defined(name)
    assert is_defined("search_engine.base.errors.BadInput")
