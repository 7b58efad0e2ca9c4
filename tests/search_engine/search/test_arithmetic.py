"""Equal bits: what computed a run is recorded, kept to, and said where it cannot be kept to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.catalogue.config import check
from search_engine.primitives.native import choice
from search_engine.primitives.native.choice import TORCH, name_of
from search_engine.search.local_run import Interrupted, LocalRun
from tests.search_engine.primitives.native.compiler import compiled_kernel

CONFIG: dict[str, Any] = {
    "algorithm": "darts", "space": "cell", "space_options": {"nodes": 2, "search_cells": 1, "search_channels": 2},
    "datasets": ["digits"], "options": {"steps": 4, "batch_size": 16}, "finale": {
        "baselines": 0, "export": False, "redundancy": False,
        "training": {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1},
    },
}


def run(out: Path, resume: bool = False, stop_after: int = 0, reloads: bool = False) -> dict[str, Any] | None:
    """The result; None where it was stopped after so many ticks."""
    ticks = 0

    def stop() -> bool:
        nonlocal ticks
        ticks += 1
        return ticks == stop_after

    local = LocalRun(check(CONFIG), out, out, resume=resume, slice_seconds=0.0)
    local.reloads = reloads
    try:
        return local.run(stop=stop)
    except Interrupted:
        return None


def science(out: Path) -> list[Any]:
    rows = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    return [(row["source"], row["step"], row["ordinal"], row["data"]) for row in rows if row["science"]]


def said(out: Path) -> list[str]:
    rows = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    return [row["data"]["message"] for row in rows if row["kind"] == "ops" and row["data"]["what"] == "diverged"]


@pytest.mark.parametrize("began", ["0", "1"], ids=["torch", "compiled"])
def test_a_run_goes_on_with_what_it_began_with(began: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says by then: with equal bits."""
    kernel = compiled_kernel()
    monkeypatch.setenv("NASCOPE_NATIVE", began)
    whole = run(tmp_path / "whole", reloads=True)
    assert run(tmp_path / "cut", stop_after=3) is None
    monkeypatch.setenv("NASCOPE_NATIVE", "1" if began == "0" else "0")
    result = run(tmp_path / "cut", resume=True)
    assert result is not None and whole is not None and result["reproducible"] and said(tmp_path / "cut") == []
    assert result["arithmetic"] == whole["arithmetic"] == {
        "torch": torch.__version__, "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "depthwise": TORCH if began == "0" else name_of(kernel),
    }
    assert science(tmp_path / "cut") == science(tmp_path / "whole")


def test_where_its_kernel_is_not_there_a_run_goes_on_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = compiled_kernel()
    monkeypatch.setenv("NASCOPE_NATIVE", "1")
    assert run(tmp_path, stop_after=3) is None
    monkeypatch.setenv("NASCOPE_NATIVE", "auto")
    monkeypatch.setattr(choice, "kernel", lambda: None)
    result = run(tmp_path, resume=True)
    assert result is not None and result["status"] == "completed" and not result["reproducible"]
    (message,) = said(tmp_path)
    assert message == result["reproducible_note"] and f"depthwise convolutions by torch instead of {name_of(kernel)}" in message
    assert result["arithmetic"]["depthwise"] == name_of(kernel), "what it began with"


def test_another_processor_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.backends.cpu.get_cpu_capability()
    assert run(tmp_path, stop_after=3) is None
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "NEON")
    assert run(tmp_path, resume=True, stop_after=2) is None
    result = run(tmp_path, resume=True)
    assert result is not None and not result["reproducible"]
    (message,) = said(tmp_path)
    assert f"NEON instead of {before}" in message
