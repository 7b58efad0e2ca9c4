"""WANN's four mutations (Gaier & Ha 2019, section 3.2). Exactly one is applied to a child.

`choose` decides (random numbers, innovation table) and gives a small record; `apply_mutation` carries a record out. So a generation
can be written down as records, and any individual rebuilt from them.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .genes import Genes, layers
from .innovation import InnovationTable

OPERATORS: tuple[str, ...] = ("add_node", "add_connection", "enable", "change_activation")


class Mutation(NamedTuple):
    """What was changed. `values` by operator:

    add_node: split edge's innovation, new node, its activation, innovation into it, innovation out of it;
    add_connection: innovation, source, target; enable: innovation; change_activation: node, activation.
    """

    operator: str
    values: tuple[int, ...]


def choose(
    genes: Genes, table: InnovationTable, rng: random.Random, probabilities: dict[str, float], activations: tuple[int, ...]
) -> Mutation | None:
    """Draw one mutation: an operator with its probability among those that this genome allows, then its place.

    None only if nothing can be done (no enabled edge, no disabled one, no hidden node).
    """
    left = {name: weight for name, weight in probabilities.items() if weight > 0}
    while left:
        name = rng.choices(list(left), weights=list(left.values()))[0]
        mutation = _PLACES[name](genes, table, rng, activations)
        if mutation is not None:
            return mutation
        del left[name]
    return None


def _add_node(genes: Genes, table: InnovationTable, rng: random.Random, activations: tuple[int, ...]) -> Mutation | None:
    enabled = np.flatnonzero(genes.enabled)
    if len(enabled) == 0:
        return None
    edge = int(enabled[rng.randrange(len(enabled))])
    innovation = int(genes.innovation[edge])
    node = table.node(genes, innovation)
    into = table.edge(genes, int(genes.source[edge]), node)
    out = table.edge(genes, node, int(genes.target[edge]))
    return Mutation("add_node", (innovation, node, rng.choice(activations), into, out))


def _add_connection(genes: Genes, table: InnovationTable, rng: random.Random, activations: tuple[int, ...]) -> Mutation | None:
    layer = layers(genes)
    if not layer:
        return None
    last = max(layer.values()) + 1
    place = dict.fromkeys(range(genes.inputs + 1), 0) | layer | dict.fromkeys(range(genes.first_output, genes.first_hidden), last)
    sources = list(range(genes.inputs + 1)) + genes.nodes.tolist()
    targets = list(range(genes.first_output, genes.first_hidden)) + genes.nodes.tolist()
    rng.shuffle(sources)
    for source in sources:
        # Every direct edge exists already as a gene: it can only be enabled.
        fitting = [
            target
            for target in targets
            if place[target] > place[source]
            and (source, target) not in genes.pairs
            and not (source <= genes.inputs and target < genes.first_hidden)
        ]
        if fitting:
            target = rng.choice(fitting)
            return Mutation("add_connection", (table.edge(genes, source, target), source, target))
    return None


def _enable(genes: Genes, table: InnovationTable, rng: random.Random, activations: tuple[int, ...]) -> Mutation | None:
    stored = genes.innovation[~genes.enabled]
    direct = np.zeros(genes.direct_edges, dtype=bool)
    direct[genes.innovation[genes.innovation < genes.direct_edges]] = True
    pool = np.concatenate([stored, np.flatnonzero(~direct)])
    if len(pool) == 0:
        return None
    return Mutation("enable", (int(pool[rng.randrange(len(pool))]),))


def _change_activation(genes: Genes, table: InnovationTable, rng: random.Random, activations: tuple[int, ...]) -> Mutation | None:
    if len(genes.nodes) == 0:
        return None
    place = rng.randrange(len(genes.nodes))
    others = [number for number in activations if number != int(genes.activations[place])]
    if not others:
        return None
    return Mutation("change_activation", (int(genes.nodes[place]), rng.choice(others)))


_PLACES = {"add_node": _add_node, "add_connection": _add_connection, "enable": _enable, "change_activation": _change_activation}


def apply_mutation(genes: Genes, mutation: Mutation) -> Genes:
    """The child. Raises ValueError for an operator that does not exist."""
    if mutation.operator == "add_node":
        return _applied_add_node(genes, *mutation.values)
    if mutation.operator == "add_connection":
        innovation, source, target = mutation.values
        return _with_edges(genes, [(innovation, source, target)])
    if mutation.operator == "enable":
        (innovation,) = mutation.values
        if innovation in genes.innovation:
            return replace(genes, enabled=genes.enabled | (genes.innovation == innovation))
        return _with_edges(genes, [(innovation, *genes.direct_pair(innovation))])
    if mutation.operator == "change_activation":
        node, activation = mutation.values
        return replace(genes, activations=np.where(genes.nodes == node, activation, genes.activations))
    raise ValueError(f"there is no operator '{mutation.operator}'")


def _applied_add_node(genes: Genes, split: int, node: int, activation: int, into: int, out: int) -> Genes:
    edge = int(np.flatnonzero(genes.innovation == split)[0])
    place = int(np.searchsorted(genes.nodes, node))
    grown = replace(
        genes,
        nodes=np.insert(genes.nodes, place, node),
        activations=np.insert(genes.activations, place, activation),
        enabled=genes.enabled & (genes.innovation != split),
    )
    return _with_edges(grown, [(into, int(genes.source[edge]), node), (out, node, int(genes.target[edge]))])


def _with_edges(genes: Genes, edges: list[tuple[int, int, int]]) -> Genes:
    """More edges, all enabled, at their places in the order of innovation."""
    innovation = np.concatenate([genes.innovation, [edge[0] for edge in edges]])
    order = np.argsort(innovation, kind="stable")
    return replace(
        genes,
        innovation=innovation[order],
        source=np.concatenate([genes.source, [edge[1] for edge in edges]])[order],
        target=np.concatenate([genes.target, [edge[2] for edge in edges]])[order],
        enabled=np.concatenate([genes.enabled, np.ones(len(edges), dtype=bool)])[order],
    )
