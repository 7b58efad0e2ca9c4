"""How good the best of 100 trials is, per algorithm: searches on the NAS-Bench-201 table (CIFAR-10), many seeds each.

    python -m benchmarks.nb201_incumbents [--trials 100] [--seeds 50] [--only random bayesian:gp ...] [--windows 1 2 4 8]
    NASCOPE_DATA as everywhere

The score is the incumbent's validation accuracy after 12 epochs, in percent: mean and standard error over the seeds. Every registered
algorithm that works by trials and can search the space takes part with its default options, the rules of local search and the samplers
of Bayesian optimisation one by one (the Gaussian process with a fifth of the seeds: it takes seconds where the others take
milliseconds). "against chance" is the distance of the mean from what so many cells drawn at random without replacement give on average,
which the table tells exactly, in the mean's standard errors; below -2 an algorithm would be worse than chance. Random search itself may
lie a little above: it skips cells that are one architecture. With `--windows` every row whose options have a window of open trials is
run with each of them (what a window costs is what the algorithm does not know yet when it proposes), beside the difference from the first
one, paired by seed. The table is printed as Markdown. Asserts nothing.
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

import numpy as np

from search_engine.catalogue import registry
from search_engine.catalogue.config import check
from search_engine.datasets.nb201_table import FILE
from search_engine.search.coordinator import Coordinator

DATASET = "nb201_cifar10"
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "local_search": {rule: {"rule": rule} for rule in ("first", "best")},
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


def with_windows(windows: list[int]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The rows, each once per window where it has one."""
    for row, algorithm, options in rows():
        if windows and "window" in registry.algorithm(algorithm).config.model_fields:
            # Policies have a window only where they do not work by generations.
            steady = {"scheduling": "steady"} if "scheduling" in registry.algorithm(algorithm).config.model_fields else {}
            yield from ((f"{row}, window {window}", algorithm, {**options, **steady, "window": window}) for window in windows)
        else:
            yield row, algorithm, options


def incumbent(algorithm: str, options: dict[str, Any], seed: int, trials: int, data: Path) -> float:
    """Validation accuracy after 12 epochs, in percent, of the best of `trials` trials."""
    config = {"algorithm": algorithm, "options": options, "space": "nb201", "datasets": [DATASET], "seed": seed}
    coordinator = Coordinator(check({**config, "budget": {"trials": trials}}, data), data, Path("unused"))
    step = coordinator.advance(seconds=3600)
    if step.status != "completed":
        sys.exit(f"{algorithm}, seed {seed}: {step.reason}")
    return float(100 * coordinator.finale.entrants[0]["value"])


def expected_by_chance(trials: int, data: Path) -> float:
    """The mean best validation accuracy of `trials` different cells drawn at random, in percent."""
    with np.load(data / FILE, allow_pickle=False) as file:
        values = np.sort(file["c10_val_12"].astype(float))
    ranks = np.arange(len(values))
    # P(the best is at most the one of rank r): all `trials` draws, without replacement, are among the r + 1 lowest.
    below = np.prod([np.clip(ranks + 1 - drawn, 0, None) / (len(values) - drawn) for drawn in range(trials)], axis=0)
    return float((values * np.diff(below, prepend=0.0)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--only", nargs="*", default=[], help="rows to run beside random search, for example bayesian:gp")
    parser.add_argument("--windows", nargs="*", type=int, default=[], help="windows of open trials to compare, for example 1 2 4 8")
    options = parser.parse_args()
    data = Path(os.environ.get("NASCOPE_DATA", "var/data"))
    if not (data / FILE).is_file():
        sys.exit(f"{data / FILE} is missing: set NASCOPE_DATA to the folder that holds {FILE}")
    print(f"Incumbent after {options.trials} trials, 12-epoch validation accuracy on CIFAR-10 in percent\n")
    print("| algorithm | mean ± s.e. | seeds | against chance (s.e.) | seconds a run | against its first window |\n"
          "| --- | --- | --- | --- | --- | --- |")
    chance = expected_by_chance(options.trials, data)
    print(f"| cells at random, exactly | {chance:.2f} | | | | |")
    first: dict[str, list[float]] = {}
    for row, algorithm, settings in with_windows(options.windows):
        name = row.partition(",")[0]
        if options.only and name not in ("random", *options.only):
            continue
        seeds = max(2, options.seeds // FEWER_SEEDS.get(name, 1))
        started = time.process_time()
        scores = [incumbent(algorithm, settings, seed, options.trials, data) for seed in range(seeds)]
        seconds = (time.process_time() - started) / seeds
        centre, error = mean(scores), stdev(scores) / math.sqrt(seeds)
        apart = [score - other for score, other in zip(scores, first.setdefault(name, scores), strict=True)]
        paired = f"{mean(apart):+.2f} ± {stdev(apart) / math.sqrt(seeds):.2f}" if first[name] is not scores else ""
        print(f"| {row} | {centre:.2f} ± {error:.2f} | {seeds} | {(centre - chance) / error:+.1f} | {seconds:.2f} | {paired} |", flush=True)


if __name__ == "__main__":
    main()
