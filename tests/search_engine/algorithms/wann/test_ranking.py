"""Non-dominated sorting and crowding distance against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from search_engine.algorithms.wann.ranking import crowding_distance, fronts, rank


def test_fronts_by_definition() -> None:
    generator = np.random.default_rng(0)
    points = np.round(generator.random((60, 2)), 1)
    found = fronts(points)
    assert sorted(np.concatenate(found).tolist()) == list(range(60))

    def dominates(a: np.ndarray, b: np.ndarray) -> bool:
        return bool((a >= b).all() and (a > b).any())

    remaining = set(range(60))
    for front in found:
        best = {i for i in remaining if not any(dominates(points[j], points[i]) for j in remaining)}
        assert set(front.tolist()) == best
        remaining -= best


def test_crowding_distance_divides_by_the_range() -> None:
    # Objective 0 spans 100, objective 1 spans 0.1: as shares of the range both gaps of the middle ones count alike.
    points = np.array([[0.0, 0.30], [10.0, 0.28], [60.0, 0.22], [100.0, 0.20]])
    distance = crowding_distance(points)
    assert np.isinf(distance[[0, 3]]).all()
    assert distance[1] == pytest.approx(60 / 100 + 0.08 / 0.1)
    assert distance[2] == pytest.approx(90 / 100 + 0.08 / 0.1)


def test_the_published_parentheses_would_order_otherwise() -> None:
    # Upstream divides by |1 / max - min|, which weighs objectives by their magnitude; here the wide gap of the second one decides.
    points = np.array([[0.0, 0.30], [1.0, 0.29], [11.0, 0.23], [22.0, 0.21], [23.0, 0.20]])

    def upstream(column: np.ndarray) -> np.ndarray:
        order = np.argsort(column)
        gaps = np.full(len(column), np.inf)
        ordered = column[order]
        gaps[order[1:-1]] = (ordered[2:] - ordered[:-2]) / abs(1 / ordered[-1] - ordered[0])
        return gaps

    theirs = upstream(points[:, 0]) + upstream(points[:, 1])
    assert np.argsort(-theirs[1:4]).tolist() != np.argsort(-crowding_distance(points)[1:4]).tolist()
    # By hand: .478 + .7, .913 + .8, .522 + .3
    assert crowding_distance(points)[1:4] == pytest.approx([11 / 23 + 0.7, 21 / 23 + 0.8, 12 / 23 + 0.3])


def test_an_objective_without_range_adds_nothing() -> None:
    points = np.array([[1.0, 5.0], [1.0, 5.0], [1.0, 5.0]])
    assert crowding_distance(points).tolist() == [0.0, 0.0, 0.0]
    assert rank(points).tolist() == [0, 1, 2]


def test_rank_puts_fronts_first_and_the_crowded_last() -> None:
    points = np.array([[0.0, 4.0], [4.0, 0.0], [2.0, 2.0], [2.1, 1.9], [0.5, 0.5]])
    order = rank(points).tolist()
    assert order[-1] == 4
    assert set(order[:2]) == {0, 1}


def test_rank_refuses_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="finite"):
        rank(np.array([[np.nan, 1.0]]))
