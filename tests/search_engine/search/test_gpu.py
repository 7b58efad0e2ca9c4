"""The one code path on CUDA: every algorithm's quick run ends there, again with equal genomes and after reloads, in mixed precision too; a
trial gives its memory back, and one that finds none left is a failed trial. Run with `make test-gpu`."""

from __future__ import annotations

import gc
import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.catalogue import registry
from search_engine.catalogue.config import CheckedRun, check
from search_engine.search.local_run import LocalRun
from search_engine.search.resources import Resources
from search_engine.search.trial_work import TrialWork
from search_engine.search.work import WorkSpec, run_slice
from search_engine.spaces.genomes import Genome
from tests.search_engine import toys

pytestmark = pytest.mark.gpu
ALGORITHMS = list(registry.algorithms())
IMAGES = [name for name, entry in registry.algorithms().items() if entry.spaces is None]


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


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_on_cuda_ends_and_says_the_same_after_reloads(algorithm: str, tmp_path: Path) -> None:
    result = run(tmp_path / "a", algorithm)
    assert result["status"] == "completed", result["reason"]
    # From equal science follow equal genomes.
    run(tmp_path / "b", algorithm, reloads=True)
    assert toys.science(tmp_path / "a" / "events.jsonl") == toys.science(tmp_path / "b" / "events.jsonl")


def test_cuda_and_cpu_compute_the_same_first_steps(tmp_path: Path) -> None:
    """Weights and batches are drawn on the CPU, so only rounding differs at first."""
    run(tmp_path / "cuda", "darts")
    run(tmp_path / "cpu", "darts", device="cpu")
    assert first_losses(tmp_path / "cuda")[0] == pytest.approx(first_losses(tmp_path / "cpu")[0], rel=1e-3)


@pytest.mark.parametrize("algorithm", IMAGES)
def test_mixed_precision_trains(algorithm: str, tmp_path: Path) -> None:
    result = run(tmp_path, algorithm, amp=True)
    assert result["status"] == "completed", result["reason"]
    assert result["best"][0]["metrics"]["test_accuracy"] > 0.05


# ---- memory


def trial(checked: CheckedRun, genome: Genome, folder: Path) -> dict[str, Any]:
    """One trial as a worker does it; its outcome."""
    space = Resources(checked, folder).space
    work = TrialWork(
        WorkSpec(kind="trial", index=0, arguments={"genome": genome.to_json(), "hash": space.hash(genome), "fidelity": {}}),
        checked, folder, folder,
    )
    while not work.finished:
        run_slice(work, 2.0)
    return work.outcome()


@pytest.fixture
def checked() -> CheckedRun:
    from search_engine.training.device import configure

    configure(1)
    return check({"algorithm": "random", "datasets": ["digits"], "device": "cuda", "budget": {"trials": 1}, "training": {"epochs": 1}})


def test_a_trial_gives_its_memory_back(checked: CheckedRun, tmp_path: Path) -> None:
    space, left = Resources(checked, tmp_path).space, []
    for seed in range(6):
        assert trial(checked, space.sample(random.Random(seed)), tmp_path)["status"] == "completed"
        gc.collect()
        left.append(torch.cuda.memory_allocated())
    # The first ones load the data and the libraries' work space.
    assert left[-1] <= left[1], left


def test_a_trial_that_finds_no_memory_fails_and_the_next_one_does_not(checked: CheckedRun, tmp_path: Path) -> None:
    space = Resources(checked, tmp_path).space
    genome = space.sample(random.Random(1))
    assert trial(checked, genome, tmp_path)["status"] == "completed"
    wide = check({**checked.config.model_dump(mode="json"), "training": {"epochs": 1, "channels": 64, "batch_size": 512}})
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 64 * 2**20) / total)
    try:
        failed = trial(wide, genome, tmp_path)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert failed["status"] == "failed" and failed["machine"] and "out of memory" in failed["reason"]
    gc.collect()
    torch.cuda.empty_cache()
    assert trial(checked, genome, tmp_path)["status"] == "completed"
