"""Whether a second worker helps: trial searches of equal trials with one worker and with two.

    python -m benchmarks.workers_in_use [--trials 16] [--rounds 3] [--algorithms random regularized_evolution]

Every search trains the same number of small perceptrons on digits, each for the same number of steps, in a running installation with real
processes; its window is the one that a new run gets. The clock runs from the start of the run until its last trial is told. Prints for each
algorithm the seconds with one worker and with two (medians, in turns), their ratio, and how busy the workers were: the seconds that the
trials took, over the seconds on the wall times the workers. On a machine with other work only the busy share can be compared. Asserts
nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.installation import Installation, installation

SEARCH: dict[str, Any] = {
    "space": "mlp", "datasets": ["digits"], "training": {"epochs": 40}, "finale": {"export": False, "training": {"epochs": 1}},
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--algorithms", nargs="+", default=["random", "regularized_evolution"])
    options = parser.parse_args()
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="nascope-benchmark-") as home:
        for number in range(options.rounds):
            for workers in (1, 2):
                with installation(Path(home), workers) as running:
                    searched(running, {**SEARCH, "algorithms": [{"id": "random"}], "seeds": [10_000], "budget": {"trials": 2 * workers}})
                    for name in options.algorithms:
                        body = {**SEARCH, "algorithms": [{"id": name}], "seeds": [number], "budget": {"trials": options.trials}}
                        seconds, served = searched(running, body)
                        found.setdefault((name, workers), []).append((seconds, served / seconds / workers))
    print(f"{'':<26}{'1 worker, s':>12}{'2 workers, s':>14}{'ratio':>8}{'busy of 1':>11}{'busy of 2':>11}")
    for name in options.algorithms:
        one, two = ([median(column) for column in zip(*found[name, workers], strict=True)] for workers in (1, 2))
        print(f"{name:<26}{one[0]:>12.2f}{two[0]:>14.2f}{one[0] / two[0]:>8.2f}{one[1]:>11.0%}{two[1]:>11.0%}", flush=True)


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
