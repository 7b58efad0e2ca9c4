"""How much slower the first step of a search is than a later one: FLOPs are counted while it runs.

    python -m benchmarks.first_step [--rounds 5] [--algorithms darts enas ...]

Each round begins the search anew (default space and sizes, digits) and takes the CPU time of its first steps; the ratio is that of the
first to the median of the later ones (median over the rounds, and quartiles). Beside it the same search with the counter of torch, which
also follows modules, and without any counting. Random order in every round, one thread. Asserts nothing.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.utils.flop_counter import FlopCounterMode

from benchmarks.paired import Quartiles, gate
from search_engine.catalogue.config import check
from search_engine.search.budget import Meter
from search_engine.search.open_work import open_work
from search_engine.search.work import WorkSpec
from search_engine.training import device, flops

LATER = 4
"""Steps after the first."""


class TorchCounter(FlopCounterMode):
    """torch's own counter in our counter's place."""

    def __init__(self) -> None:
        super().__init__(display=False)

    @property
    def total(self) -> int:
        return int(self.get_total_flops())


class NoCounter:
    """In our counter's place, and counts nothing."""

    total = 0

    def __enter__(self) -> NoCounter:
        return self

    def __exit__(self, *error: object) -> None:
        pass


COUNTERS: dict[str, Any] = {"ours": flops.FlopCounter, "torch's": TorchCounter, "none": NoCounter}


@contextmanager
def counting(counter: Any) -> Iterator[None]:
    """Everything that counts FLOPs counts with `counter` meanwhile."""
    own = flops.FlopCounter
    flops.FlopCounter = counter  # type: ignore[misc]
    try:
        yield
    finally:
        flops.FlopCounter = own  # type: ignore[misc]


def steps(algorithm: str, folder: Path) -> list[float]:
    """CPU seconds of the first steps of a new search."""
    checked = check({"algorithm": algorithm, "datasets": ["digits"]})
    work = open_work(checked, WorkSpec(kind="phase", index=0, arguments={"charged": Meter(None).state_dict()}), folder, folder)
    readings = []
    with work.generators.active():
        work.begin()
        for _ in range(1 + LATER):
            started = time.process_time()
            work.advance()
            readings.append(time.process_time() - started)
    return readings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--algorithms", nargs="*", default=["darts", "gumbel_softmax", "variational"])
    options = parser.parse_args()
    device.configure(1)
    folder = Path(tempfile.mkdtemp())
    order = random.Random(0)
    gates = []
    for algorithm in options.algorithms:
        readings: dict[str, list[list[float]]] = {name: [] for name in COUNTERS}
        steps(algorithm, folder)
        for _ in range(options.rounds):
            for name in order.sample(list(COUNTERS), len(COUNTERS)):
                with counting(COUNTERS[name]):
                    readings[name].append(steps(algorithm, folder))
        print(f"{algorithm}, CPU ms of {options.rounds} rounds: median [quartiles]        first step          later steps       ratio")
        for name, rows in readings.items():
            first = Quartiles.of([1e3 * row[0] for row in rows])
            later = Quartiles.of([1e3 * statistics.median(row[1:]) for row in rows])
            ratio = Quartiles.of([row[0] / statistics.median(row[1:]) for row in rows])
            print(f"  counter: {name:<40}{first!s:>22}{later!s:>21}  {ratio}", flush=True)
            if name == "ours":
                gates.append(gate(f"{algorithm}: the first step, in later ones", ratio, at_most=1.3))
    print("\n".join(gates))


if __name__ == "__main__":
    main()
