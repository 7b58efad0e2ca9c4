"""How good the best of 100 trials is, per algorithm: searches on the NAS-Bench-201 table (CIFAR-10), many seeds each.

    python -m benchmarks.nb201_incumbents [--trials 100] [--seeds 50] [--only random bayesian:gp ...]    NASCOPE_DATA as everywhere

The score is the incumbent's validation accuracy after 12 epochs, in percent: mean and standard error over the seeds. Every registered
algorithm that works by trials and can search the space takes part with its default options, the samplers of Bayesian optimisation one
by one (the Gaussian process with a fifth of the seeds: it takes seconds where the others take milliseconds). "against random" is the
difference of the means in standard errors of that difference; below -2 an algorithm would be worse than chance. The table is printed as
Markdown. Asserts nothing.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from search_engine import registry
from search_engine.config import check
from search_engine.datasets.nb201_table import FILE
from search_engine.search.coordinator import Coordinator

DATASET = "nb201_cifar10"
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "bayesian": {name: {"sampler": name} for name in ("tpe", "ensemble", "gp")},
}
"""Options worth a row of their own."""
FEWER_SEEDS = {"bayesian:gp": 5}
"""Rows whose seeds are divided by so much."""


def rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(row, algorithm, options) of everything that takes part, random search first."""
    names = [row["algorithm"] for row in registry.compatibility() if row["space"] == "nb201" and row["dataset"] == DATASET]
    for name in sorted(names, key=lambda name: name != "random"):
        variants = VARIANTS.get(name)
        yield from [(f"{name}:{variant}", name, options) for variant, options in variants.items()] if variants else [(name, name, {})]


def incumbent(algorithm: str, options: dict[str, Any], seed: int, trials: int, data: Path) -> float:
    """Validation accuracy after 12 epochs, in percent, of the best of `trials` trials."""
    config = {"algorithm": algorithm, "options": options, "space": "nb201", "datasets": [DATASET], "seed": seed}
    coordinator = Coordinator(check({**config, "budget": {"trials": trials}}, data), data, Path("unused"))
    step = coordinator.advance(seconds=3600)
    if step.status != "completed":
        sys.exit(f"{algorithm}, seed {seed}: {step.reason}")
    return float(100 * coordinator.finale.outcomes[0]["metrics"]["val_accuracy"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--only", nargs="*", default=[], help="rows to run beside random search, for example bayesian:gp")
    options = parser.parse_args()
    data = Path(os.environ.get("NASCOPE_DATA", "var/data"))
    if not (data / FILE).is_file():
        sys.exit(f"{data / FILE} is missing: set NASCOPE_DATA to the folder that holds {FILE}")
    print(f"Incumbent after {options.trials} trials, 12-epoch validation accuracy on CIFAR-10 in percent\n")
    print("| algorithm | mean ± s.e. | seeds | against random (s.e.) | seconds a run |\n| --- | --- | --- | --- | --- |")
    chance: tuple[float, float] | None = None
    for row, algorithm, settings in rows():
        if options.only and row not in ("random", *options.only):
            continue
        seeds = max(2, options.seeds // FEWER_SEEDS.get(row, 1))
        started = time.process_time()
        scores = [incumbent(algorithm, settings, seed, options.trials, data) for seed in range(seeds)]
        seconds = (time.process_time() - started) / seeds
        centre, error = mean(scores), stdev(scores) / math.sqrt(seeds)
        chance = chance or (centre, error)
        against = "" if row == "random" else f"{(centre - chance[0]) / math.hypot(error, chance[1]):+.1f}"
        print(f"| {row} | {centre:.2f} ± {error:.2f} | {seeds} | {against} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
