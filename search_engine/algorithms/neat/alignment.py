"""Two genomes laid over each other by their innovation numbers: crossover and distance (Stanley & Miikkulainen 2002, section 3.2, 3.3).

Genes with equal numbers match. The others are *excess* where they lie beyond the other genome's largest number, else *disjoint*.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from search_engine.spaces.genes.graph import Allele, GeneGraph, Link

STAYS_DISABLED = 0.75
"""Probability that an edge which is disabled in one of the parents is disabled in the child. NEAT's."""

AlleleDistance = Callable[[Allele, Allele], float]
"""0 for equal alleles, 1 for those that have nothing in common."""


@dataclass(frozen=True)
class Coefficients:
    """Weights of the three parts of a distance: c1, c2, c3 of the paper (its weight difference is the alleles' here)."""

    excess: float = 1.0
    disjoint: float = 1.0
    alleles: float = 1.0


def distance(first: GeneGraph, second: GeneGraph, between: AlleleDistance, weights: Coefficients) -> float:
    """c1 E / N + c2 D / N + c3 (mean distance of matching nodes' alleles); N is the larger number of edges. Symmetric, 0 from itself.

    Whether an edge is enabled does not count, as in the paper.
    """
    ours, theirs = {link.innovation for link in first.links}, {link.innovation for link in second.links}
    reach = min(max(ours, default=-1), max(theirs, default=-1))
    apart = ours ^ theirs
    excess = sum(number > reach for number in apart)
    size = max(len(ours), len(theirs), 1)
    common = [node for node in first.allele if node in second.allele]
    alleles = sum(between(first.allele[node], second.allele[node]) for node in common) / len(common) if common else 0.0
    return weights.excess * excess / size + weights.disjoint * (len(apart) - excess) / size + weights.alleles * alleles


def crossover(fitter: GeneGraph, other: GeneGraph, rng: random.Random, *, equal: bool = False) -> GeneGraph:
    """A child: of matching genes either parent's, of the others the fitter one's; of both where they are `equal` in fitness, as far as
    they close no cycle. Where switched-off edges would leave no path, the fitter one's switches are taken instead."""
    theirs = {link.innovation: link for link in other.links}
    links: list[Link] = []
    for link in fitter.links:
        match = theirs.get(link.innovation)
        if match is None or (link.enabled and match.enabled):
            links.append(link)
        else:
            links.append(replace(link, enabled=rng.random() >= STAYS_DISABLED))
    alleles = {
        node: other.allele[node] if node in other.allele and rng.random() < 0.5 else allele for node, allele in fitter.alleles
    }
    child = GeneGraph.of(alleles, links)
    if equal:
        child = _with_more(child, other)
    if child.connected:
        return child
    switches = {link.innovation: link.enabled for link in fitter.links}
    return GeneGraph(child.alleles, tuple(replace(link, enabled=switches.get(link.innovation, link.enabled)) for link in child.links))


def _with_more(child: GeneGraph, other: GeneGraph) -> GeneGraph:
    """The child with the genes that only `other` has, edge by edge, those that close a cycle left out."""
    for link in other.links:
        if (link.source, link.target) in child.pairs:
            continue
        missing = {node: other.allele[node] for node in (link.source, link.target) if node in other.allele and node not in child.allele}
        grown = GeneGraph.of({**child.allele, **missing}, [*child.links, link])
        try:
            grown.order  # noqa: B018
        except ValueError:
            continue
        child = grown
    return child
