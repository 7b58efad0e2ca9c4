"""A worker of an installation on a GPU serves a search from its start to its download. Run with `make test-gpu`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .embedded import Embedded

pytestmark = pytest.mark.gpu
SEARCH = {
    "algorithm": "regularized_evolution", "space": "cell", "datasets": ["digits"], "seed": 3, "budget": {"trials": 4},
    "options": {"population": 3, "sample": 2}, "training": {"epochs": 1, "channels": 4, "layers": 2},
    "finale": {"training": {"epochs": 1, "channels": 4, "layers": 2}, "baselines": 1},
}  # fmt: skip


def test_a_search_on_a_gpu_worker_to_its_download(tmp_path: Path) -> None:
    home = Embedded(tmp_path / "home", workers=0, gpus=1)
    home.up()
    try:
        assert {worker["device"] for worker in home.get("workers")} == {"cuda:0"}
        run = home.start(SEARCH)
        shown = home.finished(run)
        assert shown["state"] == "completed", shown["reason"]
        assert home.rows("SELECT device FROM core_run") == [("cuda",)]
        [offered] = [model for model in shown["models"] if model["bundle"]]
        assert home.send("GET", f"models/{offered['id']}/download").status_code == 200
    finally:
        home.down()


def test_a_search_that_needs_more_of_the_gpu_than_a_worker_may_take_says_so(tmp_path: Path) -> None:
    """The allocation beyond the ceiling fails, not the GPU: the trial says why, and is not tried again."""
    home = Embedded(tmp_path / "home", workers=0, gpus=1, NASCOPE_GPU_MEMORY_CEILING="700000000", NASCOPE_UNIT_FLOPS="0")
    home.up()
    try:
        training = {"epochs": 1, "channels": 128, "layers": 8, "batch_size": 1024}
        shown = home.finished(home.start({**SEARCH, "seed": 4, "budget": {"trials": 1}, "training": training}))
        told = " ".join([shown["reason"], *(text for (text,) in home.rows("SELECT reason FROM core_trial"))])
        # Refused before its first step, or by the device in the middle of it.
        assert "of the GPU's" in told and ("a worker may take" in told), told
        assert home.finished(home.start(SEARCH))["state"] == "completed", "the worker goes on"
    finally:
        home.down()
