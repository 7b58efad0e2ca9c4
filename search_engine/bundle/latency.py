"""How long a finished network takes for an answer on this machine: median and quartiles of repeated forward passes, for one example and for
many.

A fact about the machine and the moment, no science: it stands beside a bundle and never in it.
"""

from __future__ import annotations

import platform
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

MANY = 100
"""Examples of the larger pass."""
REPEATS, LEAST = 50, 3
SECONDS = 1.0
"""For each of the two, after LEAST passes."""


def latency(network: nn.Module, inputs: torch.Tensor) -> dict[str, Any]:
    """Seconds (median, and quartiles `low` and `high`) of a pass of `network` (on the CPU, in evaluation mode) on one and on up to MANY of
    the normalised `inputs` (B, ...), with what they were measured on."""
    one, many = inputs[:1], inputs[:MANY]
    return {
        "one": _timed(network, one), "many": {"examples": len(many), **_timed(network, many)}, "threads": torch.get_num_threads(),
        "processor": processor(), "torch": torch.__version__,
    }


def _timed(network: nn.Module, inputs: torch.Tensor) -> dict[str, Any]:
    taken: list[float] = []
    with torch.no_grad():
        # The first pass makes what later ones find.
        network(inputs)
        while len(taken) < LEAST or (len(taken) < REPEATS and sum(taken) < SECONDS):
            started = time.perf_counter()
            network(inputs)
            taken.append(time.perf_counter() - started)
    low, middle, high = statistics.quantiles(taken, n=4, method="inclusive")
    return {"seconds": middle, "low": low, "high": high, "repeats": len(taken)}


def processor() -> str:
    """Its name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
