"""A stranger's package as pip leaves it behind: modules, and a dist-info with metadata and entry points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

GOOD = '''
from pydantic import Field

from search_engine.algorithms.base import QUICK_TRIALS, AlgorithmEntry
from search_engine.algorithms.trials.random_search import RandomConfig, RandomSearch


class CoinConfig(RandomConfig):
    faces: int = Field(default=2, ge=2, le=6, description="faces of the coin")


def phases(options):
    return [RandomSearch()]


ENTRY = AlgorithmEntry(
    id="coin", title="Coin toss", family="sampling", summary="Random search by another name.", source="a stranger",
    needs=frozenset({"trials"}), space_needs=frozenset({"sample"}), config=CoinConfig, phases=phases, quick=QUICK_TRIALS,
)
'''
"""An algorithm that works."""


def install(folder: Path, package: str, modules: Mapping[str, str], entry_points: Mapping[str, Mapping[str, str]]) -> Path:
    """Lay the package into `folder`, which is to be put on the path. `entry_points`: group -> name -> "module:object"."""
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text("")
    for name, source in modules.items():
        (folder / package / f"{name}.py").write_text(source)
    info = folder / f"{package}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.2\n")
    sections = (f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items()) for group, points in entry_points.items())
    (info / "entry_points.txt").write_text("".join(sections))
    return folder
