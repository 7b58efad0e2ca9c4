"""Costs of sets of blocks: what is live, sampled against pruned, schedules, cheapest paths."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest

from search_engine.spaces.block_costs.blocks import Block, cheapest_path, live
from search_engine.spaces.block_costs.costs import AdditiveCost, BlockCosts, ParallelCost, excess

# 0 -> 1 -> 3 and 0 -> 2 -> 3, a chord 1 -> 2, two blocks side by side on 0 -> 1.
DIAMOND = [Block(0, 1, "a"), Block(0, 1, "b"), Block(0, 2, "c"), Block(1, 2, "d"), Block(1, 3, "e"), Block(2, 3, "f")]
PRICES = BlockCosts((1.0, 2.0, 4.0, 8.0, 16.0, 32.0), 1.0)


def mask(names: str) -> np.ndarray:
    return np.array([[block.operation in names for block in DIAMOND]])


@pytest.mark.parametrize(
    ("drawn", "alive"),
    [("ae", "ae"), ("abe", "abe"), ("ac", ""), ("acef", "acef"), ("ad", ""), ("adf", "adf"), ("def", ""), ("cde", ""), ("bcdf", "bcdf"),
     ("cdef", "cf"), ("", ""), ("abcdef", "abcdef"), ("acf", "cf")],
)  # fmt: skip
def test_only_blocks_on_a_path_are_live(drawn: str, alive: str) -> None:
    assert (live(DIAMOND, mask(drawn), 4) == mask(alive)).all()
    cost = AdditiveCost(PRICES)
    sampled, pruned = cost(mask(drawn))[0], cost(live(DIAMOND, mask(drawn), 4))[0]
    assert sampled == (1 + sum(price for price, block in zip(PRICES.each, DIAMOND, strict=True) if block.operation in drawn)) / 64
    assert pruned == (1 + sum(price for price, block in zip(PRICES.each, DIAMOND, strict=True) if block.operation in alive)) / 64


def test_live_blocks_agree_with_networkx_on_random_graphs() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        nodes = int(rng.integers(2, 7))
        pairs = [(a, b) for a in range(nodes) for b in range(a + 1, nodes) for _ in range(int(rng.integers(0, 3)))]
        if not pairs:
            continue
        blocks = [Block(a, b, str(place)) for place, (a, b) in enumerate(pairs)]
        masks = rng.random((20, len(blocks))) < 0.6
        found = live(blocks, masks, nodes)
        for row, kept in zip(found, masks, strict=True):
            graph = nx.MultiDiGraph()
            graph.add_nodes_from(range(nodes))
            graph.add_edges_from((block.source, block.target) for block, on in zip(blocks, kept, strict=True) if on)
            below, above = {0, *nx.descendants(graph, 0)}, {nodes - 1, *nx.ancestors(graph, nodes - 1)}
            expected = [bool(on) and block.source in below and block.target in above for block, on in zip(blocks, kept, strict=True)]
            assert row.tolist() == expected


def test_the_whole_network_costs_1() -> None:
    everything = np.ones((1, len(DIAMOND)), dtype=bool)
    for cost in (AdditiveCost(PRICES), ParallelCost(PRICES, DIAMOND, 2)):
        assert cost(everything)[0] == 1


def test_the_cheapest_path_agrees_with_enumeration() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        prices = rng.random(len(DIAMOND)).tolist()
        paths = [
            kept for size in range(1, 4) for kept in itertools.combinations(range(len(DIAMOND)), size)
            if live(DIAMOND, np.array([[place in kept for place in range(len(DIAMOND))]]), 4)[0].sum() == size
        ]
        best = min(paths, key=lambda kept: sum(prices[place] for place in kept))
        assert sorted(cheapest_path(DIAMOND, prices, 4) or []) == list(best)
    assert cheapest_path(DIAMOND[:2], [1.0, 1.0], 4) is None


def test_one_processor_takes_the_sum_and_many_the_longest_chain() -> None:
    whole = np.ones((1, len(DIAMOND)), dtype=bool)
    assert ParallelCost(PRICES, DIAMOND, 1).whole == 1 + sum(PRICES.each)
    many = ParallelCost(PRICES, DIAMOND, 10)
    assert many.whole == 1 + 2 + 8 + 32
    assert many(mask("ce"))[0] == (1 + 16) / many.whole and many(whole)[0] == 1


def test_two_processors_wait_for_their_inputs() -> None:
    """c runs beside a and b; f waits for c and d."""
    blocks, prices = DIAMOND, BlockCosts((1.0, 1.0, 4.0, 1.0, 1.0, 1.0), 0.0)
    # a [0,1] and b [0,1]; c [1,5] and d [1,2], e [2,3]; f needs node 2, complete at 5: [5,6].
    assert ParallelCost(prices, blocks, 2).whole == 6


def test_a_shortcut_takes_no_time_but_waits_for_its_source() -> None:
    blocks, prices = [Block(0, 1, "conv"), Block(1, 2, "skip"), Block(2, 3, "conv")], BlockCosts((2.0, 0.0, 3.0), 0.0)
    assert ParallelCost(prices, blocks, 4).whole == 5


def test_hinge_and_absolute_penalty() -> None:
    costs = np.array([0.1, 0.3, 0.5])
    assert excess(costs, 0.3, "hinge").tolist() == pytest.approx([0, 0, 0.2])
    assert excess(costs, 0.3, "absolute").tolist() == pytest.approx([0.2, 0, 0.2])
