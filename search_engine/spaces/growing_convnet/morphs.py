"""The operators of network morphism on the graph: what each makes of a network, and which of them fit where.

Sources: Elsken, Metzen, Hutter 2017 (arXiv:1711.04528), section 3: types I (deeper), II (wider, skip by concatenation) and III (skip by a
weighted sum); Chen et al. 2016 (arXiv:1511.05641). A morph is a JSON value, so that whoever has a network's weights and a list of morphs
can do them (`supernets.morphing`):

    {"op": "deeper", "after": 3, "kernel": 5, "new": 12}       a layer that passes everything on, behind node 3
    {"op": "wider", "node": 3, "to": 32, "seed": 71}           copies of channels; who reads them divides
    {"op": "concat", "node": 8, "from": 3, "new": 12}          layer 8 also reads node 3, with weights that begin as 0
    {"op": "add", "node": 8, "from": 3, "new": 12}             who read node 8 reads λ (node 8) + (1 - λ) (node 3), λ begins as 1
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from search_engine.base.errors import BadInput

from .channel_maps import CannotWiden, channel_maps
from .network import IMAGE, WEIGHTED, Network, Node, rewired
from .options import GrowingConvnetConfig

Morph = dict[str, Any]
KINDS = ("deeper", "wider", "skip")
"""A random morph is one of these, equally likely."""


def apply(network: Network, morph: Morph) -> Network:
    """The grown network. Raises BadInput(field "morph") for one that does not fit."""
    try:
        if morph["op"] == "deeper":
            return _deeper(network, morph)
        if morph["op"] == "wider":
            return _wider(network, morph)
        if morph["op"] == "concat":
            return _concat(network, morph)
        if morph["op"] == "add":
            return _add(network, morph)
    except (KeyError, CannotWiden, BadInput) as error:
        raise BadInput("morph", f"{describe(morph)} does not fit this network: {error}") from error
    raise BadInput("morph", f"there is no morph {morph['op']!r}")


def describe(morph: Morph) -> str:
    """In words: `deeper: 5x5 behind 3`, `wider: 3 to 32`, `skip by concat: 3 to 8`."""
    if morph.get("op") == "deeper":
        side = morph.get("kernel")
        return f"deeper: {f'{side}x{side}' if side else 'dense'} behind {morph.get('after')}"
    if morph.get("op") == "wider":
        return f"wider: {morph.get('node')} to {morph.get('to')}"
    return f"skip by {morph.get('op')}: {morph.get('from')} to {morph.get('node')}"


def describe_all(morphs: Sequence[Morph]) -> str:
    return "; ".join(describe(morph) for morph in morphs) if morphs else "unchanged"


def new_layer(network: Network, morph: Morph) -> Node:
    """What `deeper` puts in: a convolution behind an image of features, a dense layer behind a vector, with a batch normalisation where the
    layer before has one (behind anything else, where any convolution has)."""
    after = morph["after"]
    flow = network.flows[after]
    before = network.by_id[after]
    alike = before.norm if before.op in ("conv", "dense") else any(node.norm for node in network.nodes if node.op == "conv")
    if flow.is_image:
        return Node(morph["new"], "conv", (after,), flow.channels, morph["kernel"], alike)
    return Node(morph["new"], "dense", (after,), flow.channels, norm=before.norm)


def _deeper(network: Network, morph: Morph) -> Network:
    after = morph["after"]
    if not network.never_negative(after):
        raise BadInput("morph", f"what node {after} gives may be negative, and a ReLU would change it")
    return _behind(network, after, new_layer(network, morph))


def _behind(network: Network, number: int, new: Node) -> Network:
    """With `new` right behind what it reads last, and all who read `number` reading it instead."""
    nodes: list[Node] = []
    last = max(place for place, node in enumerate(network.nodes) if node.id in new.inputs)
    for place, node in enumerate(network.nodes):
        nodes.append(rewired(node, number, new.id))
        if place == last:
            nodes.append(new)
    return network.with_nodes(nodes)


def _wider(network: Network, morph: Morph) -> Network:
    if morph["to"] <= network.by_id[morph["node"]].width:
        raise BadInput("morph", "it would not become wider")
    maps = channel_maps(network, morph["node"], morph["to"], morph["seed"])
    return network.with_nodes(
        replace(node, width=len(maps[node.id])) if node.op in ("conv", "dense") and node.id in maps else node for node in network.nodes
    )


def _concat(network: Network, morph: Morph) -> Network:
    target, source = network.by_id[morph["node"]], morph["from"]
    if target.op not in WEIGHTED or source in network.after[target.id]:
        raise BadInput("morph", "a skip leads forwards, into a layer with weights")
    new = Node(morph["new"], "concat", (target.inputs[0], source))
    nodes = [replace(target, inputs=(new.id,)) if node.id == target.id else node for node in network.nodes]
    return _sorted(network, [*nodes[:-1], new, nodes[-1]])


def _add(network: Network, morph: Morph) -> Network:
    number, source = morph["node"], morph["from"]
    if source in network.after[number] or IMAGE in (number, source):
        raise BadInput("morph", "a skip leads forwards, from a layer")
    new = Node(morph["new"], "add", (number, source))
    nodes = [rewired(node, number, new.id) for node in network.nodes]
    return _sorted(network, [*nodes[:-1], new, nodes[-1]])


def _sorted(network: Network, nodes: list[Node]) -> Network:
    """The nodes in an order that computes: the given one, as far as that is possible."""
    known, ordered, waiting = {IMAGE}, [], list(nodes)
    while waiting:
        ready = next(node for node in waiting if known.issuperset(node.inputs))
        ordered.append(ready)
        known.add(ready.id)
        waiting.remove(ready)
    return network.with_nodes(ordered)


# ---- which of them fit


def candidates(network: Network, kind: str, config: GrowingConvnetConfig) -> list[Morph]:
    """All morphs of a kind that fit, without their drawn parts (`kernel`, `to` and `seed`)."""
    new = network.next_id
    if kind == "deeper":
        if network.layers >= config.max_layers:
            return []
        places = [node for node in network.nodes if node.op in ("conv", "dense", "pool", "concat") and network.never_negative(node.id)]
        return [{"op": "deeper", "after": node.id, "new": new} for node in places]
    if kind == "wider":
        return [{"op": "wider", "node": node.id} for node in network.nodes if node.op in ("conv", "dense")]
    return [*_concats(network, new), *_adds(network, new)]


def _concats(network: Network, new: int) -> list[Morph]:
    found: list[Morph] = []
    for target in network.nodes:
        if target.op not in WEIGHTED:
            continue
        read = _read(network, target.inputs[0])
        flow = network.flows[target.inputs[0]]
        for source, other in network.flows.items():
            if source not in read and source not in network.after[target.id] and other.sides == flow.sides:
                found.append({"op": "concat", "node": target.id, "from": source, "new": new})
    return found


def _read(network: Network, number: int) -> set[int]:
    """What a layer reads whose input is that node: through concatenations."""
    if number == IMAGE or network.by_id[number].op != "concat":
        return {number}
    return {number}.union(*(_read(network, source) for source in network.by_id[number].inputs))


def _adds(network: Network, new: int) -> list[Morph]:
    found: list[Morph] = []
    layers = [node for node in network.nodes if node.op in ("conv", "dense")]
    for node in layers:
        added = {source for reader in network.readers(node.id) if reader.op == "add" for source in reader.inputs}
        for source, flow in network.flows.items():
            if source == IMAGE or source in added or source in network.after[node.id] or flow != network.flows[node.id]:
                continue
            if network.by_id[source].op not in ("concat", "flatten"):
                found.append({"op": "add", "node": node.id, "from": source, "new": new})
    return found


def completed(network: Network, morph: Morph, config: GrowingConvnetConfig, rng: random.Random) -> Morph:
    """With its drawn parts."""
    if morph["op"] == "deeper" and network.flows[morph["after"]].is_image:
        return {**morph, "kernel": rng.choice(config.kernels)}
    if morph["op"] == "wider":
        return {**morph, "to": network.by_id[morph["node"]].width * rng.choice(config.factors), "seed": rng.randrange(2**31)}
    return morph


def random_morph(
    network: Network, config: GrowingConvnetConfig, rng: random.Random, fits: Callable[[Network], bool], draws: int = 50
) -> tuple[Morph, Network] | None:
    """A random morph and what becomes of the network: its kind uniformly, then one of those that fit. Drawn again where the grown network
    is beyond the bounds (`fits`), up to `draws` times; None if nothing was found."""
    for _ in range(draws):
        found = candidates(network, rng.choice(KINDS), config)
        if not found:
            continue
        morph = completed(network, rng.choice(found), config, rng)
        try:
            grown = apply(network, morph)
        except BadInput:
            continue
        if fits(grown):
            return morph, grown
    return None
