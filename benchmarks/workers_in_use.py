"""Whether a second worker helps: trial searches of equal trials with one worker and with two.

    python -m benchmarks.workers_in_use [--trials 48] [--rounds 3] [--algorithms random regularized_evolution]

Every search trains the same number of small cells on digits, each for the same number of steps, in a running installation with real
processes; its window is the one that a new run gets. The clock runs from the start of the run until its last trial is told. Prints for each
algorithm the seconds with one worker and with two (medians, in turns), their ratio, and how busy the workers were: the seconds that the
trials took, over the seconds on the wall times the workers. Two cores of a shared machine are seldom two: beside the searches stands what
the machine itself gives: plain PyTorch loops of cells of the same size in one process and in two, in the same rounds (two of them share a
cache, so a perceptron would promise more). The gate is asked of the ratio and of the part of the control that the searches reach. Asserts
nothing.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.installation import ROOT, Installation, installation
from benchmarks.paired import Quartiles, gate

EPOCHS = 2
SEARCH: dict[str, Any] = {
    "space": "cell", "datasets": ["digits"], "training": {"epochs": EPOCHS, "channels": 4, "layers": 2},
    "finale": {"baselines": 0, "export": False, "training": {"epochs": 1, "channels": 4, "layers": 2}},
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--algorithms", nargs="+", default=["random", "regularized_evolution"])
    parser.add_argument("--bare", nargs=2, type=int, metavar=("FIRST", "EVERY"), help="only train cells in plain loops here: the FIRST, "
                        "then each EVERY further ones; prints the seconds on the wall")
    options = parser.parse_args()
    if options.bare:
        print(bare_loops(range(options.bare[0], options.trials, options.bare[1])))
        return
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    machine: list[float] = []
    with tempfile.TemporaryDirectory(prefix="nascope-benchmark-") as home:
        for number in range(options.rounds):
            for workers in (1, 2):
                with installation(Path(home), workers) as running:
                    searched(running, {**SEARCH, "algorithms": [{"id": "random"}], "seeds": [10_000], "budget": {"trials": 2 * workers}})
                    for name in options.algorithms:
                        body = {**SEARCH, "algorithms": [{"id": name}], "seeds": [number], "budget": {"trials": options.trials}}
                        seconds, served = searched(running, body)
                        found.setdefault((name, workers), []).append((seconds, served / seconds / workers))
            # The same work in all: one process trains all of it, or each of two every second cell.
            machine.append(in_processes(1, options.trials) / in_processes(2, options.trials))
    print(f"{'':<26}{'1 worker, s':>12}{'2 workers, s':>14}{'ratio':>8}{'busy of 1':>11}{'busy of 2':>11}")
    for name in options.algorithms:
        one, two = ([median(column) for column in zip(*found[name, workers], strict=True)] for workers in (1, 2))
        print(f"{name:<26}{one[0]:>12.2f}{two[0]:>14.2f}{one[0] / two[0]:>8.2f}{one[1]:>11.0%}{two[1]:>11.0%}", flush=True)
    given = Quartiles.of(machine)
    print(f"{'the machine itself':<26}{'':>26}{given.middle:>8.2f}")
    for name in options.algorithms:
        ratios = [alone[0] / both[0] for alone, both in zip(found[name, 1], found[name, 2], strict=True)]
        print(gate(f"{name}, two workers against one", Quartiles.of(ratios), at_least=1.8))
        shares = [2 * ratio / control for ratio, control in zip(ratios, machine, strict=True)]
        print(gate(f"{name}, of two what the machine gives", Quartiles.of(shares), at_least=1.8))


def in_processes(count: int, trainings: int) -> float:
    """Seconds on the wall until the last of so many processes has trained its share of the cells, imports and data left out."""
    words = [sys.executable, "-m", "benchmarks.workers_in_use", "--trials", str(trainings), "--bare"]
    shares = [[*words, str(first), str(count)] for first in range(count)]
    processes = [subprocess.Popen(share, cwd=ROOT, text=True, stdout=subprocess.PIPE) for share in shares]
    return max(float(process.communicate()[0]) for process in processes)


def bare_loops(numbers: range) -> float:
    """Train these of a row of random cells as one would in a notebook; seconds."""
    import torch

    from benchmarks.trial_overhead import bare, checked_run
    from search_engine.search.resources import Resources

    torch.set_num_threads(1)
    checked = checked_run("cell", EPOCHS)
    resources = Resources(checked, Path())
    bare(checked, resources, resources.space.sample(random.Random(0)))  # reads the data, and is not counted
    started = time.perf_counter()
    for number in numbers:
        bare(checked, resources, resources.space.sample(random.Random(number)))
    return time.perf_counter() - started


def searched(running: Installation, body: dict[str, Any]) -> tuple[float, float]:
    """(seconds from the run's start until its last trial was told, seconds that its trials took)."""
    run = running.start(body)
    shown = running.finished(run)
    events: list[dict[str, Any]] = []
    while page := running.get(f"runs/{run}/events?after={events[-1]['seq'] if events else 0}&limit=500")["events"]:
        events += page
    started = next(event["time"] for event in events if event["kind"] == "ops")
    told = max(event["time"] for event in events if event["kind"] == "trial_told")
    return told - started, shown["charged"]["seconds"]


if __name__ == "__main__":
    main()
