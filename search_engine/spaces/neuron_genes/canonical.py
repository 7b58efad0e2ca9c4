"""The normal form of a neuron graph: equal exactly for isomorphic graphs.

Isomorphic means: a renaming of the hidden nodes that keeps enabled edges, activations, and every input and output in its place.
Disabled edges, and hidden nodes from which no output can be reached, say nothing about the architecture and are left out.

The order of the hidden nodes is found by colour refinement (which nearly always tells all nodes apart, since inputs and outputs are
named), and where it does not, by individualisation and search with automorphism pruning (McKay & Piperno 2014, "Practical graph
isomorphism, II"): exact, and quadratic, not factorial, in the number of interchangeable twins. It costs milliseconds, so it is
computed for champions and opened genomes, not for whole populations.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .activations import NAMES
from .genes import Genes


def normal_form(genes: Genes) -> dict[str, Any]:
    """JSON: `nodes` in canonical order, each [activation, sources among bias and inputs, outputs that it feeds]; `edges` between hidden
    nodes by position; `direct` edges from bias or inputs to outputs. Outputs are counted from 0."""
    first_output, first_hidden = genes.first_output, genes.first_hidden
    enabled = [
        (source, target)
        for source, target, on in zip(genes.source.tolist(), genes.target.tolist(), genes.enabled.tolist(), strict=True)
        if on
    ]
    useful = reaching_output(enabled, first_output, first_hidden)
    activation = dict(zip(genes.nodes.tolist(), genes.activations.tolist(), strict=True))
    place = {node: index for index, node in enumerate(node for node in genes.nodes.tolist() if node in useful)}
    sources: list[list[int]] = [[] for _ in place]
    outputs: list[list[int]] = [[] for _ in place]
    inner: list[tuple[int, int]] = []
    direct: list[list[int]] = []
    for source, target in enabled:
        if source in place and target in place:
            inner.append((place[source], place[target]))
        elif source in place and target < first_hidden:
            outputs[place[source]].append(target - first_output)
        elif target in place:
            sources[place[target]].append(source)
        elif source < first_output and target < first_hidden:
            direct.append([source, target - first_output])
    labels = [(activation[node], tuple(sorted(sources[at])), tuple(sorted(outputs[at]))) for node, at in place.items()]
    ranks = {label: rank for rank, label in enumerate(sorted(set(labels)))}
    order = canonical_order([ranks[label] for label in labels], inner)
    position = {vertex: at for at, vertex in enumerate(order)}
    return {
        "inputs": genes.inputs,
        "outputs": genes.outputs,
        "nodes": [[NAMES[labels[v][0]], list(labels[v][1]), list(labels[v][2])] for v in order],
        "edges": sorted([position[a], position[b]] for a, b in inner),
        "direct": sorted(direct),
    }


def reaching_output(edges: list[tuple[int, int]], first_output: int, first_hidden: int) -> set[int]:
    """The hidden nodes from which an output can be reached along `edges`."""
    before: dict[int, list[int]] = {}
    for source, target in edges:
        before.setdefault(target, []).append(source)
    found: set[int] = set()
    waiting = list(range(first_output, first_hidden))
    while waiting:
        for source in before.get(waiting.pop(), []):
            if source >= first_hidden and source not in found:
                found.add(source)
                waiting.append(source)
    return found


def canonical_order(colours: list[int], edges: list[tuple[int, int]]) -> list[int]:
    """The vertices of a coloured directed graph in an order that depends on its isomorphism class only.

    `colours` gives each vertex a number that any isomorphism keeps.
    """
    search = _Search(colours, edges)
    search.explore(list(colours), [])
    assert search.best is not None
    return search.best.order


class _Leaf(NamedTuple):
    certificate: list[tuple[int, int]]
    order: list[int]
    path: list[int]


class _Search:
    """The search tree over ordered partitions: a leaf is an order of the vertices, the least certificate wins."""

    def __init__(self, colours: list[int], edges: list[tuple[int, int]]) -> None:
        self.edges = edges
        self.before: list[list[int]] = [[] for _ in colours]
        self.after: list[list[int]] = [[] for _ in colours]
        for source, target in edges:
            self.after[source].append(target)
            self.before[target].append(source)
        self.first: _Leaf | None = None
        self.best: _Leaf | None = None
        self.automorphisms: list[list[int]] = []

    def refine(self, colours: list[int]) -> list[int]:
        """The coarsest stable colouring that is finer than `colours`; the order of the cells depends on the structure only."""
        count = len(set(colours))
        while True:
            signatures = [
                (colour, sorted([colours[v] for v in before]), sorted([colours[v] for v in after]))
                for colour, before, after in zip(colours, self.before, self.after, strict=True)
            ]
            cells = sorted(range(len(colours)), key=signatures.__getitem__)
            finer = [0] * len(colours)
            number = -1
            previous = None
            for vertex in cells:
                if signatures[vertex] != previous:
                    number += 1
                    previous = signatures[vertex]
                finer[vertex] = number
            if number + 1 == count:
                return finer
            count, colours = number + 1, finer

    def explore(self, colours: list[int], path: list[int]) -> int | None:
        """Visit the subtree of `path` (the vertices singled out so far). Returns the depth to go back to when an automorphism shows
        that the rest of this branch repeats an explored one."""
        colours = self.refine(colours)
        cells: dict[int, list[int]] = {}
        for vertex, colour in enumerate(colours):
            cells.setdefault(colour, []).append(vertex)
        target = next((cells[colour] for colour in sorted(cells) if len(cells[colour]) > 1), None)
        if target is None:
            return self._leaf(colours, path)
        explored: list[int] = []
        for vertex in target:
            if explored and self._equivalent(vertex, explored, path):
                continue
            singled = [2 * colour + 1 for colour in colours]
            singled[vertex] -= 1
            back = self.explore(singled, [*path, vertex])
            explored.append(vertex)
            if back is not None and back < len(path):
                return back
        return None

    def _leaf(self, colours: list[int], path: list[int]) -> int | None:
        order = sorted(range(len(colours)), key=colours.__getitem__)
        leaf = _Leaf(sorted((colours[a], colours[b]) for a, b in self.edges), order, path)
        if self.first is None or self.best is None:
            self.first = self.best = leaf
            return None
        for known in (self.first, self.best):
            if known.certificate == leaf.certificate:
                image = [0] * len(order)
                for old, new in zip(known.order, order, strict=True):
                    image[old] = new
                self.automorphisms.append(image)
                return next((depth for depth, (a, b) in enumerate(zip(known.path, path, strict=False)) if a != b), len(path))
        if leaf.certificate < self.best.certificate:
            self.best = leaf
        return None

    def _equivalent(self, vertex: int, explored: list[int], path: list[int]) -> bool:
        """Whether a known automorphism that keeps `path` in place takes an explored vertex to this one."""
        fixing = [image for image in self.automorphisms if all(image[v] == v for v in path)]
        reached = set(explored)
        waiting = list(explored)
        while waiting:
            at = waiting.pop()
            for image in fixing:
                if image[at] not in reached:
                    reached.add(image[at])
                    waiting.append(image[at])
        return vertex in reached
