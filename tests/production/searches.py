"""Small real searches of every kind, and their science: payloads by key, without seq and times."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from search_engine.catalogue import registry
from tests.patience import PATIENCE

from .images import ROOT

Science = list[tuple[str, int, str, int, str]]

TINY = {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1}

TRAINED: dict[str, Any] = {
    "algorithm": "random", "options": {"window": 4}, "space": "nb201", "datasets": ["digits"], "seed": 3, "budget": {"trials": 7},
    "training": {**TINY, "epochs": 2}, "finale": {"baselines": 0, "export": False, "training": TINY},
}
"""Seven networks, four open at a time: with several workers they end in any order."""

TABLE: dict[str, Any] = {
    "algorithm": "regularized_evolution", "options": {"population": 8, "sample": 3}, "space": "nb201", "datasets": ["nb201_cifar10"],
    "seed": 4, "budget": {"trials": 60},
}
"""Answered from the table, so that the coordinator does everything itself."""

GRADIENT: dict[str, Any] = {
    "algorithm": "darts", "options": {"steps": 12, "batch_size": 16}, "space": "nb201", "space_options": {"cells": 1, "channels": 4},
    "datasets": ["digits"], "seed": 5, "finale": {"baselines": 1, "onnx": False, "training": TINY},
}
"""A super-network, a frame of its structure at every step, the finalist beside a random genotype, and a download."""

GROWTH: dict[str, Any] = {
    "algorithm": "wann", "options": {"population": 16, "generations": 12, "batch_size": 100}, "datasets": ["digits"], "seed": 6,
    "finale": {"export": False},
}
"""A population inside one step."""

COLONY: dict[str, Any] = {
    "algorithm": "deepswarm", "options": {"ant_count": 3, "max_depth": 3}, "datasets": ["digits"], "seed": 7,
    "budget": {"trials": 10}, "training": {"epochs": 1, "train_examples": 128},
    "finale": {"baselines": 0, "export": False, "training": {"epochs": 1, "train_examples": 128, "channels": 4}},
}
"""Generations whose trials start from the weights of earlier ones: these travel from worker to worker through the run's folder."""

TASKS: dict[str, Any] = {
    "algorithm": "pathnet", "options": {"population": 6, "generations": 5, "minibatches": 5, "threshold": 0.0},
    "datasets": ["digits", "digits"], "dataset_options": [{"labels": [0, 1, 2, 3, 4]}, {"labels": [5, 6, 7, 8, 9]}], "seed": 8,
    "finale": {"onnx": False},
}
"""Two data sets, a handover from phase to phase, two controls after the search, and a download for each data set."""

SHARED_WEIGHTS: dict[str, Any] = {
    "algorithm": "enas", **registry.algorithm("enas").quick, "seed": 9,
}
"""A controller and a super-network moved in turn, with a baseline of its own."""

JOINT: dict[str, Any] = {
    "algorithm": "multipath", **registry.algorithm("multipath").quick, "seed": 10, "datasets": TASKS["datasets"],
    "dataset_options": TASKS["dataset_options"],
}
"""One network for two data sets, retrained on both together."""

COUNTING: dict[str, Any] = {
    "algorithm": "evo_nas", "options": {"window": 3}, "space": "sequence", "space_options": {"n": 8}, "datasets": ["learn_to_count"],
    "seed": 11, "budget": {"trials": 150},
}
"""A population and a controller, by a formula."""

TICKET: dict[str, Any] = {"algorithm": "lottery_ticket", **registry.algorithm("lottery_ticket").quick, "seed": 12}
"""Masks over a plain network, controls, and a finale that starts from weights of the search."""

LATENTS: dict[str, Any] = {"algorithm": "vae_ard", **registry.algorithm("vae_ard").quick, "seed": 13}
"""A network that rebuilds its inputs, finished by the search itself."""

TOGETHER: dict[str, Any] = {
    "algorithm": "grid", "options": {"window": 16, "order": "lexicographic"}, "space": "mlp",
    "space_options": {"max_layers": 1, "epochs_divisor": 5}, "datasets": ["digits"], "seed": 14, "budget": {"trials": 24}, "together": 8,
    "training": {"batch_size": 16}, "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"train_examples": 128}},
}
"""Networks of equal shape trained together, in groups of several sizes."""

BY_TRIALS = {"random": TRAINED, "regularized_evolution": TABLE, "deepswarm": COLONY, "evo_nas": COUNTING}
BY_STEPS = {
    "darts": GRADIENT, "wann": GROWTH, "pathnet": TASKS, "enas": SHARED_WEIGHTS, "multipath": JOINT, "lottery_ticket": TICKET,
    "vae_ard": LATENTS,
}
SEARCHES = BY_TRIALS | BY_STEPS


def science_of(events: Iterable[dict[str, Any]]) -> Science:
    """Sorted by key. JSON text is compared: equal text, equal bits."""
    return sorted(
        (event["source"], event["step"], event["kind"], event["ordinal"], json.dumps(event["data"], sort_keys=True))
        for event in events
        if event["science"]
    )


def logged(out: Path) -> Science:
    """The science that a search on the command line left in its folder."""
    return science_of(json.loads(line) for line in (out / "events.jsonl").read_text().splitlines())


def assert_same(found: Science, expected: Science, title: str = "") -> None:
    """Fails with the first events in which two searches differ."""
    extra, absent = sorted(set(found) - set(expected)), sorted(set(expected) - set(found))
    lines = [f"{title}: {len(extra)} other events, {len(absent)} absent ones"]
    lines += [f"  {kind} {str(row)[:400]}" for kind, rows in (("other ", extra), ("absent", absent)) for row in rows[:5]]
    assert found == expected, "\n".join(lines)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a download."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files, f"{folder} is empty"
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class CommandLine:
    """One search by `python -m search_engine run`, begun at once; of this checkout, or of the one in `root`."""

    def __init__(self, config: dict[str, Any], folder: Path, root: Path = ROOT, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.out = folder / "out"
        (folder / "run.yaml").write_text(json.dumps(config))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "search_engine", "run", str(folder / "run.yaml"), "--out", str(self.out), "--json"],
            cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )

    def science(self) -> Science:
        """Wait for its end; what it said."""
        _, errors = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0, errors
        return logged(self.out)
