"""The one code path on CUDA: searches end, reloads give equal bits there too, mixed precision trains. Run with `pytest -m gpu`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.search.local_run import LocalRun
from tests.search_engine import toys

pytestmark = pytest.mark.gpu
TRAINED = [name for name, entry in registry.algorithms().items() if entry.spaces is None]


def run(out: Path, algorithm: str, *, reloads: bool = False, **changes: Any) -> dict[str, Any]:
    from search_engine.training.device import configure

    quick = registry.algorithm(algorithm).quick
    finale = {**quick.get("finale", {}), "onnx": False, "export": False}
    values = {"algorithm": algorithm, "seed": 3, **quick, "finale": finale, "device": "cuda", **changes}
    checked = check(values)
    configure(checked.config.threads)
    local = LocalRun(checked, out, out, slice_seconds=0 if reloads else 1e9)
    local.reloads = reloads
    return local.run()


def first_losses(folder: Path) -> list[float]:
    rows = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return [row["data"]["values"]["train_loss"] for row in rows if row["kind"] == "metrics" and "train_loss" in row["data"]["values"]]


@pytest.mark.parametrize("algorithm", TRAINED)
def test_a_search_on_cuda_ends_and_survives_reloads_with_equal_bits(algorithm: str, tmp_path: Path) -> None:
    result = run(tmp_path / "a", algorithm)
    assert result["status"] == "completed", result["reason"]
    run(tmp_path / "b", algorithm, reloads=True)
    assert toys.science(tmp_path / "a" / "events.jsonl") == toys.science(tmp_path / "b" / "events.jsonl")


def test_cuda_and_cpu_compute_the_same_first_steps(tmp_path: Path) -> None:
    """Weights and batches are drawn on the CPU, so only rounding differs at first."""
    run(tmp_path / "cuda", "darts")
    run(tmp_path / "cpu", "darts", device="cpu")
    assert first_losses(tmp_path / "cuda")[0] == pytest.approx(first_losses(tmp_path / "cpu")[0], rel=1e-3)


@pytest.mark.parametrize("algorithm", TRAINED)
def test_mixed_precision_trains(algorithm: str, tmp_path: Path) -> None:
    result = run(tmp_path, algorithm, amp=True)
    assert result["status"] == "completed", result["reason"]
    assert result["best"][0]["metrics"]["test_accuracy"] > 0.05
