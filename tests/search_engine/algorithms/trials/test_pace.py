"""The pace of live frames: rarer and rarer, and never missed by a search that learns generation by generation."""

from __future__ import annotations

from itertools import pairwise

import pytest

from search_engine.algorithms.trials.pace import FramePace


def test_frames_grow_rarer() -> None:
    due = [n for n in range(1, 100_001) if FramePace().due(n)]
    assert due[:50] == list(range(1, 51)) and len(due) < 600
    assert all(later / earlier < 1.05 for earlier, later in pairwise(due[50:]))


def test_one_by_one_it_is_every_multiple_of_the_gap() -> None:
    for every in (1, 3, 50):
        for n in range(1, 2000):
            gap = 1
            while n >= 2 * gap * every:
                gap *= 2
            assert FramePace(every).due(n) == FramePace(every).due(n, n - 1) == (n % gap == 0)


@pytest.mark.parametrize("jump", [3, 5, 24, 100])
def test_a_generation_is_due_where_one_of_its_counts_is(jump: int) -> None:
    """A jump that lands beside a due count has its frame; one in which nothing was due has none."""
    pace = FramePace()
    single = {n for n in range(1, 20_001) if pace.due(n)}
    landed_beside = 0
    for n in range(jump, 20_001, jump):
        assert pace.due(n, n - jump) == any(m in single for m in range(n - jump + 1, n + 1))
        landed_beside += pace.due(n, n - jump) and n not in single
    assert landed_beside > 0
