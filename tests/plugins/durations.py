"""How long tests take: the committed table for those who have not run them yet, and the lists of the slowest in CONTRIBUTING.md.

    make durations        writes both, from what the runs in this folder have measured (make test, make test-data, make test-slow)

The table holds the tests of the slow suites one by one, of the fast ones the slowest, and for each file what its other tests take on
average. Engine and server are measured by tests/plugins/recorder.py, the front end by vitest. A suite that was not run whole here keeps
what the table says of it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "durations.json"
PAGE = ROOT / "CONTRIBUTING.md"
VITEST = ROOT / "frontend" / "node_modules" / ".vitest" / "durations.json"
KEY = "nascope/durations"
MEASURED = ROOT / ".pytest_cache" / "v" / KEY
SUITES = ("night", "slow", "data")
"""Marks that make a suite of their own, the first that a test has; all others are the fast suite."""
LISTED = 40
UNKNOWN = 0.5
"""Seconds of a test of which nothing is known."""
TITLES: dict[str, tuple[str, int | None]] = {
    "fast": ("make test", LISTED), "data": ("make test-data", None), "slow": ("make test-slow", None), "night": ("make test-night", None),
    "frontend": ("make test-ui", LISTED),
}
"""The command of each suite, and how many of its tests the table holds one by one."""
BEGIN, END = "<!-- durations: make durations -->", "<!-- end of durations -->"

Measured = dict[str, tuple[str, float]]
"""(suite, seconds) by test."""


@dataclass(frozen=True)
class Durations:
    """What a test is expected to take. A file that moved is known by its own name."""

    tests: dict[str, float] = field(default_factory=dict)
    files: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, known: dict[str, float], stored: dict[str, Any]) -> Durations:
        """What the committed table says, overruled by what is known of this machine."""
        tests = {name: seconds for suite in stored["suites"].values() for name, seconds in suite["tests"].items()}
        files = {_moved(path): seconds for path, seconds in stored["files"].items()}
        return cls({_moved(name): seconds for name, seconds in (tests | known).items()}, files)

    def of(self, test: str) -> float:
        """Seconds."""
        name = _moved(test)
        return self.tests.get(name, self.files.get(name.partition("::")[0], UNKNOWN))


def _moved(name: str) -> str:
    """A test or file without its folder."""
    path, colons, test = name.partition("::")
    return path.rpartition("/")[2] + colons + test


def stored(table: Path = TABLE) -> dict[str, Any]:
    """The committed table; an empty one where there is none."""
    return json.loads(table.read_text()) if table.is_file() else {"suites": {}, "files": {}}  # type: ignore[no-any-return]


def updated(table: dict[str, Any], measured: Measured) -> tuple[dict[str, Any], list[str]]:
    """The table with every suite that was measured whole (nine tests of ten that it knows), and sentences about the others."""
    suites, files, complaints = dict(table["suites"]), dict(table["files"]), []
    for suite, (title, listed) in TITLES.items():
        rows = sorted(((seconds, name) for name, (its, seconds) in measured.items() if its == suite), key=lambda row: (-row[0], row[1]))
        known = suites.get(suite, {"count": 0})["count"]
        if not rows or len(rows) < 0.9 * known:
            complaints += [f"{title}: measured {len(rows)} of {known} tests here, so that its figures stay"] if known else []
            continue
        single = rows[:listed]
        suites[suite] = {
            "count": len(rows), "seconds": round(sum(seconds for seconds, _ in rows)),
            "tests": {name: round(seconds, 1) for seconds, name in single},
        }
        if suite == "fast":
            rest: dict[str, list[float]] = {}
            for seconds, name in rows[len(single) :]:
                rest.setdefault(name.partition("::")[0], []).append(seconds)
            files = {path: round(sum(all_) / len(all_), 3) for path, all_ in sorted(rest.items())}
    return {"suites": suites, "files": files}, complaints


def frontend(report: Path = VITEST) -> Measured:
    """What vitest wrote at its last run (frontend/vite.config.ts); empty where it did not run here."""
    if not report.is_file():
        return {}
    results = json.loads(report.read_text())["testResults"]
    return {
        f"{file['name'].rpartition('/frontend/')[2]} › {test['fullName']}": ("frontend", (test["duration"] or 0.0) / 1000)
        for file in results
        for test in file["assertionResults"]
    }


def section(table: dict[str, Any]) -> str:
    """The lists for CONTRIBUTING.md, in Markdown: for each suite the seconds of its slowest tests."""
    lines = []
    for suite, (title, _) in TITLES.items():
        if suite in table["suites"]:
            its = table["suites"][suite]
            lines += ["", f"<details><summary>{title}: {its['count']:,} tests, {its['seconds']:,} s of work</summary>"]
            lines += ["", "| s | test |", "| ---: | --- |"]
            lines += [f"| {seconds:.1f} | `{_cell(name)}` |" for name, seconds in list(its["tests"].items())[:LISTED]]
            lines += ["", "</details>"]
    return "\n".join(lines).strip()


def _cell(name: str) -> str:
    return name.removeprefix("tests/").replace("|", "\\|")


def written(page: str, text: str) -> str:
    """The page with the text between its two marks. Raises ValueError where it lacks them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks its marks {BEGIN} and {END}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def main() -> int:
    """Write the table and the page. Tests whose file is no longer there are left out."""
    if not MEASURED.is_file():
        print(f"{MEASURED} is not there: run make test (and make test-data, make test-slow) first")
        return 1
    known = json.loads(MEASURED.read_text())
    measured: Measured = {name: (suite, seconds) for name, (suite, seconds) in known.items() if (ROOT / name.partition("::")[0]).is_file()}
    table, complaints = updated(stored(), measured | frontend())
    TABLE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(written(PAGE.read_text(), section(table)))
    print("\n".join([*complaints, f"wrote {TABLE.relative_to(ROOT)} and {PAGE.relative_to(ROOT)}"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
