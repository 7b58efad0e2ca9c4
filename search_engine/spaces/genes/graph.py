"""A graph that grows between inputs and outputs. Its nodes carry alleles; its edges carry innovation numbers and may be disabled.

As in NEAT (Stanley & Miikkulainen 2002), where a node is a neuron and an edge has a weight, and in DeepNEAT (Miikkulainen et al. 2017,
"Evolving Deep Neural Networks", section 3.1), where a node is a layer, edges have none, and there is one input and one output. What an
allele says is the caller's affair: a layer with its settings, or which species of modules stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

INPUT, OUTPUT, FIRST_HIDDEN = 0, 1, 2
"""Node numbers of a graph with one input and one output: the input has no allele, the output has one, hidden nodes follow in order of
invention. With more of them inputs come first, then outputs."""

Allele = dict[str, Any]


@dataclass(frozen=True)
class Link:
    """An edge gene."""

    innovation: int
    source: int
    target: int
    enabled: bool = True
    weight: float | None = None
    """None where the edges of the graph have none."""


@dataclass(frozen=True)
class GeneGraph:
    """An immutable graph. `alleles` are (node, allele) in ascending order of nodes, `links` in ascending order of innovation.

    >>> genes = GeneGraph.of({1: {}, 2: {"filters": 16}}, [Link(1, 0, 2), Link(2, 2, 1), Link(0, 0, 1, enabled=False)])
    >>> genes.order, genes.live, genes.sources[1]
    ((0, 2, 1), (2,), (2,))
    >>> GeneGraph.from_tree(genes.to_tree()) == genes
    True
    """

    alleles: tuple[tuple[int, Allele], ...]
    links: tuple[Link, ...]
    inputs: int = 1
    outputs: int = 1

    @classmethod
    def of(cls, alleles: Mapping[int, Allele], links: Iterable[Link], inputs: int = 1, outputs: int = 1) -> GeneGraph:
        """From genes in any order."""
        ordered = tuple(sorted(links, key=lambda link: link.innovation))
        return cls(tuple(sorted(alleles.items(), key=lambda item: item[0])), ordered, inputs, outputs)

    def grown(self, alleles: Mapping[int, Allele], links: Iterable[Link]) -> GeneGraph:
        """Other genes between the same inputs and outputs."""
        return GeneGraph.of(alleles, links, self.inputs, self.outputs)

    @property
    def entries(self) -> range:
        """Numbers of the inputs."""
        return range(self.inputs)

    @property
    def ends(self) -> range:
        """Numbers of the outputs."""
        return range(self.inputs, self.first_hidden)

    @property
    def first_hidden(self) -> int:
        return self.inputs + self.outputs

    @cached_property
    def allele(self) -> Mapping[int, Allele]:
        """By node."""
        return dict(self.alleles)

    @property
    def hidden(self) -> tuple[int, ...]:
        """All hidden nodes, ascending, live or not."""
        return tuple(node for node, _ in self.alleles if node >= self.first_hidden)

    @cached_property
    def pairs(self) -> frozenset[tuple[int, int]]:
        """(source, target) of every link, enabled or not."""
        return frozenset((link.source, link.target) for link in self.links)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Inputs, hidden nodes, outputs: along all links, disabled ones too, so that enabling one never closes a cycle. Of nodes that could
        stand in either order the lower number comes first. Raises ValueError for a cycle."""
        before: dict[int, set[int]] = {node: set() for node in (*self.entries, *self.hidden, *self.ends)}
        for link in self.links:
            before[link.target].add(link.source)
        placed: list[int] = []
        while len(placed) < len(before):
            done = set(placed)
            ready = [node for node in before if node not in done and before[node] <= done]
            if not ready:
                raise ValueError("the links close a cycle")
            # Outputs come last although their numbers are low.
            placed.append(min(ready, key=lambda node: (node in self.ends, node)))
        return tuple(placed)

    @cached_property
    def live(self) -> tuple[int, ...]:
        """Hidden nodes on an enabled path from an input to an output, in `order`."""
        enabled = [(link.source, link.target) for link in self.links if link.enabled]
        reached = _closure(self.entries, enabled)
        reaching = _closure(self.ends, [(target, source) for source, target in enabled])
        return tuple(node for node in self.order if node >= self.first_hidden and node in reached and node in reaching)

    @cached_property
    def sources(self) -> Mapping[int, tuple[int, ...]]:
        """By live node and output, what it reads: along enabled links from live nodes and inputs, in `order`."""
        there = {*self.entries, *self.live}
        place = {node: at for at, node in enumerate(self.order)}
        found: dict[int, list[int]] = {node: [] for node in (*self.live, *self.ends)}
        for link in self.links:
            if link.enabled and link.source in there and link.target in found:
                found[link.target].append(link.source)
        return {node: tuple(sorted(sources, key=place.__getitem__)) for node, sources in found.items()}

    @property
    def connected(self) -> bool:
        """Whether an enabled path leads from an input to an output."""
        return any(self.sources[end] for end in self.ends)

    def with_alleles(self, changed: Mapping[int, Allele]) -> GeneGraph:
        """The graph with other alleles at those nodes."""
        return replace(self, alleles=tuple((node, changed.get(node, allele)) for node, allele in self.alleles))

    def with_links(self, links: Iterable[Link]) -> GeneGraph:
        """The graph with other genes for its links, in the same order."""
        return replace(self, links=tuple(links))

    def to_tree(self) -> list[Any]:
        """JSON: [[[node, allele], ...], [[innovation, source, target, 0 or 1], ...]]; a link's weight follows where it has one, the numbers
        of inputs and outputs where they are not 1 and 1."""
        links = [
            [link.innovation, link.source, link.target, int(link.enabled), *([] if link.weight is None else [link.weight])]
            for link in self.links
        ]
        ends = [] if (self.inputs, self.outputs) == (1, 1) else [[self.inputs, self.outputs]]
        return [[[node, allele] for node, allele in self.alleles], links, *ends]

    @classmethod
    def from_tree(cls, tree: list[Any]) -> GeneGraph:
        """Undo `to_tree`."""
        alleles, links, *ends = tree
        return cls(
            tuple((node, allele) for node, allele in alleles),
            tuple(Link(innovation, source, target, bool(on), *weight) for innovation, source, target, on, *weight in links),
            *(ends[0] if ends else ()),
        )


def _closure(starts: Iterable[int], edges: list[tuple[int, int]]) -> set[int]:
    """All nodes that can be reached from `starts`, these included."""
    after: dict[int, list[int]] = {}
    for source, target in edges:
        after.setdefault(source, []).append(target)
    waiting = list(starts)
    found = set(waiting)
    while waiting:
        for node in after.get(waiting.pop(), []):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found
