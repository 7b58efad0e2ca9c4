"""`--by-time`: how far a run is, in time. Tests differ by four powers of ten, so that their number says little.

A line every half a minute: tests done, their share of the work by the durations that are known (of the last run here, else of
tests/durations.json), what is left at the pace so far, and which tests have been at work for longer than that. Failures are named at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import pytest

from tests.plugins.durations import KEY, Durations, stored
from tests.plugins.recorder import plain

EVERY = 30.0
TRUST = 60.0
"""Seconds of pace for which the recorded durations count against what is measured."""


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def about(seconds: float) -> str:
    """A duration in words that promise no more than is known."""
    if seconds < 57.5:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{max(1, round(seconds / 60))} min"


class Work:
    """What there is to do and what of it is done, in seconds of one process."""

    def __init__(self, durations: Durations, processes: int, now: Callable[[], float] = time.monotonic) -> None:
        self.durations = durations
        self.processes = processes
        self.now = now
        self.todo: dict[str, float] = {}
        self.total = self.done = 0.0
        self.count = 0
        self.begun = now()
        self.running: dict[str, float] = {}

    def expect(self, names: Iterable[str]) -> None:
        self.todo = {name: self.durations.of(name) for name in map(plain, names)}
        self.total = sum(self.todo.values())
        self.count = len(self.todo)
        self.begun = self.now()

    def start(self, name: str) -> None:
        self.running[plain(name)] = self.now()

    def finish(self, name: str) -> None:
        self.running.pop(plain(name), None)
        self.done += self.todo.pop(plain(name), 0.0)

    def left(self) -> float:
        """Seconds until the end: the rest at the pace so far, which at first is that of the recorded durations."""
        pace = (self.done + TRUST * self.processes) / (self.now() - self.begun + TRUST)
        return (self.total - self.done) / pace

    def headline(self) -> str:
        machines = "one process" if self.processes == 1 else f"{self.processes} processes"
        return f"{self.count} tests, about {about(self.total / self.processes)} on {machines} by the durations known"

    def line(self) -> str:
        share = self.done / self.total if self.total else 1.0
        text = f"{clock(self.now() - self.begun):>5}  {self.count - len(self.todo)} of {self.count} tests"
        text += f", about {100 * share:.0f} % of the work; about {about(self.left())} left"
        long = [(self.now() - since, name) for name, since in self.running.items() if self.now() - since >= EVERY]
        if long:
            text += "; at work: " + ", ".join(f"{name.rpartition('::')[2]} ({seconds:.0f} s)" for seconds, name in sorted(long)[::-1])
        return text


class ByTime:
    """The terminal's side of it. Other processes leave this one idle, so that a thread keeps the beat; without any, tests do."""

    def __init__(self, config: pytest.Config, every: float) -> None:
        known = config.cache.get(KEY, {}) if config.pluginmanager.has_plugin("cacheprovider") else {}  # type: ignore[union-attr]
        self.processes = config.getoption("numprocesses", None) or 1
        self.work = Work(Durations.read({name: seconds for name, (_, seconds) in known.items()}, stored()), self.processes)
        self.terminal: pytest.TerminalReporter = config.pluginmanager.get_plugin("terminalreporter")
        self.every = every
        self.lock = threading.Lock()
        self.said = time.monotonic()
        self.over = threading.Event()
        self.beat = threading.Thread(target=self._beat, daemon=True)

    def say(self, text: str, **markup: bool) -> None:
        self.said = time.monotonic()
        self.terminal.ensure_newline()
        self.terminal.write_line(text, **markup)
        self.terminal.flush()

    def _beat(self) -> None:
        while not self.over.wait(self.every):
            with self.lock:
                self.say(self.work.line())

    def _expect(self, names: Iterable[str]) -> None:
        self.work.expect(names)
        self.say(self.work.headline())

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self._expect([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        with self.lock:
            if self.beat.ident is None:  # each process says the same list
                self._expect(ids)
                self.beat.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        with self.lock:
            self.work.start(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        with self.lock:
            if report.failed:
                self.say(f"{clock(self.work.now() - self.work.begun):>5}  FAILED {plain(report.nodeid)}", red=True)
            if report.when == "teardown":
                self.work.finish(report.nodeid)
                if not self.beat.is_alive() and time.monotonic() - self.said >= self.every:
                    self.say(self.work.line())

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Counted as ever, without a letter for each."""
        if report.failed:
            return ("failed" if report.when == "call" else "error"), "", "FAILED"
        if report.skipped:
            return "skipped", "", "SKIPPED"
        return ("passed", "", "PASSED") if report.when == "call" else None

    def pytest_sessionfinish(self) -> None:
        self.over.set()
        if self.beat.is_alive():
            self.beat.join()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--by-time", nargs="?", type=float, const=EVERY, default=None, metavar="SECONDS", help="progress in time, a line every SECONDS"
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    every = config.getoption("by_time")
    if every and not hasattr(config, "workerinput"):
        config.pluginmanager.register(ByTime(config, every))
