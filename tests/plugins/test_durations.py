"""The committed table of durations, and the lists in CONTRIBUTING.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugins import durations
from tests.plugins.durations import BEGIN, END, LISTED, UNKNOWN, Durations, frontend, section, stored, updated, written

MEASURED: durations.Measured = {
    **{f"tests/a.py::test_{number}": ("fast", float(number)) for number in range(1, LISTED + 11)},
    "tests/b.py::test_it[x|y]": ("slow", 90.04), "tests/b.py::test_other": ("slow", 3.0),
}


def test_a_suite_lists_its_slowest_and_averages_the_rest_by_file() -> None:
    table, complaints = updated({"suites": {}, "files": {}}, MEASURED)
    assert complaints == []
    fast = table["suites"]["fast"]
    assert (fast["count"], fast["seconds"]) == (50, sum(range(1, 51)))
    assert next(iter(fast["tests"].items())) == ("tests/a.py::test_50", 50.0) and len(fast["tests"]) == LISTED
    assert table["files"] == {"tests/a.py": 5.5}, "the mean of the ten quickest"
    assert table["suites"]["slow"]["tests"] == {"tests/b.py::test_it[x|y]": 90.0, "tests/b.py::test_other": 3.0}


def test_a_suite_that_was_not_run_whole_keeps_its_figures() -> None:
    table, _ = updated({"suites": {}, "files": {}}, MEASURED)
    some = {"tests/a.py::test_50": ("fast", 1.0), "tests/b.py::test_it[x|y]": ("slow", 1.0), "tests/b.py::test_new": ("slow", 2.0)}
    again, complaints = updated(table, some)
    assert again["suites"]["fast"] == table["suites"]["fast"] and again["files"] == table["files"]
    assert complaints == ["make test: measured 1 of 50 tests here, so that its figures stay"]
    assert again["suites"]["slow"]["tests"] == {"tests/b.py::test_new": 2.0, "tests/b.py::test_it[x|y]": 1.0}


def test_what_a_test_is_expected_to_take() -> None:
    """Measured here, else in the table, else its file's average, else a guess; also after its file moved."""
    table, _ = updated({"suites": {}, "files": {}}, MEASURED)
    known = Durations.read({"tests/a.py::test_50": 7.0}, table)
    assert known.of("tests/a.py::test_50") == 7.0
    assert known.of("tests/moved/b.py::test_it[x|y]") == 90.0
    assert known.of("tests/a.py::test_new[a/b]") == 5.5
    assert known.of("tests/c.py::test_new") == UNKNOWN


def test_the_page_has_the_lists_between_its_marks() -> None:
    table, _ = updated({"suites": {}, "files": {}}, MEASURED)
    page = written(f"above\n{BEGIN}\nold\n{END}\nbelow\n", section(table))
    assert page.startswith(f"above\n{BEGIN}\n\n<details><summary>make test: 50 tests, 1,275 s of work") and page.endswith(f"{END}\nbelow\n")
    assert "| 90.0 | `b.py::test_it[x\\|y]` |" in page and "old" not in page
    assert page.count("`a.py::test_") == LISTED
    with pytest.raises(ValueError, match="lacks its marks"):
        written("nothing", "")


def test_vitest_s_report_is_a_suite_too(tmp_path: Path) -> None:
    assert frontend(tmp_path / "none") == {}
    tests = [{"fullName": "a page shows it", "duration": 1234.5}, {"fullName": "skipped", "duration": None}]
    report = {"testResults": [{"name": "/home/x/frontend/tests/page.test.tsx", "assertionResults": tests}]}
    (tmp_path / "report").write_text(json.dumps(report))
    assert frontend(tmp_path / "report") == {
        "tests/page.test.tsx › a page shows it": ("frontend", 1.2345), "tests/page.test.tsx › skipped": ("frontend", 0.0),
    }  # fmt: skip


def test_the_committed_page_is_what_the_committed_table_says() -> None:
    page = durations.PAGE.read_text()
    assert written(page, section(stored())) == page


def test_the_committed_table_names_files_that_are_there() -> None:
    """After files have moved: run the suites, then `make durations`."""
    table = stored()
    listed = {name.partition("::")[0] for suite, entry in table["suites"].items() if suite != "frontend" for name in entry["tests"]}
    gone = sorted(name for name in listed | set(table["files"]) if not (durations.ROOT / name).is_file())
    assert not gone, gone
