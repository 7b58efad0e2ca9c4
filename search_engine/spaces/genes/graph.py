"""A graph that grows between one input and one output. Its nodes carry alleles; its edges carry innovation numbers and may be disabled.

As in NEAT (Stanley & Miikkulainen 2002) and DeepNEAT (Miikkulainen et al. 2017, "Evolving Deep Neural Networks", section 3.1), where a
node is a layer. What an allele says is the caller's affair: a layer with its settings, or which species of modules stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

INPUT, OUTPUT, FIRST_HIDDEN = 0, 1, 2
"""Node numbers: the input has no allele, the output has one, hidden nodes follow in order of invention."""

Allele = dict[str, Any]


@dataclass(frozen=True)
class Link:
    """An edge gene."""

    innovation: int
    source: int
    target: int
    enabled: bool = True


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

    @classmethod
    def of(cls, alleles: Mapping[int, Allele], links: Iterable[Link]) -> GeneGraph:
        """From genes in any order."""
        return cls(tuple(sorted(alleles.items(), key=lambda item: item[0])), tuple(sorted(links, key=lambda link: link.innovation)))

    @cached_property
    def allele(self) -> Mapping[int, Allele]:
        """By node."""
        return dict(self.alleles)

    @property
    def hidden(self) -> tuple[int, ...]:
        """All hidden nodes, ascending, live or not."""
        return tuple(node for node, _ in self.alleles if node >= FIRST_HIDDEN)

    @cached_property
    def pairs(self) -> frozenset[tuple[int, int]]:
        """(source, target) of every link, enabled or not."""
        return frozenset((link.source, link.target) for link in self.links)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Input, hidden nodes, output: along all links, disabled ones too, so that enabling one never closes a cycle. Of nodes that could
        stand in either order the lower number comes first. Raises ValueError for a cycle."""
        before: dict[int, set[int]] = {node: set() for node in (INPUT, *self.hidden, OUTPUT)}
        for link in self.links:
            before[link.target].add(link.source)
        placed: list[int] = []
        while len(placed) < len(before):
            done = set(placed)
            ready = [node for node in before if node not in done and before[node] <= done]
            if not ready:
                raise ValueError("the links close a cycle")
            # The output comes last although its number is low.
            placed.append(min(ready, key=lambda node: (node == OUTPUT, node)))
        return tuple(placed)

    @cached_property
    def live(self) -> tuple[int, ...]:
        """Hidden nodes on an enabled path from input to output, in `order`."""
        enabled = [(link.source, link.target) for link in self.links if link.enabled]
        reached = _closure(INPUT, enabled)
        reaching = _closure(OUTPUT, [(target, source) for source, target in enabled])
        return tuple(node for node in self.order if node >= FIRST_HIDDEN and node in reached and node in reaching)

    @cached_property
    def sources(self) -> Mapping[int, tuple[int, ...]]:
        """By live node and output, what it reads: along enabled links from live nodes and the input, in `order`."""
        there = {INPUT, *self.live}
        place = {node: at for at, node in enumerate(self.order)}
        found: dict[int, list[int]] = {node: [] for node in (*self.live, OUTPUT)}
        for link in self.links:
            if link.enabled and link.source in there and link.target in found:
                found[link.target].append(link.source)
        return {node: tuple(sorted(sources, key=place.__getitem__)) for node, sources in found.items()}

    @property
    def connected(self) -> bool:
        """Whether an enabled path leads from the input to the output."""
        return bool(self.sources[OUTPUT])

    def with_alleles(self, changed: Mapping[int, Allele]) -> GeneGraph:
        """The graph with other alleles at those nodes."""
        return GeneGraph(tuple((node, changed.get(node, allele)) for node, allele in self.alleles), self.links)

    def to_tree(self) -> list[Any]:
        """JSON: [[[node, allele], ...], [[innovation, source, target, 0 or 1], ...]]."""
        links = [[link.innovation, link.source, link.target, int(link.enabled)] for link in self.links]
        return [[[node, allele] for node, allele in self.alleles], links]

    @classmethod
    def from_tree(cls, tree: list[Any]) -> GeneGraph:
        """Undo `to_tree`."""
        alleles, links = tree
        return cls(
            tuple((node, allele) for node, allele in alleles),
            tuple(Link(innovation, source, target, bool(on)) for innovation, source, target, on in links),
        )


def _closure(start: int, edges: list[tuple[int, int]]) -> set[int]:
    """All nodes that can be reached from `start`, itself included."""
    after: dict[int, list[int]] = {}
    for source, target in edges:
        after.setdefault(source, []).append(target)
    found, waiting = {start}, [start]
    while waiting:
        for node in after.get(waiting.pop(), []):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found
