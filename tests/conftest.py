"""Shared by all tests: where the data files are, and which tests one process does together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.absent import DATA_FILES, absent, absent_service, need_data
from tests.environment import GIVEN

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}

pytest_plugins = ["pytester", "tests.plugins.not_run", "tests.plugins.recorder", "tests.plugins.by_time"]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with data files: NASCOPE_DATA, or var/data. Without any the test is skipped, or fails where REQUIRE_DATA=1.

    The only way to them (tests/environment.py): a test that has this fixture, directly or by another one, is marked `data`.
    """
    folder = Path(os.environ[GIVEN])
    if not (folder.is_dir() and any(folder.iterdir())):
        absent(DATA_FILES, "put them into var/data, or name their folder with NASCOPE_DATA", required="REQUIRE_DATA")
    return folder


@pytest.fixture(scope="session")
def tables(data_dir: Path) -> Path:
    """The folder of data files, with the NAS-Bench-201 tables in it."""
    need_data(data_dir, "nb201/nb201.npz")
    return data_dir


@pytest.fixture(autouse=True)
def _gpu(request: pytest.FixtureRequest) -> None:
    """A test marked `gpu` needs a CUDA device."""
    if request.node.get_closest_marker("gpu") is not None:
        import torch

        if not torch.cuda.is_available():
            absent_service("a CUDA device", "run make test-gpu on a machine that has one")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The contract suites on one id: `pytest tests/search_engine/spaces/test_contract.py --space ID` (docs/add-a-space.md)."""
    for room in ("algorithm", "space", "dataset"):
        parser.addoption(f"--{room}", metavar="ID", help=f"of the contract suites, only the tests of this {room}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks `data` what uses data files and `database` what uses the tests' database, and says what one of several test processes does as a
    whole (--dist loadgroup): a file, whose tests share fixtures; of the contract suite, which would keep one process busy alone, an
    algorithm."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "data_dir" in fixtures:
            item.add_marker("data")
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(fixtures):
            item.add_marker("database")
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        group = str(item.path)
        if item.path.name == "test_contract.py":
            group += f" {parameters.get('algorithm', '')}"
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> object:
    """A test that asks for data files behind pytest's back (`request.getfixturevalue`) cannot be selected by its mark: that is a fault."""
    report = yield
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if f"for want of {DATA_FILES}" in reason and item.get_closest_marker("data") is None:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} asks for data files and is not marked `data`: give it the fixture data_dir by name"
    return report
