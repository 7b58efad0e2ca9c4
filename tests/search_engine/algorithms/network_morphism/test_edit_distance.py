"""How far networks are apart, and the process over it: exact values."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

from search_engine.algorithms.network_morphism.edit_distance import Skip, distance, layer_distance, layers_distance, sketch, skips_distance
from search_engine.algorithms.network_morphism.gaussian_process import JITTER, GaussianProcess
from search_engine.algorithms.trials.acquisition import expected_improvement
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.growing_convnet.options import GrowingConvnetConfig
from search_engine.spaces.growing_convnet.space import GrowingConvnetSpace

A, B, C = ("conv", 8, 3), ("conv", 16, 3), ("conv", 16, 5)


def test_layers_differ_by_what_they_have() -> None:
    assert layer_distance(A, A) == 0
    assert layer_distance(A, B) == pytest.approx((8 / 16 + 0) / 2)
    assert layer_distance(A, C) == pytest.approx((8 / 16 + 2 / 5) / 2)
    assert layer_distance(A, ("dense", 8, 0)) == 1
    assert layer_distance(("pool", 0, 0), ("pool", 0, 0)) == 0


def test_the_alignment_is_the_cheapest_one() -> None:
    """Against all monotone matchings of short sequences."""
    rng = random.Random(0)
    kinds = [A, B, C, ("pool", 0, 0), ("dense", 4, 0)]
    for _ in range(40):
        first, second = ([rng.choice(kinds) for _ in range(rng.randint(0, 4))] for _ in range(2))
        costs = []
        for pairs in range(min(len(first), len(second)) + 1):
            for left in itertools.combinations(range(len(first)), pairs):
                for right in itertools.combinations(range(len(second)), pairs):
                    matched = sum(layer_distance(first[a], second[b]) for a, b in zip(left, right, strict=True))
                    costs.append(matched + len(first) + len(second) - 2 * pairs)
        assert layers_distance(first, second) == pytest.approx(min(costs))
        assert layers_distance(second, first) == pytest.approx(min(costs))


def test_skips_are_matched_as_cheaply_as_possible() -> None:
    one, other, far = Skip("add", 1, 3), Skip("add", 2, 4), Skip("concat", 1, 3)
    # By depth 1 of 2, by reach 0; relative to the larger depth and reach: 1 / (2 + 2).
    assert skips_distance([one], [other]) == pytest.approx(0.25)
    assert skips_distance([one, other], [other, one]) == 0
    assert skips_distance([one], [far]) == 1
    assert skips_distance([one, other], [other]) == 1
    assert skips_distance([], [one, far]) == 2


def test_it_is_a_distance_of_networks() -> None:
    space = GrowingConvnetSpace(GrowingConvnetConfig(channels=(4, 4), dense=(8,)), DataShape((1, 8, 8), 3))
    rng = random.Random(1)
    sketches = [sketch(space.network(space.sample(rng))) for _ in range(8)]
    for first, second in itertools.product(sketches, repeat=2):
        assert distance(first, second) == pytest.approx(distance(second, first)) and (first != second or distance(first, second) == 0)


def test_the_process_is_that_of_its_kernel() -> None:
    """Against the textbook's formulas with a plain inverse; at what was seen the mean is the score."""
    places = np.array([0.0, 0.7, 2.0, 3.5])
    away = np.abs(places[:, None] - places[None, :])
    scores = np.array([0.5, 0.6, 0.9, 0.4])
    process = GaussianProcess(away, scores)
    asked = np.abs(np.array([[1.2], [50.0]]) - places[None, :])
    kernel = np.exp(-away / process.length) + JITTER * np.eye(4)
    own = np.exp(-asked / process.length)
    target = (scores - scores.mean()) / scores.std()
    means, deviations = process.predict(asked)
    assert means == pytest.approx(scores.mean() + scores.std() * own @ np.linalg.solve(kernel, target))
    variances = 1 + JITTER - np.sum(own * np.linalg.solve(kernel, own.T).T, axis=1)
    assert deviations == pytest.approx(scores.std() * np.sqrt(variances))
    # Far away nothing is known.
    assert means[1] == pytest.approx(scores.mean(), abs=1e-3) and deviations[1] == pytest.approx(scores.std(), rel=1e-3)
    seen, sure = process.predict(away)
    assert seen == pytest.approx(scores, abs=1e-3) and (sure < 0.02).all()


def test_the_length_is_where_the_likelihood_is_largest() -> None:
    rng = np.random.default_rng(0)
    places = np.sort(rng.uniform(0, 12, 40))
    away = np.abs(places[:, None] - places[None, :])
    drawn = np.linalg.cholesky(np.exp(-away / 2.0) + 1e-8 * np.eye(40)) @ rng.normal(size=40)
    process = GaussianProcess(away, drawn)
    assert 0.7 < process.length < 6
    assert all(process.log_likelihood(process.length) >= process.log_likelihood(length) - 1e-6 for length in np.geomspace(0.1, 30, 60))


def test_one_score_and_equal_scores_are_no_explosion() -> None:
    """The published codes have K = [[1e-10]] after one trial."""
    means, deviations = GaussianProcess([[0.0]], [0.8]).predict([[0.0], [2.0]])
    assert means == pytest.approx([0.8, 0.8]) and deviations[0] < 0.02 and 0.9 < deviations[1] <= 1.001
    means, _ = GaussianProcess([[0.0, 1.0], [1.0, 0.0]], [0.8, 0.8]).predict([[0.5, 0.5]])
    assert means == pytest.approx([0.8])


def test_what_no_kernel_could_be_is_made_one() -> None:
    """Distances that break the triangle's rule: variances stay numbers."""
    away = np.array([[0.0, 5.0, 0.1], [5.0, 0.0, 0.1], [0.1, 0.1, 0.0]])
    means, deviations = GaussianProcess(away, [0.1, 0.9, 0.5]).predict(away)
    assert np.isfinite(means).all() and np.isfinite(deviations).all()


def test_expected_improvement() -> None:
    found = [expected_improvement(mean, deviation, best=0.7) for mean, deviation in ((0.5, 1e-15), (0.7, 0.1), (0.9, 1e-15))]
    assert found == pytest.approx([0.0, 0.1 / math.sqrt(2 * math.pi), 0.2], abs=1e-9)
