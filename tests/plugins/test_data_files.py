"""Only tests that say so see data files, on every machine; a test that wants them and does not say so fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.environment import GIVEN, HIDDEN

Run = Callable[..., pytest.RunResult]
MODULE = """
import os, pathlib, subprocess, sys
import pytest

def seen():
    print_ = "import os, pathlib; print(pathlib.Path(os.environ['NASCOPE_DATA'], 'mnist').is_dir())"
    return subprocess.run([sys.executable, "-c", print_], capture_output=True, text=True, check=True).stdout.strip()

def test_says_nothing():
    assert seen() == "False"

def test_by_name(data_dir):
    assert (data_dir / "mnist").is_dir()
    assert seen() == "False", "handed on by name only"

@pytest.fixture(scope="module")
def folder(data_dir):
    return data_dir

def test_by_another_fixture(folder):
    assert (folder / "mnist").is_dir()

def test_behind_pytest_s_back(request):
    request.getfixturevalue("data_dir")

def test_through_the_engine():
    from search_engine.catalogue.config import check
    check({"algorithm": "random", "datasets": ["mnist"], "budget": {"trials": 1}}, pathlib.Path(os.environ["NASCOPE_DATA"]))
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of its own with the conftest of all tests, where NASCOPE_DATA is the given folder."""
    pytester.makepyfile(MODULE)

    def with_data(folder: Path | None, *arguments: str, **environment: str) -> pytest.RunResult:
        for name in ("REQUIRE_DATA", GIVEN, "NASCOPE_DATA"):
            monkeypatch.delenv(name, raising=False)
        # var/data of this checkout must not answer for a folder that is not named.
        monkeypatch.setenv("NASCOPE_DATA", str(folder or pytester.path / "none"))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return pytester.runpytest_subprocess("-p", "tests.conftest", "-p", "no:cacheprovider", *arguments)

    return with_data


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "files" / "mnist").mkdir(parents=True)
    return tmp_path / "files"


def test_with_the_files_only_marked_tests_see_them(run: Run, files: Path) -> None:
    result = run(files, "-m", "data")
    result.assert_outcomes(passed=2, deselected=3)
    result = run(files, "-m", "not data")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*MissingData*" + HIDDEN.name + "*"])


def test_without_the_files_marked_tests_are_skipped_and_counted(run: Run) -> None:
    result = run(None, "-k", "not engine")
    result.assert_outcomes(passed=1, skipped=2, failed=1, deselected=1)
    result.stdout.fnmatch_lines(
        ["*asks for data files and is not marked `data`*", "2 tests were not run for want of data files: put them into var/data*"]
    )


def test_where_they_are_required_their_absence_is_a_failure(run: Run) -> None:
    result = run(None, "-m", "data", REQUIRE_DATA="1")
    result.assert_outcomes(errors=2, deselected=3)
