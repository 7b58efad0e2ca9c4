"""A disk that fills up at any place that writes: one sentence, exit status 1, and the run goes on from there with equal science."""

from __future__ import annotations

import errno
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from search_engine.catalogue.config import check
from search_engine.commands import main, parser
from search_engine.search.coordinator import Coordinator
from search_engine.search.local_run import Interrupted, LocalRun
from tests.patience import PATIENCE

LONG = {"algorithm": "random", "space": "sequence", "budget": {"trials": 100_000}}
COUNT = ["run", "--algorithm", "regularized_evolution", "--space", "sequence", "--budget", "trials=60", "--set", "population=10"]
TRAINED = [
    "run", "--algorithm", "random", "--space", "mlp", "--dataset", "digits", "--budget", "trials=2",
    "--set", "space.epochs_divisor=5", "--set", "training.train_examples=100", "--set", "finale.baselines=0", "--set", "finale.onnx=false",
    "--slice-seconds", "0.01",
]


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes meanwhile: what a write meets on a full disk, without a disk of one's own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def science(out: Path) -> list[tuple[object, ...]]:
    rows = map(json.loads, (out / "events.jsonl").read_text().splitlines())
    return [(row["source"], row["step"], row["kind"], row["data"]) for row in rows if row["science"]]


def full_then_space(words: list[str], out: Path, size: int, capsys: pytest.CaptureFixture[str]) -> None:
    with files_up_to(size):
        assert main([*words, "--out", str(out)]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert len(said) == 1 and said[0].startswith("error: the disk is full") and said[0].endswith("then go on with --resume"), said
    assert main([*words, "--out", str(out), "--resume"]) == 0


@pytest.mark.parametrize("size", [0, 500, 4_000, 30_000])
def test_at_every_commit(size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    advance = Coordinator.advance
    # A commit after every tell and every ask, so that it is met at any of them.
    monkeypatch.setattr(Coordinator, "advance", lambda self, outcomes=None, seconds=0.0, events=None: advance(self, outcomes, 0.0, events))
    full_then_space(COUNT, tmp_path / "out", size, capsys)
    assert main([*COUNT, "--out", str(tmp_path / "undisturbed")]) == 0
    assert science(tmp_path / "out") == science(tmp_path / "undisturbed")


def test_at_the_result(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The last thing that is written."""
    full = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "out" / "result.tmp"))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", lambda self, text, *more, **others: (_ for _ in ()).throw(full))
        assert main([*COUNT, "--out", str(tmp_path / "out")]) == 1
    assert "the disk is full" in capsys.readouterr().err
    assert not (tmp_path / "out" / "result.json").exists()
    assert main([*COUNT, "--out", str(tmp_path / "out"), "--resume"]) == 0
    assert (tmp_path / "out" / "result.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("size", [2_000, 20_000, 60_000])
def test_in_training_and_at_the_download(size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full_then_space(TRAINED, tmp_path / "out", size, capsys)
    assert json.loads((tmp_path / "out" / "result.json").read_text())["model"] == "model/"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["algorithms", "spaces", "datasets", "data", "events", "catalogue", "check", "run", "more", "finish", "architecture", "export",
     "contract"],
)
def test_where_the_output_goes(command: str, tmp_path: Path) -> None:
    """`/dev/full` is a disk that is always full. In a process of its own: its standard output is left broken."""
    given = {"run": [*COUNT, "--out", str(tmp_path / "out"), "--json"], "check": ["check", *COUNT[1:]], "data": ["data", "list"],
             "architecture": ["architecture", "1 2", "--space", "sequence", "--set", "space.n=2"],
             "more": ["more", str(tmp_path / "out")], "finish": ["finish", str(tmp_path / "cut"), "--json"],
             "export": ["export", str(tmp_path / "out")], "contract": ["contract", "evidence"]}
    if command == "finish":
        with pytest.raises(Interrupted):
            LocalRun(check(LONG), tmp_path, tmp_path / "cut").run(stop=lambda: True)
    if command in ("export", "more"):
        assert main([*COUNT, "--out", str(tmp_path / "out")]) == 0
    words = given.get(command, [command])
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "search_engine", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE,
            cwd=Path(__file__).parents[3], env={"PATH": "/usr/bin:/bin", "NASCOPE_DATA": str(tmp_path)},
        )
    assert done.returncode == 1
    assert next(line for line in done.stderr.splitlines() if not line.startswith("note: ")).startswith("error: the disk is full")
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def test_every_command_is_tried() -> None:
    [commands] = [action for action in parser()._actions if action.dest == "command"]
    [mark] = [mark for mark in test_where_the_output_goes.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert set(mark.args[1]) == set(commands.choices)  # type: ignore[arg-type]
