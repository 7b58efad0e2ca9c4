"""What a CUDA device gives: the same work on it and on the processor.

    python -m benchmarks.gpu [--trials 3] [--steps 20] [--rounds 3]

Trials of a random search over cells and perceptrons, and steps of DARTS, at the size of a small and of a wide network, each as a worker
does them. Prints for each the seconds on the wall on the processor (one thread, and all cores) and on the device (float32, and mixed
precision), medians, in turns, and the ratio. Where there is no device it says so and ends well. Asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.paired import Quartiles
from search_engine.catalogue.config import CheckedRun, check
from search_engine.search.budget import Meter
from search_engine.search.open_work import open_work
from search_engine.search.resources import Resources
from search_engine.search.work import WorkSpec, run_slice
from search_engine.training import device

SMALL, WIDE = {"channels": 4, "layers": 2}, {"channels": 32, "layers": 4, "batch_size": 256}
TRIALS: dict[str, dict[str, Any]] = {
    "trial: perceptron": {"space": "mlp", "training": {"epochs": 2}},
    "trial: small cell": {"space": "cell", "training": {"epochs": 1, **SMALL}},
    "trial: wide cell": {"space": "cell", "training": {"epochs": 1, **WIDE}},
}
STEPS: dict[str, dict[str, Any]] = {
    "DARTS step: the space's own size": {},
    "DARTS step: C = 16, 8 cells": {"search_cells": 8, "search_channels": 16},
}
CONTENDERS = {
    "processor, 1 thread": {"device": "cpu", "threads": 1},
    "processor, all cores": {"device": "cpu", "threads": os.cpu_count() or 1},
    "device": {"device": "cuda"},
    "device, mixed precision": {"device": "cuda", "amp": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("torch sees no CUDA device here: nothing was measured")
        return
    print(f"{device.describe('cuda')}, torch {torch.__version__}, {os.cpu_count()} cores")
    folder = Path(tempfile.mkdtemp(prefix="nascope-benchmark-"))
    for name, config in TRIALS.items():
        show(name, options.rounds, {who: trials(config, how, options.trials, folder) for who, how in CONTENDERS.items()})
    for name, space_options in STEPS.items():
        show(name, options.rounds, {who: steps(space_options, how, options.steps, folder) for who, how in CONTENDERS.items()})


def show(name: str, rounds: int, contenders: dict[str, Callable[[], float]]) -> None:
    """A line for each contender: seconds of one piece of work (median and quartiles), and how many times faster than the first."""
    for work in contenders.values():
        work()  # the first call of a device compiles and chooses
    seconds: dict[str, list[float]] = {who: [] for who in contenders}
    for _ in range(rounds):
        for who, work in contenders.items():
            seconds[who].append(work())
    first = next(iter(seconds))
    print(name)
    for who, found in seconds.items():
        ratio = Quartiles.of([before / after for before, after in zip(seconds[first], found, strict=True)])
        print(f"  {who:<28}{Quartiles.of(found)} s    {ratio} x", flush=True)


def trials(config: dict[str, Any], how: dict[str, Any], count: int, folder: Path) -> Callable[[], float]:
    """Seconds a trial of a random search."""
    checked = check({"algorithm": "random", "datasets": ["digits"], "budget": {"trials": count}, **config, **how})
    space = Resources(checked, folder).space
    genomes = [space.sample(random.Random(seed)) for seed in range(count)]
    specs = [
        WorkSpec(kind="trial", index=index, arguments={"genome": genome.to_json(), "hash": space.hash(genome), "fidelity": {}})
        for index, genome in enumerate(genomes)
    ]
    return lambda: timed(checked, specs, folder) / count


def steps(space_options: dict[str, Any], how: dict[str, Any], count: int, folder: Path) -> Callable[[], float]:
    """Seconds a step of DARTS."""
    values = {"algorithm": "darts", "space": "cell", "datasets": ["digits"], "options": {"steps": count, "batch_size": 64}}
    checked = check({**values, "space_options": space_options, **how})
    begin = WorkSpec(kind="phase", index=0, arguments={"charged": Meter(checked.budget).state_dict()})
    return lambda: timed(checked, [begin], folder) / count


def timed(checked: CheckedRun, specs: list[WorkSpec], folder: Path) -> float:
    """Seconds on the wall for these pieces of work, from opening to outcome."""
    device.configure(checked.config.threads)
    started = time.perf_counter()
    for spec in specs:
        work = open_work(checked, spec, folder, folder)
        while not work.finished:
            run_slice(work, 60.0)
        outcome = work.outcome()
        assert outcome["status"] == "completed", outcome["reason"]
    if checked.config.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
