"""A method inside a family stands in the contract that keeps such methods apart: it is a list, since a family has files of its own, too."""

from __future__ import annotations

import tomllib
from pathlib import Path

from search_engine.algorithms import BUILT_IN

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = "methods-of-a-family-alone"


def kept_apart() -> list[str]:
    """The modules of the contract."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (modules,) = (contract["modules"] for contract in contracts if contract["id"] == CONTRACT)
    return list(modules)


def test_every_method_inside_a_family_is_kept_apart_from_its_siblings() -> None:
    inside = sorted(f"search_engine.algorithms.{name}" for name in BUILT_IN if "." in name)
    assert sorted(kept_apart()) == inside, f"pyproject.toml: the contract {CONTRACT} names every method inside a family, and nothing else"
