"""Which channel of the narrow network every channel of a widened one copies, at every node that a widening reaches.

Source: Chen, Goodfellow, Shlens: Net2Net, ICLR 2016 (arXiv:1511.05641), section 2.2: the random mapping g, and the division by |{x: g(x) =
g(j)}| wherever a copied channel is read. Where a widened value meets another one in a sum, that one must have the same copies: its layer is
widened with it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from .network import IMAGE, Network

Map = tuple[int, ...]
"""Place of every new channel -> the old channel that it copies."""


class CannotWiden(ValueError):
    """What is added to a widened value cannot be widened alike."""


def channel_maps(network: Network, number: int, to: int, seed: int) -> dict[int, Map]:
    """By node, for every node whose value gets more channels when the layer `number` becomes `to` wide. The first channels are the old ones
    in their order; the others copy channels drawn by `seed`. Raises CannotWiden.

    >>> from search_engine.spaces.growing_convnet.network import Node
    >>> nodes = [Node(1, "conv", (0,), 2, 3), Node(2, "flatten", (1,)), Node(3, "output", (2,))]
    >>> maps = channel_maps(Network(nodes, (1, 1, 2), 4), 1, 3, seed=0)
    >>> maps[1], maps[2]
    ((0, 1, 1), (0, 1, 2, 3, 2, 3))
    """
    had = network.flows[number].channels
    rng = random.Random(seed)
    found: dict[int, Map] = {number: (*range(had), *(rng.randrange(had) for _ in range(to - had)))}
    changed = True
    while changed:
        changed = False
        for node in network.nodes:
            if not any(source in found for source in node.inputs):
                continue
            if node.op == "add":
                shared = next(found[source] for source in node.inputs if source in found)
                for source in node.inputs:
                    changed |= _require(network, source, shared, found)
                changed |= _enter(node.id, shared, found)
            elif node.op in ("pool", "dropout"):
                changed |= _enter(node.id, found[node.inputs[0]], found)
            elif node.op == "flatten":
                flow = network.flows[node.inputs[0]]
                pixels = flow.height * flow.width
                spread = tuple(channel * pixels + pixel for channel in found[node.inputs[0]] for pixel in range(pixels))
                changed |= _enter(node.id, spread, found)
            elif node.op == "concat":
                changed |= _enter(node.id, _joined(network, node.inputs, found), found)
    return found


def _joined(network: Network, inputs: tuple[int, ...], found: Mapping[int, Map]) -> Map:
    joined: list[int] = []
    first = 0
    for source in inputs:
        channels = network.flows[source].channels
        joined += [first + channel for channel in found.get(source, range(channels))]
        first += channels
    return tuple(joined)


def _enter(number: int, wanted: Map, found: dict[int, Map]) -> bool:
    """Whether that is new."""
    if number not in found:
        found[number] = wanted
        return True
    if found[number] != wanted:
        raise CannotWiden(f"node {number} would have to copy different channels at once")
    return False


def _require(network: Network, number: int, wanted: Map, found: dict[int, Map]) -> bool:
    """See to it that a node gives those copies; whether that is new."""
    if number in found:
        return _enter(number, wanted, found)
    if number == IMAGE:
        raise CannotWiden("the image cannot get more channels")
    node = network.by_id[number]
    if node.op in ("conv", "dense"):
        return _enter(number, wanted, found)
    if node.op in ("pool", "dropout", "add"):
        for source in node.inputs:
            _require(network, source, wanted, found)
        return _enter(number, wanted, found)
    raise CannotWiden(f"node {number} ({node.op}) cannot copy channels of its own")
