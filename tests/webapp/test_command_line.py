"""What `manage.py` cannot use is named in one line: for each of our commands, each kind of a bad home."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "up": ["--no-browser", "--port", "0", "--workers", "1", "--gpus", "0"], "login_link": [], "reaper": [], "worker": [], "check_runs": [],
    "serve": ["--port", "0"], "open": ["runs/first"], "follow": ["runs/first"],
    "export": ["00000000-0000-4000-8000-000000000000", "--out", "run.nascope.zip"],
}  # fmt: skip


def _file(home: Path) -> None:
    home.write_text("")


def _database_is_none(home: Path) -> None:
    home.mkdir()
    (home / "db.sqlite3").write_bytes(b"no database" * 1000)


def _database_is_a_folder(home: Path) -> None:
    (home / "db.sqlite3").mkdir(parents=True)


HOMES: dict[str, Callable[[Path], None]] = {
    "a file": _file, "a database that is none": _database_is_none, "a database that is a folder": _database_is_a_folder,
    "a full disk": lambda home: None,
}


def test_all_of_our_commands_are_tried() -> None:
    found = {path.stem for path in (ROOT / "webapp").glob("*/management/commands/*.py")} - {"__init__"}
    assert found == set(COMMANDS)


# The reaper waits for a database that is away, and the web process says so to who asks: they do not end with one that cannot be used.
ENDING = [(command, home) for command in COMMANDS for home in HOMES if not (command in ("reaper", "serve") and "database" in home)]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "home"), ENDING)
def test_a_bad_home(command: str, home: str, tmp_path: Path) -> None:
    HOMES[home](tmp_path / "home")
    full = home == "a full disk"
    done = subprocess.run(
        [sys.executable, "manage.py", command, *COMMANDS[command]], cwd=ROOT, text=True, capture_output=True, check=False, timeout=PATIENCE,
        env={"PATH": "/usr/bin:/bin", "NASCOPE_HOME": str(tmp_path / "home"), "CUDA_VISIBLE_DEVICES": ""},
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))) if full else None,
    )
    said = done.stderr.strip().splitlines()
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert said[-1].startswith(("error: ", "CommandError: ")) and len(said[-1]) < 700, done.stderr


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none(port: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", port], cwd=ROOT, text=True, capture_output=True, check=False, timeout=PATIENCE,
        env={"PATH": "/usr/bin:/bin", "NASCOPE_HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr == f"CommandError: --port is {port}: give a number from 0 to 65535\n"


@pytest.mark.parametrize("home", ["a database that is none", "a database that is a folder"])
def test_the_reaper_says_that_it_tries_again(home: str, tmp_path: Path) -> None:
    HOMES[home](tmp_path / "home")
    with subprocess.Popen(
        [sys.executable, "manage.py", "reaper"], cwd=ROOT, text=True, stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "NASCOPE_HOME": str(tmp_path / "home"), "NASCOPE_REAPER_SECONDS": "0.01", "CUDA_VISIBLE_DEVICES": ""},
    ) as reaper:
        assert reaper.stderr is not None
        # Twice: it went on after the first time.
        said = [reaper.stderr.readline() for _ in range(2)]
        reaper.terminate()
        _, rest = reaper.communicate(timeout=PATIENCE)
    assert reaper.returncode == 0 and "Traceback" not in rest
    assert all("database" in line and line.endswith("; the reaper tries again\n") for line in said), said


def test_a_setting_that_is_no_number(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "login_link"], cwd=ROOT, text=True, capture_output=True, check=False, timeout=PATIENCE,
        env={"PATH": "/usr/bin:/bin", "NASCOPE_HOME": str(tmp_path), "NASCOPE_MIN_FREE_BYTES": "much"},
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: a setting cannot be used:") and "much" in done.stderr


def test_a_database_address_of_nothing_is_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "login_link"], cwd=ROOT, text=True, capture_output=True, check=False, timeout=PATIENCE,
        env={"PATH": "/usr/bin:/bin", "NASCOPE_HOME": str(tmp_path), "DATABASE_URL": ""},
    )
    assert "Traceback" not in done.stderr and (tmp_path / "db.sqlite3").exists()
