"""Runs inside runs: they find the plugins, and know nothing of the run around them."""

from __future__ import annotations

import os

import pytest

from tests.environment import ROOT

TWO_PROCESSES = ("-p", "xdist.plugin", "-n", "2")


@pytest.fixture(autouse=True)
def _a_run_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
