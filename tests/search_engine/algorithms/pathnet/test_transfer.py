"""PathNet: does a task profit from the one before? Two disjoint tasks of five digits each, the paper's fitness, frozen path always active.

A network that merely got wider passes this too (the width control): the exact invariants in `test_search.py` tell them apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.search_engine.algorithms.pathnet.by_hand import tournaments

TRANSFER: dict[str, Any] = {
    "population": 20, "generations": 60, "minibatches": 25, "learning_rate": 0.01, "fitness": "train_batches", "threshold": 0.95,
}  # fmt: skip


def mean_tournaments(seeds: range, **options: Any) -> dict[str, float]:
    """Mean tournaments until the threshold, by task and control."""
    found = [tournaments(seed, **TRANSFER, **options) for seed in seeds]
    return {name: float(np.mean([item[name] for item in found])) for name in found[0]}


@pytest.mark.slow
def test_a_later_task_needs_fewer_tournaments_than_from_scratch() -> None:
    """Measured: task A 17.2, task B after it 12.9, from scratch 19.7, width control (reported, no gate) 14.6."""
    mean = mean_tournaments(range(12))
    print("mean tournaments to the threshold:", {name: round(value, 2) for name, value in mean.items()})
    assert mean["B"] < mean["from_scratch"]
