"""At the end of a run: how many tests were not run, for want of what, and how one gets it.

    python -m tests.plugins.not_run        of the last run; fails where anything but data files or golden digests was wanting
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.absent import DATA_FILES, DIGESTS

KEY = "nascope/not_run"
LAST_RUN = Path(".pytest_cache") / "v" / KEY


def reasons(reports: Iterable[Any]) -> Counter[str]:
    """How often each reason was given, of reports of skipped tests."""
    found: Counter[str] = Counter()
    for report in reports:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found[text.removeprefix("Skipped: ")] += 1
    return found


def sentence(reason: str, count: int) -> str:
    """One line of the report."""
    tests = "1 test was" if count == 1 else f"{count} tests were"
    return f"{tests} not run {reason}" if reason.startswith("for want of ") else f"{tests} not run: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = reasons(terminalreporter.stats.get("skipped", []))
    if config.pluginmanager.has_plugin("cacheprovider"):
        config.cache.set(KEY, dict(found))  # type: ignore[union-attr]
    if found:
        terminalreporter.section("not run")
        for reason, count in found.most_common():
            terminalreporter.write_line(sentence(reason, count))


def main(last_run: Path = LAST_RUN) -> int:
    """Says what the last run left out. The status is 1 where that is anything but tests of data files and golden digests, or where nothing
    is known."""
    if not last_run.is_file():
        print(f"{last_run} is not there: no run of the tests has come to its end here")
        return 1
    found: dict[str, int] = json.loads(last_run.read_text())
    for reason, count in found.items():
        print(sentence(reason, count))
    excused = tuple(f"for want of {what}" for what in (DATA_FILES, DIGESTS))
    return int(not all(reason.startswith(excused) for reason in found))


if __name__ == "__main__":
    sys.exit(main())
