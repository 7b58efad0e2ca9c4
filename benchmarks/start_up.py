"""How long the application takes to be there: from `manage.py up` to its link, and a worker after its process was killed.

    python -m benchmarks.start_up [--rounds 5] [--workers 2]

Every start after the first finds its database made and its files in the system's memory ("warm"). Prints for each the seconds on the wall
until the link is printed, and the CPU seconds that every process had used when the first worker had been idle for a second: with other
work on the machine only these can be compared. Then a worker is killed: seconds until another is registered in its place. Asserts nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

import psutil

from benchmarks.installation import Installation, cpu_seconds, installation

IDLE_SECONDS = 1.0
"""So long nobody may use the processor before a start counts as over."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rows: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="nascope-benchmark-") as home:
        for number in range(options.rounds + 1):
            with installation(Path(home), options.workers) as running:
                found = measure(running)
            if number:  # the first one makes the database
                for name, value in found.items():
                    rows.setdefault(name, []).append(value)
    print(f"{'':<34}{'median':>8}  quartiles")
    for name, values in rows.items():
        low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
        print(f"{name:<34}{median(values):>8.2f}  {low:.2f} to {high:.2f}")


def measure(running: Installation) -> dict[str, float]:
    found = {"up until the link, wall s": running.ready_seconds}
    supervisor, children = psutil.Process(running.process.pid), running.children()
    settle([supervisor, *children.values()])
    used = {"supervisor": cpu_seconds(supervisor), **{name: cpu_seconds(child) for name, child in children.items()}}
    found |= {f"{name}, CPU s": seconds for name, seconds in used.items()}
    found["all together, CPU s"] = sum(used.values())
    found["a worker's memory, MB"] = children["cpu-1"].memory_info().rss / 2**20
    found["a killed worker is replaced, wall s"] = replaced(running, children["cpu-1"])
    return found


def settle(processes: list[psutil.Process]) -> None:
    before, since = -1.0, time.monotonic()
    while time.monotonic() - since < IDLE_SECONDS:
        now = sum(cpu_seconds(process) for process in processes)
        if now > before + 0.05:
            before, since = now, time.monotonic()
        time.sleep(0.05)


def replaced(running: Installation, worker: psutil.Process) -> float:
    """Seconds from the kill of a worker until another process has its name on the workers' page."""
    started = time.perf_counter()
    killed = worker.pid
    worker.kill()
    while not any(row["name"] == "cpu-1" and row["pid"] != killed for row in running.get("workers")):
        time.sleep(0.02)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
