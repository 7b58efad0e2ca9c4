"""The last lines of a run: what was not run, for want of what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.absent import DIGESTS
from tests.plugins import not_run

from .conftest import TWO_PROCESSES

MODULE = """
import pytest
from tests.absent import absent

@pytest.mark.parametrize("number", range(3))
def test_files(number):
    absent("data files", "put them there", required="NEVER")

@pytest.fixture(scope="module")
def server():
    absent("Redis", "install it", required="NEVER")

@pytest.mark.parametrize("number", range(2))
def test_server(server, number): pass

@pytest.mark.skipif(True, reason="only on other systems")
def test_system(): pass

def test_that_runs(): pass
"""


@pytest.mark.parametrize("processes", [(), TWO_PROCESSES])
def test_counted_by_reason(processes: tuple[str, ...], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MODULE)
    result = pytester.runpytest_subprocess("-p", "tests.plugins.not_run", *processes)
    result.assert_outcomes(passed=1, skipped=6)
    result.stdout.fnmatch_lines(
        [
            "*not run*", "3 tests were not run for want of data files: put them there",
            "2 tests were not run for want of Redis: install it", "1 test was not run: only on other systems",
        ]
    )  # fmt: skip


def test_a_run_without_skips_says_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_that_runs(): pass")
    assert "not run" not in pytester.runpytest_subprocess("-p", "tests.plugins.not_run").stdout.str()


def test_the_command_accepts_missing_data_files_and_digests_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = tmp_path / "last"
    assert not_run.main(last) == 1
    last.write_text(json.dumps({"for want of data files: put them there": 3, f"for want of {DIGESTS}: compare": 1}))
    assert not_run.main(last) == 0
    last.write_text(json.dumps({"for want of data files: put them there": 3, "for want of Redis: install it": 1}))
    assert not_run.main(last) == 1
    assert "1 test was not run for want of Redis" in capsys.readouterr().out
    last.write_text("{}")
    assert not_run.main(last) == 0
