"""What the search loop costs where an evaluation costs nothing: searches on the NAS-Bench-201 table against bare loops over it.

    python -m benchmarks.table_search [--trials 1000] [--repeats 3]        NASCOPE_DATA names the folder with nb201/nb201.npz

Three forms of the same search, in milliseconds a trial (CPU time, least of the repeats): the bare loop (integers and one array, as in a
notebook: no genomes, no isomorphism, no events), the coordinator in memory (genomes, hashes, lineage, budget, events), and the run as the
command line does it (events to a file, checkpoints with fsync). The ratios are the price of the product's promises. Asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from search_engine.catalogue.config import check
from search_engine.datasets.nb201_table import FILE
from search_engine.search.coordinator import Coordinator
from search_engine.search.local_run import LocalRun

OPERATIONS, EDGES = 5, 6
POPULATION, SAMPLE = 100, 25
"""Those of the bare evolution; the engine's are set to the same."""


def bare_random(values: np.ndarray, trials: int, rng: random.Random) -> float:
    """Draw, look up, keep the best."""
    return max(float(values[rng.randrange(len(values))]) for _ in range(trials))


def bare_evolution(values: np.ndarray, trials: int, rng: random.Random) -> float:
    """Aging evolution (Real et al., AAAI 2019, algorithm 1) on cells as tuples of operation numbers."""
    powers = [OPERATIONS**edge for edge in range(EDGES)]
    population: deque[tuple[float, list[int]]] = deque()
    best = 0.0
    for _ in range(trials):
        if len(population) < POPULATION:
            cell = [rng.randrange(OPERATIONS) for _ in range(EDGES)]
        else:
            cell = list(max(rng.sample(population, SAMPLE))[1])
            edge = rng.randrange(EDGES)
            cell[edge] = rng.choice([operation for operation in range(OPERATIONS) if operation != cell[edge]])
        value = float(values[sum(operation * power for operation, power in zip(cell, powers, strict=True))])
        population.append((value, cell))
        if len(population) > POPULATION:
            population.popleft()
        best = max(best, value)
    return best


def milliseconds(work: Callable[[int], object], trials: int, repeats: int) -> float:
    """Least CPU time of `work(seed)` over the repeats, in milliseconds a trial."""
    readings = []
    for seed in range(repeats):
        started = time.process_time()
        work(seed)
        readings.append(time.process_time() - started)
    return 1e3 * min(readings) / trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    data = Path(os.environ.get("NASCOPE_DATA", "var/data"))
    if not (data / FILE).is_file():
        sys.exit(f"{data / FILE} is missing: set NASCOPE_DATA to the folder that holds {FILE}")
    with np.load(data / FILE, allow_pickle=False) as file:
        codes = file["ops"].astype(np.int64) @ (OPERATIONS ** np.arange(EDGES))
        values = np.empty(len(codes))
        values[codes] = file["c10_val_12"]

    def checked(algorithm: str, seed: int):  # type: ignore[no-untyped-def]
        settings = {"population": POPULATION, "sample": SAMPLE} if algorithm == "regularized_evolution" else {}
        config = {"algorithm": algorithm, "options": settings, "space": "nb201", "datasets": ["nb201_cifar10"], "seed": seed}
        return check({**config, "budget": {"trials": options.trials}}, data)

    def in_memory(algorithm: str, seed: int) -> None:
        step = Coordinator(checked(algorithm, seed), data, Path("unused")).advance(seconds=3600)
        if step.status != "completed":
            sys.exit(step.reason)

    def with_files(algorithm: str, seed: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            LocalRun(checked(algorithm, seed), data, Path(folder) / "run").run()

    in_memory("random", 0)  # imports and the table's first read are start-up, not search
    print(f"{options.trials} trials, least of {options.repeats}, CPU time in ms a trial")
    print("algorithm                bare loop   in memory   ratio   with files   ratio")
    bare = {"random": bare_random, "regularized_evolution": bare_evolution}
    for algorithm, loop in bare.items():
        times = [
            milliseconds(lambda seed, loop=loop: loop(values, options.trials, random.Random(seed)), options.trials, options.repeats),  # type: ignore[misc]
            milliseconds(lambda seed, algorithm=algorithm: in_memory(algorithm, seed), options.trials, options.repeats),  # type: ignore[misc]
            milliseconds(lambda seed, algorithm=algorithm: with_files(algorithm, seed), options.trials, options.repeats),  # type: ignore[misc]
        ]
        print(
            f"{algorithm:<24}{times[0]:>10.4f}{times[1]:>12.3f}{times[1] / times[0]:>8.0f}{times[2]:>13.3f}{times[2] / times[0]:>8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
