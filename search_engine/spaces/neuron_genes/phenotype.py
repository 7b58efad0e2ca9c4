"""A population as one block-diagonal graph: what the batched forms compute with.

Only what matters is kept: enabled edges, and hidden nodes from which an output can be reached. Everything is found for all individuals
together with array operations, because preparing 64 graphs one by one in Python costs more than evaluating them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .genes import Genes

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Phenotypes:
    """Hidden nodes of all individuals, numbered by (individual, id), and enabled edges.

    Node columns (N,): `owner` individual, `level` (1 + longest path of hidden nodes before it, over enabled edges), `activation`.
    Edge tables, each (E, 2) int64 of (source, target): `input_hidden` source 0 .. inputs (0 = bias), target node number;
    `hidden_hidden` node numbers; `hidden_output` and `input_output` have target individual * outputs + output number.
    """

    size: int
    inputs: int
    outputs: int
    owner: Array
    level: Array
    activation: Array
    input_hidden: Array
    hidden_hidden: Array
    hidden_output: Array
    input_output: Array


def compile_population(population: list[Genes]) -> Phenotypes:
    """All individuals must have the same inputs and outputs. Raises ValueError if enabled edges close a cycle."""
    inputs, outputs, first_hidden = population[0].inputs, population[0].outputs, population[0].first_hidden
    if any((genes.inputs, genes.outputs) != (inputs, outputs) for genes in population):
        raise ValueError("the individuals of a population must have the same inputs and outputs")
    node_counts = [len(genes.nodes) for genes in population]
    edge_counts = [genes.connections for genes in population]
    owner = np.repeat(np.arange(len(population)), node_counts)
    nodes = np.concatenate([genes.nodes for genes in population])
    activation = np.concatenate([genes.activations for genes in population])
    source = np.concatenate([genes.source[genes.enabled] for genes in population])
    target = np.concatenate([genes.target[genes.enabled] for genes in population])
    edge_owner = np.repeat(np.arange(len(population)), edge_counts)

    # (individual, id) as one ascending number; looking ids up in it is right in whatever order ids were invented.
    span = int(nodes.max(initial=first_hidden)) + 1
    keys = owner * span + nodes
    from_hidden = source >= first_hidden
    to_hidden = target >= first_hidden
    tail = np.where(from_hidden, np.searchsorted(keys, edge_owner * span + source), source)
    head = np.where(to_hidden, np.searchsorted(keys, edge_owner * span + target), edge_owner * outputs + target - inputs - 1)

    inner = np.stack([tail, head], axis=1)[from_hidden & to_hidden]
    useful = np.zeros(len(nodes), dtype=bool)
    useful[tail[from_hidden & ~to_hidden]] = True
    while True:
        reached = inner[useful[inner[:, 1]], 0]
        if useful[reached].all():
            break
        useful[reached] = True

    # An edge into a useful node comes from a useful node, so it is enough to look at heads (and at tails of edges to outputs).
    number = np.cumsum(useful) - 1
    kept = useful[inner[:, 1]]
    inner = number[inner[kept]]
    into = from_hidden < to_hidden
    into[into] = useful[head[into]]
    out = from_hidden & ~to_hidden
    direct = ~from_hidden & ~to_hidden
    return Phenotypes(
        size=len(population),
        inputs=inputs,
        outputs=outputs,
        owner=owner[useful],
        level=_levels(int(useful.sum()), inner),
        activation=activation[useful],
        input_hidden=np.stack([tail[into], number[head[into]]], axis=1),
        hidden_hidden=inner,
        hidden_output=np.stack([number[tail[out]], head[out]], axis=1),
        input_output=np.stack([tail[direct], head[direct]], axis=1),
    )


def _levels(count: int, edges: Array) -> Array:
    """(count,) longest path to each node, counted in nodes. Raises ValueError on a cycle."""
    level = np.ones(count, dtype=np.int64)
    for _ in range(count + 1):
        raised = level.copy()
        np.maximum.at(raised, edges[:, 1], level[edges[:, 0]] + 1)
        if np.array_equal(raised, level):
            return level
        level = raised
    raise ValueError("enabled edges close a cycle")


def bags(edges: Array, rows: Array, count: int) -> tuple[Array, Array]:
    """The predecessors of `count` rows as one list with offsets: (sources sorted by row, first place of each row).

    `edges` (E, 2) of (source, target), `rows` (targets,) maps a target to its row or to -1.
    """
    place = rows[edges[:, 1]]
    chosen = place >= 0
    place, source = place[chosen], edges[chosen, 0]
    order = np.argsort(place, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(place, minlength=count))[:-1]]) if count else np.zeros(0, np.int64)
    return source[order], offsets.astype(np.int64)
