"""Importances around the threshold: what is dead lies below it, whatever the bins; and pictures of networks stay small."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from search_engine.base.compression import Narrowed
from search_engine.widths import drawn
from search_engine.widths.histograms import BINS, ends, histogram


@pytest.mark.parametrize("threshold", [1e-4, 0.05, 0.1, 0.3, 0.7])
def test_the_halves_are_the_dead_and_the_living(threshold: float) -> None:
    rng = np.random.RandomState(0)
    near = threshold * (1 + rng.uniform(-1e-15, 1e-15, 500))
    values = [0.0, threshold, *near.tolist(), *np.exp(rng.uniform(-14, 4, 500)).tolist()]
    counts = histogram(values, threshold)
    assert sum(counts[: BINS // 2]) == sum(value <= threshold for value in values)
    assert sum(counts) == len(values)


def test_every_value_lies_between_the_ends_of_its_bin() -> None:
    threshold = 0.1
    own = ends(threshold)
    assert own[BINS // 2] == threshold and len(own) == BINS + 1
    for bin_, (low, high) in enumerate(pairwise(own)):
        assert histogram([(low * high) ** 0.5], threshold)[bin_] == 1
    assert histogram([1e-30, 0.0], threshold)[0] == 2 and histogram([1e9], threshold)[-1] == 1


def test_of_many_layers_the_widest_are_shown_in_their_order() -> None:
    layers = [Narrowed(f"{number}", number % 30 + 1, 1, histogram([], 0.1), False) for number in range(60)]
    network = drawn.network("round 1", layers, 0.5)
    assert network.others == 60 - drawn.MOST_LAYERS and len(network.layers) == drawn.MOST_LAYERS
    assert min(layer.before for layer in network.layers) == 19
    assert [int(layer.name) for layer in network.layers] == sorted(int(layer.name) for layer in network.layers)
