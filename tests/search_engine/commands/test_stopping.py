"""Asked to stop, a run ends at a checkpoint, says so, and goes on with equal science; whoever asks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from search_engine.bundle import verify
from search_engine.commands import main
from search_engine.commands.stopping import SIGNALS, Stopping
from search_engine.search.coordinator import Coordinator
from search_engine.search.local_run import LocalRun

from .test_full_disk import science

WORDS = ["run", "--algorithm", "random", "--space", "sequence", "--budget", "trials=40"]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_the_run_at_a_checkpoint(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    # Whatever these tests run in may ignore it, as a shell's background does.
    mine = signal.signal(number, signal.SIG_DFL)
    request.addfinalizer(lambda: signal.signal(number, mine))
    advance, tick = Coordinator.advance, LocalRun._tick
    asked: list[int] = []

    def ask(self: LocalRun, *arguments: Any) -> None:
        if len(asked) == 7:
            os.kill(os.getpid(), number)
        asked.append(1)
        tick(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Coordinator, "advance", lambda self, outcomes=None, seconds=0.0, events=None: advance(self, outcomes, 0.0, events))
        patched.setattr(LocalRun, "_tick", ask)
        before = [signal.getsignal(item) for item in SIGNALS]
        assert main([*WORDS, "--out", str(tmp_path / "out")]) == 1
        assert [signal.getsignal(item) for item in SIGNALS] == before
    assert f"stopped at a checkpoint; go on with --resume --out {tmp_path / 'out'}" in capsys.readouterr().err
    assert len(asked) == 8 and not (tmp_path / "out" / "result.json").exists()
    assert main([*WORDS, "--out", str(tmp_path / "out"), "--resume"]) == 0
    assert main([*WORDS, "--out", str(tmp_path / "undisturbed")]) == 0
    assert science(tmp_path / "out") == science(tmp_path / "undisturbed")
    assert json.loads((tmp_path / "out" / "result.json").read_text())["status"] == "completed"


def test_a_second_signal_acts_as_before() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with Stopping() as stopping:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stopping.asked() and not heard
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_is_ignored_stays_ignored() -> None:
    """`nohup` ignores the end of the terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stopping() as stopping:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopping.asked()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_does_not_reach_the_check_of_a_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It reaches every process of the terminal's group; the check would end, and a good model be refused."""
    seen: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        seen.update(options)
        return subprocess.CompletedProcess(command, 0, "[]\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert verify._ask([], str(tmp_path)) == []
    assert seen["start_new_session"]
