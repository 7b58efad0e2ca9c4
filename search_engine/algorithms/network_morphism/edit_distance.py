"""How far two growing networks are apart: the cheapest way to turn the layers of one into the other's, and its skips.

Source: Jin, Song, Hu: Auto-Keras, KDD 2019 (arXiv:1806.10282), section 3.1. Layers, in computing order, are aligned by dynamic programming:
one that has no partner costs 1, two of a kind what they differ in (the mean over width and kernel of |a - b| / max(a, b)), two of different
kinds 1. Skips are matched as cheaply as possible (Hungarian method), each as a stretch between two depths; one without a partner costs 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from search_engine.base.lazy import lazy_module
from search_engine.spaces.growing_convnet.network import IMAGE, Network

if TYPE_CHECKING:
    import numpy as np
    from scipy import optimize  # type: ignore[import-untyped]
else:
    np = lazy_module("numpy")
    optimize = lazy_module("scipy.optimize")

LAYERS = ("conv", "dense", "pool", "dropout")


@dataclass(frozen=True)
class Skip:
    """`op`: concat or add; `source` and `target` are depths: how many layers stand before, at most, from 0."""

    op: str
    source: int
    target: int


@dataclass(frozen=True)
class Sketch:
    """What the distance reads of a network."""

    layers: tuple[tuple[str, int, int], ...]
    """(op, width, kernel) in computing order."""
    skips: tuple[Skip, ...]


def sketch(network: Network) -> Sketch:
    """What the distance reads of it.

    >>> from search_engine.spaces.growing_convnet.network import Node
    >>> nodes = [Node(1, "conv", (0,), 4, 3), Node(2, "conv", (1,), 4, 3), Node(3, "add", (2, 1)), Node(4, "flatten", (3,))]
    >>> sketch(Network([*nodes, Node(5, "output", (4,))], (1, 4, 4), 2))
    Sketch(layers=(('conv', 4, 3), ('conv', 4, 3)), skips=(Skip(op='add', source=1, target=2),))
    """
    depth = {IMAGE: 0}
    layers: list[tuple[str, int, int]] = []
    skips: list[Skip] = []
    for node in network.nodes:
        depth[node.id] = max(depth[source] for source in node.inputs) + (node.op in LAYERS)
        if node.op in LAYERS:
            layers.append((node.op, node.width, node.kernel))
        if node.op in ("concat", "add"):
            skips.append(Skip(node.op, depth[node.inputs[1]], depth[node.inputs[0]]))
    return Sketch(tuple(layers), tuple(skips))


@lru_cache(maxsize=1 << 16)
def distance(first: Sketch, second: Sketch) -> float:
    """0 for networks that this does not tell apart; symmetric."""
    return layers_distance(first.layers, second.layers) + skips_distance(first.skips, second.skips)


def layer_distance(first: tuple[str, int, int], second: tuple[str, int, int]) -> float:
    """0 to 1."""
    if first[0] != second[0]:
        return 1.0
    pairs = [(a, b) for a, b in zip(first[1:], second[1:], strict=True) if max(a, b)]
    return sum(abs(a - b) / max(a, b) for a, b in pairs) / len(pairs) if pairs else 0.0


def layers_distance(first: Sequence[tuple[str, int, int]], second: Sequence[tuple[str, int, int]]) -> float:
    """The cost of the best alignment.

    >>> layers_distance([("conv", 8, 3), ("pool", 0, 0)], [("conv", 16, 3), ("conv", 16, 3), ("pool", 0, 0)])
    1.25
    """
    row = [float(place) for place in range(len(second) + 1)]
    for at, one in enumerate(first, start=1):
        diagonal, row[0] = row[0], float(at)
        for place, other in enumerate(second, start=1):
            aligned = diagonal + layer_distance(one, other)
            diagonal = row[place]
            row[place] = min(aligned, row[place] + 1, row[place - 1] + 1)
    return row[-1]


def skip_distance(first: Skip, second: Skip) -> float:
    """0 to 1: by where they begin and how far they reach, relative to the larger; 1 for different kinds."""
    if first.op != second.op:
        return 1.0
    reach = [abs(skip.target - skip.source) for skip in (first, second)]
    most = max(first.source, second.source) + max(reach)
    return (abs(first.source - second.source) + abs(reach[0] - reach[1])) / most if most else 0.0


def skips_distance(first: Sequence[Skip], second: Sequence[Skip]) -> float:
    """The cost of the best matching."""
    unmatched = abs(len(first) - len(second))
    if not first or not second:
        return float(unmatched)
    costs = np.array([[skip_distance(one, other) for other in second] for one in first])
    rows, columns = optimize.linear_sum_assignment(costs)
    return float(costs[rows, columns].sum()) + unmatched
