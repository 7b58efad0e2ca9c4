"""Whatever a compiler does, the answer is a library or torch alone: never an exception, never a wait without end, never half a file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from search_engine.primitives.native import build
from tests.damage import DAMAGE
from tests.environment import ROOT
from tests.patience import PATIENCE

from .compiler import need_compiler


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of a user."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NASCOPE_HOME", raising=False)
    return tmp_path / "cache" / "nascope" / "native"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found, with a shell's tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def compiler(programs: Path, rest: str) -> None:
    """A `cc` that says its version and otherwise does `rest`."""
    path = programs / "cc"
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ echo cc 1.0; exit 0; }}\n{rest}\n')
    path.chmod(0o755)


def refusal(caplog: pytest.LogCaptureFixture) -> str:
    with caplog.at_level("INFO"):
        assert build.library.__wrapped__() is None
    return caplog.text


def test_without_a_compiler_there_is_no_library(cache: Path, programs: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert "there is no C compiler" in refusal(caplog)


def test_a_broken_compiler_leaves_nothing_behind(cache: Path, programs: Path, caplog: pytest.LogCaptureFixture) -> None:
    compiler(programs, 'echo "internal error" >&2; exit 1')
    assert "internal error" in refusal(caplog)
    assert list(cache.iterdir()) == []


def test_a_hanging_compiler_is_ended_and_not_asked_again(
    cache: Path, programs: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "TIMEOUT", 1.0)
    # The compiler itself waits for a program that it started, as gcc does.
    compiler(programs, f"/bin/sleep 100000 & echo $! > {tmp_path / 'pid'}; wait")
    assert "did not end within 1 s" in refusal(caplog)
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + PATIENCE
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "what the compiler started is left"
        time.sleep(0.01)
    compiler(programs, f"touch {tmp_path / 'asked'}; exit 1")
    assert "did not end the last time" in refusal(caplog)
    assert not (tmp_path / "asked").exists()


def test_without_a_place_there_is_no_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A cache that is a file: as a read-only home, also for root."""
    need_compiler()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("NASCOPE_HOME", raising=False)
    assert "cannot be written" in refusal(caplog)


def test_who_has_no_cache_keeps_it_in_the_installations_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    assert build._folder() == tmp_path / "home" / "cache" / "nascope" / "native"


def test_a_folder_that_others_can_write_is_not_trusted(cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    with pytest.raises(build.NotBuilt, match="cannot be written"):
        build._folder()


def test_the_identity_is_that_of_all_that_decides_bits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = build._identity("gcc 12")
    assert build._identity("gcc 12") == before != build._identity("gcc 13")
    monkeypatch.setattr(build, "FLAGS", (*build.FLAGS, "-O2"))
    assert build._identity("gcc 12") != before
    monkeypatch.undo()
    monkeypatch.setattr(build, "_processor", lambda: "another")
    assert build._identity("gcc 12") != before
    monkeypatch.undo()
    (tmp_path / "depthwise.c").write_text(build.SOURCE.read_text() + "\n")
    monkeypatch.setattr(build, "SOURCE", tmp_path / "depthwise.c")
    assert build._identity("gcc 12") != before


PROGRAM = "from search_engine.primitives.native import build, kernel; found = kernel.kernel(); print(found.identity)"


def test_processes_that_build_at_once_have_one_library(cache: Path) -> None:
    need_compiler()
    command, environment = [sys.executable, "-c", PROGRAM], dict(os.environ)
    started = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    identities = {process.communicate(timeout=PATIENCE)[0].strip() for process in started}
    (identity,) = identities
    assert sorted(path.name for path in cache.iterdir()) == [f"depthwise-{identity}.sha256", f"depthwise-{identity}.so"]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("suffix", [".so", ".sha256"])
def test_a_damaged_library_is_built_anew(cache: Path, programs: Path, suffix: str, damage: Callable[[Path], None]) -> None:
    compiler(programs, 'echo "what was built" > "$8"')
    path = build._library().path
    damage(path.with_suffix(suffix))
    assert build._library().path == path and path.read_text() == "what was built\n" and build._whole(path)
