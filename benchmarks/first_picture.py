"""From the click on Start to the first picture on the page: with workers that are idle, and with workers that are all busy.

    python -m benchmarks.first_picture [--rounds 5] [--workers 2]

Posts experiments to a running installation, opens each run's WebSocket as its page does, and takes the time from the click until the first
event of a kind that the algorithm declares as its picture. "Busy": as many long DARTS searches as there are workers run already, so the new
one has to be let in between two of their slices. Prints for each search the median and the largest of the seconds, on the wall: only an
otherwise idle machine gives figures that mean something. Asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from websockets.sync.client import connect

from benchmarks.installation import Installation, installation

DARTS: dict[str, Any] = {
    "algorithms": [{"id": "darts"}], "space": "cell", "datasets": ["digits"], "finale": {"export": False},
}  # fmt: skip
EVOLUTION: dict[str, Any] = {
    "algorithms": [{"id": "regularized_evolution"}], "space": "mlp", "datasets": ["digits"], "budget": {"trials": 6},
    "finale": {"export": False},
}  # fmt: skip
WANN: dict[str, Any] = {"algorithms": [{"id": "wann"}], "datasets": ["digits"], "finale": {"export": False}}
SEARCHES = {
    "DARTS, structure": (DARTS, "structure"), "evolution, first candidate told": (EVOLUTION, "trial_told"),
    "WANN, first population": (WANN, "population"),
}  # fmt: skip
"""Body, and the kind of event that is the first picture."""
LONG = {**DARTS, "algorithms": [{"id": "darts", "options": {"steps": 100_000}}]}
WARM_SECONDS = 5.0
"""How long the busy searches run before the first click."""
PATIENCE = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(f"{'':<44}{'median':>8}{'largest':>9}  (s)")
    with tempfile.TemporaryDirectory(prefix="nascope-benchmark-") as home, installation(Path(home), options.workers) as running:
        measure(running, "idle", options.rounds)
        busy = [running.start({**LONG, "seeds": [seed]}) for seed in range(options.workers)]
        time.sleep(WARM_SECONDS)
        measure(running, "busy", options.rounds)
        for run in busy:
            running.post(f"runs/{run}/cancel")


def measure(running: Installation, state: str, rounds: int) -> None:
    for title, (body, kind) in SEARCHES.items():
        seconds = [first_picture(running, {**body, "seeds": [number]}, kind) for number in range(rounds)]
        print(f"{f'{state}: {title}':<44}{median(seconds):>8.2f}{max(seconds):>9.2f}", flush=True)


def first_picture(running: Installation, body: dict[str, Any], kind: str) -> float:
    """Seconds from the click until an event of that kind is there; then the run is cancelled, and its workers are free again."""
    clicked = time.perf_counter()
    run = running.start(body)
    try:
        address = f"{running.origin.replace('http', 'ws')}/ws/v1/runs/{run}/?after=0"
        cookie = {"Cookie": f"nascope_session={running.client.cookies['nascope_session']}"}
        with connect(address, additional_headers=cookie, origin=running.origin, max_size=None) as link:  # type: ignore[arg-type]
            while time.perf_counter() < clicked + PATIENCE:
                frame = json.loads(link.recv(timeout=PATIENCE))
                if frame["type"] == "events" and any(event["kind"] == kind for event in frame["events"]):
                    return time.perf_counter() - clicked
        raise SystemExit(f"no event of kind {kind} within {PATIENCE:.0f} s")
    finally:
        running.post(f"runs/{run}/cancel")
        while any(row["job"] is not None and row["job"]["run"] == run for row in running.get("workers")):
            time.sleep(0.05)


if __name__ == "__main__":
    main()
