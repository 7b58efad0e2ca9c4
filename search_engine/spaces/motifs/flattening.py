"""The one graph that a genome stands for: every motif is put in its place, down to the primitives.

Nodes are values. A node of the cell is called by its number; a node inside of a motif by the edge that the motif lies on and its own
number there: `1-3.2` is node 2 of the motif between the cell's nodes 1 and 3. The first node of a motif is the value that the edge begins
with. From its last one a *wire* (an edge without an operation) leads to the node that the edge ends at, whose value is made of all that
arrive.

What is on no path from the input to the output is not computed, and does not count: neither in a picture, nor in the network, nor in what
makes two genomes one architecture.
"""

from __future__ import annotations

from dataclasses import dataclass

from .hierarchy import NONE, Entries, Hierarchy


@dataclass(frozen=True)
class FlatEdge:
    source: str
    target: str
    operation: int | None
    """A primitive's number; None on a wire."""


@dataclass(frozen=True)
class Flat:
    """Nodes in an order in which they can be computed, and the edges between them, those into one node together."""

    nodes: tuple[str, ...]
    edges: tuple[FlatEdge, ...]
    input: str
    output: str

    def into(self, node: str) -> list[FlatEdge]:
        return [edge for edge in self.edges if edge.target == node]


def flatten(hierarchy: Hierarchy, entries: Entries) -> Flat:
    """All of it, what nothing reaches included.

    >>> from search_engine.spaces.motifs.hierarchy import Level
    >>> hierarchy = Hierarchy((Level(1, 2), Level(1, 3)))
    >>> flat = flatten(hierarchy, (5, 1, 0, 1))
    >>> flat.nodes
    ('1', '1-2.2', '2', '2-3.2', '3')
    >>> [(edge.source, edge.target, edge.operation) for edge in flat.edges]
    [('1', '1-2.2', 5), ('1-2.2', '2', None), ('2', '2-3.2', 5), ('2-3.2', '3', None)]
    """
    nodes, edges = ["1"], []

    def put(level: int, motif: int, first: str, within: str) -> str:
        """Put a motif behind node `first`; returns its last node."""
        names = [first]
        for successor in range(2, hierarchy.levels[level - 2].nodes + 1):
            name = f"{within}{successor}"
            arriving = []
            for predecessor in range(1, successor):
                entry = hierarchy.entry(entries, level, motif, successor, predecessor)
                source = names[predecessor - 1]
                if entry == NONE:
                    continue
                if level == 2:
                    arriving.append(FlatEdge(source, name, entry))
                else:
                    last = put(level - 1, entry, source, f"{within}{predecessor}-{successor}.")
                    arriving.append(FlatEdge(last, name, None))
            nodes.append(name)
            edges.extend(arriving)
            names.append(name)
        return names[-1]

    last = put(hierarchy.top, 1, "1", "")
    return Flat(tuple(nodes), tuple(edges), "1", last)


def live(flat: Flat) -> Flat:
    """What is on a path from the input to the output; both ends stay in any case."""
    below, above = {flat.input}, {flat.output}
    for node in flat.nodes:
        if any(edge.source in below for edge in flat.into(node)):
            below.add(node)
    for node in reversed(flat.nodes):
        if node in above:
            above.update(edge.source for edge in flat.into(node))
    kept = {*(below & above), flat.input, flat.output}
    edges = tuple(edge for edge in flat.edges if edge.source in kept & below and edge.target in kept & above)
    return Flat(tuple(node for node in flat.nodes if node in kept), edges, flat.input, flat.output)


def contracted(flat: Flat, identity: int) -> Flat:
    """The same values with fewer names: a node at which nothing arrives but one other node's value, unchanged (by a wire or by primitive
    `identity`), is that node. Wires become identities. `flat` is live."""
    same: dict[str, str] = {}
    nodes: list[str] = []
    edges: list[FlatEdge] = []
    for node in flat.nodes:
        arriving = [
            FlatEdge(same[edge.source], node, identity if edge.operation is None else edge.operation) for edge in flat.into(node)
        ]
        if len(arriving) == 1 and arriving[0].operation == identity:
            same[node] = arriving[0].source
        else:
            same[node] = node
            nodes.append(node)
            edges.extend(arriving)
    return Flat(tuple(nodes), tuple(edges), same[flat.input], same[flat.output])
