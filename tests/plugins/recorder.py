"""Remembers in pytest's cache how long each test took (set-up and tear-down included) and to which suite it belongs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.durations import KEY, SUITES


def plain(nodeid: str) -> str:
    """A test's name without the group that pytest-xdist appends to it."""
    return nodeid.partition("@/")[0]


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and config.pluginmanager.has_plugin("cacheprovider"):
        config.pluginmanager.register(Recorder(config))


class Recorder:
    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.seconds: dict[str, float] = {}
        self.suite: dict[str, str] = {}
        self.unsound: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = plain(report.nodeid)
        self.seconds[name] = self.seconds.get(name, 0.0) + report.duration
        self.suite[name] = next((suite for suite in SUITES if suite in report.keywords), "fast")
        if not report.passed:
            self.unsound.add(name)

    def pytest_sessionfinish(self) -> None:
        """A skipped or failed test says nothing about how long it takes: what was known of it stays."""
        known: dict[str, Any] = self.config.cache.get(KEY, {})  # type: ignore[union-attr]
        sound = {name: [self.suite[name], round(seconds, 3)] for name, seconds in self.seconds.items() if name not in self.unsound}
        self.config.cache.set(KEY, known | sound)  # type: ignore[union-attr]
