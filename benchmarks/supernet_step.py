"""One step of a search on a super-network: the grouped mixing beside the plain one, edge by edge.

    python -m benchmarks.supernet_step [rows ...] [--rounds 15] [--no-memory]

Each row is a search as the product runs it (its loop, its losses, its optimisers, its report): with `PerEdge` in its super-network, with
what it takes by itself where torch computes all, and the same with the compiled kernel (where there is a compiler). Prints CPU time of one
thread, interleaved in one process, the peak memory of each in a process of its own, and the floor: the step's products as the formula has
them, at the speed of a large product on this core. Asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.paired import compare, gate
from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.loop import BilevelLoop, Listener
from search_engine.catalogue import registry
from search_engine.datasets.base import Part, Preprocessing, SearchData
from search_engine.events import EventLog
from search_engine.primitives.native.choice import TORCH, Choice, name_of, using
from search_engine.primitives.native.kernel import kernel
from search_engine.spaces.data_shape import DataShape
from search_engine.supernets.mixing import PerEdge
from search_engine.supernets.partial_channels import PartialChannels

BATCH = 64


@dataclass(frozen=True)
class Row:
    """A search, and what it is meant to gain."""

    title: str
    shape: tuple[int, int, int]
    algorithm: str = "darts"
    options: dict[str, Any] = field(default_factory=dict)
    space: str = "cell"
    space_options: dict[str, Any] = field(default_factory=dict)
    gate: float = 0.0
    """How many times faster than the plain form it should be, torch computing all."""
    compiled_gate: float = 0.0
    """With the compiled kernel."""
    memory_gate: float = 0.0
    """The share of the plain form's peak memory that it may take."""


SMALL = {"search_cells": 4, "search_channels": 8}
ROWS = {
    "digits": Row("cell, 8x8, the space's own size (C = 4, 3 cells), first order", (1, 8, 8), gate=4.5),
    "digits-second": Row("the same, finite difference", (1, 8, 8), options={"estimator": "finite_difference"}, gate=3),
    "small": Row("cell, 16x16, C = 8, 4 cells, first order", (1, 16, 16), space_options=SMALL, gate=2.2, compiled_gate=3,
                 memory_gate=0.8),
    "small-second": Row(
        "the same, finite difference", (1, 16, 16), options={"estimator": "finite_difference"}, space_options=SMALL, gate=3,
        compiled_gate=3, memory_gate=0.72,
    ),
    "nb201": Row("nb201, 8x8, the space's own size (C = 8), first order", (1, 8, 8), space="nb201"),
    "partial": Row("cell, 16x16, C = 8, 4 cells, first order, partial channels (K = 4)", (1, 16, 16),
                   options={"partial_channels": 4, "edge_normalisation": True}, space_options=SMALL),
    "hard": Row("cell, 8x8, one operation per edge (hard Gumbel-Softmax, two levels)", (1, 8, 8), algorithm="gumbel_softmax",
                options={"hard": True, "levels": "bilevel"}),
}


def images(shape: tuple[int, int, int], examples: int = 6 * BATCH) -> SearchData:
    """Random images: how long a step takes does not depend on what they show."""
    rng = np.random.default_rng(0)
    part = Part(rng.integers(0, 256, (examples, *shape), dtype=np.uint8), np.arange(examples) % 10, np.arange(examples))
    grey = Preprocessing(255.0, (0.5,) * shape[0], (0.25,) * shape[0])
    return SearchData("random", DataShape(shape, 10), part, part, grey, tuple("0123456789"))


class Plainly(Listener):
    """Puts `PerEdge` into every super-network."""

    name = "plainly"

    def network_changes(self) -> dict[str, Any]:
        share = self.loop.options.partial_channels
        return {"mixing": (lambda plan: PartialChannels(plan, share)) if share > 1 else PerEdge}


def opened(row: Row, plainly: bool) -> BilevelLoop:
    """The search before its first step."""
    data, space, algorithm = images(row.shape), registry.space(row.space), registry.algorithm(row.algorithm)
    options = algorithm.config(batch_size=BATCH, steps=100_000, **row.options)
    (phase,) = algorithm.phases(options)
    search: Any = phase
    if plainly:
        listen = search.listen
        search.listen = lambda: [*listen(), Plainly(search)]
    torch.manual_seed(0)
    context = Context(
        space=space.space(space.config(**row.space_options), data.shape), options=options, seed=0, rng=random.Random(0),
        metric="val_accuracy", log=EventLog("phase:0"), data=data,
    )
    search.begin(context, None)
    loop: BilevelLoop = search
    return loop


def arithmetics() -> dict[str, Choice]:
    """Who computes the depthwise convolutions of each contender."""
    found = kernel()
    return {"plain": Choice(TORCH), "grouped": Choice(TORCH), **({} if found is None else {"compiled": Choice(name_of(found))})}


def step(search: BilevelLoop, choice: Choice) -> None:
    with using(choice):
        search.step()
    search.context.log.drain()


def peak_memory(name: str, contender: str) -> float:
    """MiB, of a process that does three steps."""
    command = [sys.executable, "-m", "benchmarks.supernet_step", name, "--alone", contender]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["peak"])


def own_peak() -> float:
    """MiB. By the kernel's figure of this program: `ru_maxrss` also knows the process that started it."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return float(line.split()[1]) / 1024


def product_speed() -> float:
    """Multiply-accumulates a second of a large product on this core."""
    one = torch.randn(512, 512)
    best = float("inf")
    for _ in range(20):
        begun = time.process_time()
        torch.mm(one, one)
        best = min(best, time.process_time() - begun)
    return 512**3 / best


def show(name: str, rounds: int, speed: float, memory: bool) -> None:
    row, choices = ROWS[name], arithmetics()
    searches = {contender: opened(row, contender == "plain") for contender in choices}
    found = compare({contender: partial(step, searches[contender], choices[contender]) for contender in choices}, rounds, warm_up=2)
    print(f"\n{found.table(f'{name}: {row.title}')}")
    # The plain form computes no product that the formula does not have.
    print(f"  floor: its products at the speed of a large one   {1e3 * sum(searches['plain'].flops.values()) / 2 / speed:.3g}", flush=True)
    peaks = {contender: peak_memory(name, contender) for contender in choices} if memory else {}
    if peaks:
        print("  peak memory, MiB: " + ", ".join(f"{contender} {peak:.0f}" for contender, peak in peaks.items()))
    for contender, asked in (("grouped", row.gate), ("compiled", row.compiled_gate)):
        if asked and contender in choices:
            print(gate(f"{name}, {contender}", found.ratio("plain", contender), at_least=asked))
    for contender in peaks if row.memory_gate else ():
        if contender != "plain":
            print(gate(f"{name}, {contender}, peak memory", peaks[contender] / peaks["plain"], at_most=row.memory_gate))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(ROWS)}; default: all")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--alone", choices=("plain", "grouped", "compiled"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.alone:
        search = opened(ROWS[options.rows[0]], options.alone == "plain")
        for _ in range(3):
            step(search, arithmetics()[options.alone])
        print(json.dumps({"peak": own_peak()}))
        return
    speed = product_speed()
    print(f"one thread, {2e-9 * speed:.0f} GFLOP/s in a large product, batches of {BATCH}")
    for name in options.rows or ROWS:
        show(name, options.rounds, speed, not options.no_memory)


if __name__ == "__main__":
    main()
