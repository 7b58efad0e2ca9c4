"""The tests of the web application that use its database once more, on a real PostgreSQL: the very same tests that ran on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

pytestmark = [pytest.mark.services, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
SELECTED = "database and not slow and not gpu and not services"


def test_the_web_application_s_tests_pass_on_postgresql(postgres_server: str) -> None:
    # Workers of an outer pytest-xdist would otherwise pass their own names on.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"DATABASE_URL": postgres_server}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", SELECTED, "tests/webapp"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=3 * PATIENCE,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
