"""How long another person's search of one trial waits beside somebody's long work, with one worker.

    NASCOPE_DATA=... python -m benchmarks.beside [--kinds NAME ...] [--seconds 60] [--requests 12]

An installation with one worker and two people. The first starts a search of each kind in turn, with the largest sizes that a config like
the default may have; meanwhile the second starts searches of one small trial, one after the other, for so many seconds or until the first
one's is over. Prints for each kind how many there were, and how much longer the median and the longest took than alone on the idle worker.
The gate (15 s) is asked of the longest. Asserts nothing. Without data files the kinds that need them are left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.installation import LINK, OVER, ROOT, Installation, installation

GATE_SECONDS = 15.0
SMALL_TRAINING = {"train_examples": 64}
ONE_TRIAL: dict[str, Any] = {
    "algorithms": [{"id": "random"}], "space": "mlp", "space_options": {"max_layers": 1, "epochs_divisor": 5}, "datasets": ["digits"],
    "budget": {"trials": 1}, "training": SMALL_TRAINING,
    "finale": {"baselines": 0, "export": False, "redundancy": False, "training": SMALL_TRAINING},
}  # fmt: skip
MNIST = {"datasets": ["mnist"], "seeds": [0]}
ONE_STEP = {"steps": 1, "channels": 16, "layers": 8}
KINDS: dict[str, dict[str, Any]] = {
    "population": {**MNIST, "space": "neuron_graph", "algorithms": [{"id": "wann", "options": {"population": 4096, "generations": 50}}]},
    "own finish": {**MNIST, "space": "neuron_graph", "algorithms": [{"id": "wann", "options": {"population": 64, "generations": 2}}]},
    "super-network": {**MNIST, "space": "cell", "algorithms": [{"id": "darts"}]},
    "controller": {**MNIST, "space": "macro", "algorithms": [{"id": "enas"}]},
    "trials": {
        **MNIST, "space": "cell", "algorithms": [{"id": "random"}], "budget": {"trials": 4}, "training": {"channels": 16, "layers": 8},
    },
    "trials together": {
        **MNIST, "space": "mlp", "algorithms": [{"id": "random", "options": {"window": 64}}], "budget": {"trials": 64},
        "runtime": {"together": 64},
    },
    "finale": {
        **MNIST, "space": "cell", "algorithms": [{"id": "random"}], "budget": {"trials": 1},
        "training": {"steps": 1, "channels": 4, "layers": 2}, "finale": {"baselines": 0, "onnx": True, "training": ONE_STEP},
    },
    "table": {
        "datasets": ["nb201_cifar10"], "seeds": [0], "space": "nb201", "algorithms": [{"id": "regularized_evolution"}],
        "budget": {"trials": 100_000},
    },
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--seconds", type=float, default=60.0, help="so long each kind is looked at")
    parser.add_argument("--requests", type=int, default=1000, help="at most so many searches beside each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nascope-benchmark-") as home, installation(Path(home), 1) as first:
        second = somebody_else(first, Path(home))
        there = {item["id"] for item in first.get("datasets") if item["available"]}
        taken(second)
        alone = median(taken(second) for _ in range(5))
        print(f"alone on the idle worker: {alone:.1f} s\n{'beside':<18}{'searches':>9}{'median wait, s':>16}{'longest wait, s':>17}")
        waits = {}
        for kind in options.kinds:
            body = KINDS[kind]
            if not there.issuperset(body["datasets"]):
                print(f"{kind:<18}  left out: its data files are not there")
                continue
            found = [seconds - alone for seconds in beside(first, second, body, options.seconds, options.requests)]
            waits[kind] = max(found)
            print(f"{kind:<18}{len(found):>9}{median(found):>16.1f}{max(found):>17.1f}", flush=True)
    missed = [kind for kind, wait in waits.items() if wait > GATE_SECONDS]
    print(f"gate (at most {GATE_SECONDS:g} s beside each): {'missed beside ' + ', '.join(missed) if missed else 'held'}")


def somebody_else(running: Installation, home: Path) -> Installation:
    """The same application, as another person sees it."""
    environment = {**os.environ, "NASCOPE_HOME": str(home), "DJANGO_SUPERUSER_PASSWORD": os.urandom(12).hex()}

    def manage(*words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    manage("createsuperuser", "--noinput", "--username", "bob", "--email", "bob@example.com")
    said = manage("login_link", "--user", "bob", "--address", running.origin)
    link = LINK.search(said)
    assert link is not None, said
    return Installation(running.process, link, 0.0)


def taken(person: Installation) -> float:
    """Seconds from the start of a search of one trial to its end."""
    started = time.perf_counter()
    shown = person.finished(person.start({**ONE_TRIAL, "seeds": [int(time.time() * 1000) % 2**31]}))
    if shown["state"] != "completed":
        sys.exit(f"the small search ended as {shown['state']}: {shown['reason']}")
    return time.perf_counter() - started


def beside(first: Installation, second: Installation, body: dict[str, Any], seconds: float, requests: int) -> list[float]:
    """What searches of one trial took while the first person's went on."""
    run = first.start(body)
    found: list[float] = []
    until = time.perf_counter() + seconds
    while not found or (time.perf_counter() < until and len(found) < requests and first.get(f"runs/{run}")["state"] not in OVER):
        found.append(taken(second))
    shown = first.get(f"runs/{run}")
    if shown["state"] == "failed":
        sys.exit(f"the long search failed: {shown['reason']}")
    if shown["state"] not in OVER:
        first.post(f"runs/{run}/cancel")
        first.finished(run)
    return found


if __name__ == "__main__":
    main()
