"""An installation of its own for tests with several processes: its folder, its database, and programs that run in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"


@dataclass
class Installation:
    """Environment of one installation; `program` runs a file of tests/webapp/programs in it."""

    home: Path
    environment: dict[str, str]
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *command: str, **changes: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env={**self.environment, **changes.pop("environment", {})}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **changes,
        )
        self.started.append(process)
        return process

    def program(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return self.start("-m", f"tests.webapp.programs.{name}", *arguments, environment=environment)

    def answer(self, name: str, *arguments: str, **environment: str) -> Any:
        """What the program printed, as JSON."""
        return result(self.program(name, *arguments, **environment))

    def manage(self, *arguments: str) -> str:
        process = self.start("manage.py", *arguments)
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        return output


def result(process: subprocess.Popen[str], timeout: float = PATIENCE) -> Any:
    """Wait for a program and read its last line as JSON."""
    output, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors
    return json.loads(output.strip().splitlines()[-1])


def make(home: Path, database_url: str = "", **more: str) -> Installation:
    """A migrated installation."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "NASCOPE_HOME")}
    environment |= {
        "NASCOPE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "webapp.settings", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **more,
    }
    if database_url:
        environment["DATABASE_URL"] = database_url
    installation = Installation(home, environment)
    installation.manage("migrate", "--skip-checks", "--verbosity", "0")
    return installation


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """One installation on SQLite, and one on a real PostgreSQL."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    made = make(tmp_path / "home", url)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
            process.wait()
