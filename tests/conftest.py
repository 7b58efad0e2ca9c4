"""Shared by all tests: where the data files are, and one torch thread."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Equal bits need one thread; it must be said before torch is imported anywhere.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def _required() -> bool:
    return os.environ.get("REQUIRE_DATA", "") == "1"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with data files (NASCOPE_DATA). Without it the test is skipped, or fails where REQUIRE_DATA=1."""
    folder = os.environ.get("NASCOPE_DATA", "")
    if folder and Path(folder).is_dir():
        return Path(folder)
    reason = f"NASCOPE_DATA is {'not set' if not folder else f'no folder: {folder}'}; it must name the folder of the data files"
    if _required():
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The contract suites on one id: `pytest tests/search_engine/algorithms/test_contract.py --algorithm ID` (docs/add-an-algorithm.md)."""
    for room in ("algorithm", "space", "dataset"):
        parser.addoption(f"--{room}", metavar="ID", help=f"of the contract suites, only the tests of this {room}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What one of several test processes does as a whole (--dist loadgroup): a file, whose tests share fixtures; of the contract suite,
    which would keep one process busy alone, an algorithm."""
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        group = str(item.path)
        if item.path.name == "test_contract.py":
            group += f" {parameters.get('algorithm', '')}"
        item.add_marker(pytest.mark.xdist_group(group))
