"""Structural mutations of gene graphs (Stanley & Miikkulainen 2002, section 3.1): a node into an edge, a new edge, an edge off or on.

Each gives None where this graph does not allow it. None of them closes a cycle or cuts the last path from input to output. Where edges
have weights, a node in an edge changes little at first: the new edge into it has weight 1, the one out of it the old edge's weight.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from .graph import INPUT, OUTPUT, Allele, GeneGraph, Link
from .innovations import Innovations


def new_innovations(inputs: int = 1, outputs: int = 1) -> Innovations:
    """A table for gene graphs: inputs and outputs are there from the start, and so are the edges between them."""
    table = Innovations(fixed=inputs + outputs)
    for source in range(inputs):
        for target in range(inputs, inputs + outputs):
            table.connection(source, target)
    return table


def direct(inputs: int, outputs: int, weight: Callable[[], float], table: Innovations) -> GeneGraph:
    """No hidden node, each input joined to each output by an edge of its own `weight`: NEAT's first genomes.

    >>> [link.weight for link in direct(2, 1, lambda: 0.5, new_innovations(2, 1)).links]
    [0.5, 0.5]
    """
    ends = range(inputs, inputs + outputs)
    links = [Link(table.connection(source, end), source, end, weight=weight()) for source in range(inputs) for end in ends]
    return GeneGraph.of({end: {} for end in ends}, links, inputs, outputs)


def chain(hidden: Sequence[Allele], output: Allele, table: Innovations) -> GeneGraph:
    """Hidden nodes one behind the other, each made by splitting the edge into the output: equal lengths have equal numbers.

    >>> chain([{"a": 1}, {"a": 2}], {}, new_innovations()).order
    (0, 2, 3, 1)
    """
    genes = GeneGraph.of({OUTPUT: output}, [Link(table.connection(INPUT, OUTPUT), INPUT, OUTPUT)])
    for allele in hidden:
        last = next(link for link in genes.links if link.enabled and link.target == OUTPUT)
        genes = _split(genes, last, allele, table)
    return genes


def add_node(genes: GeneGraph, allele: Allele, table: Innovations, rng: random.Random) -> GeneGraph | None:
    """A new node in an enabled edge, which is disabled."""
    enabled = [link for link in genes.links if link.enabled]
    return _split(genes, rng.choice(enabled), allele, table) if enabled else None


def add_link(genes: GeneGraph, table: Innovations, rng: random.Random, weight: float | None = None) -> GeneGraph | None:
    """A new edge from a node to a later one between which there is none, enabled or not."""
    order = genes.order
    free = [
        (source, target)
        for at, source in enumerate(order)
        for target in order[at + 1 :]
        if source not in genes.ends and target not in genes.entries and (source, target) not in genes.pairs
    ]
    if not free:
        return None
    source, target = rng.choice(free)
    return genes.grown(genes.allele, [*genes.links, Link(table.connection(source, target), source, target, weight=weight)])


def toggle(genes: GeneGraph, rng: random.Random) -> GeneGraph | None:
    """A disabled edge on, or an enabled one off where another path from input to output remains."""
    for link in rng.sample(genes.links, len(genes.links)):
        other = replace(link, enabled=not link.enabled)
        changed = genes.with_links(other if each is link else each for each in genes.links)
        if changed.connected:
            return changed
    return None


def _split(genes: GeneGraph, link: Link, allele: Allele, table: Innovations) -> GeneGraph:
    node = table.split(link.innovation, genes.allele.keys())
    links = [replace(each, enabled=False) if each is link else each for each in genes.links]
    links += [
        Link(table.connection(link.source, node), link.source, node, weight=None if link.weight is None else 1.0),
        Link(table.connection(node, link.target), node, link.target, weight=link.weight),
    ]
    return genes.grown({**genes.allele, node: allele}, links)
