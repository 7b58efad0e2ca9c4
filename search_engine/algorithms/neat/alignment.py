"""Two genomes laid over each other by their innovation numbers: crossover and distance (Stanley & Miikkulainen 2002, section 3.2, 3.3).

Genes with equal numbers match. The others are *excess* where they lie beyond the other genome's largest number, else *disjoint*.
"""

from __future__ import annotations

import math
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
    """How much each part of a distance counts: c1, c2 and c3 of the paper, and the alleles, which it has none of."""

    excess: float = 1.0
    disjoint: float = 1.0
    alleles: float = 1.0
    weights: float = 0.0
    """c3. Of graphs without weights it counts nothing."""


def distance(first: GeneGraph, second: GeneGraph, between: AlleleDistance, weights: Coefficients) -> float:
    """c1 E / N + c2 D / N + c3 (mean |dw| of matching edges) + (mean distance of matching nodes' alleles); N is the larger number of edges.
    Symmetric, 0 from itself.

    Whether an edge is enabled does not count, as in the paper.
    """
    ours, theirs = ({link.innovation: link for link in genes.links} for genes in (first, second))
    reach = min(max(ours, default=-1), max(theirs, default=-1))
    apart = ours.keys() ^ theirs.keys()
    excess = sum(number > reach for number in apart)
    size = max(len(ours), len(theirs), 1)
    common = [node for node in first.allele if node in second.allele]
    alleles = sum(between(first.allele[node], second.allele[node]) for node in common) / len(common) if common else 0.0
    found = weights.excess * excess / size + weights.disjoint * (len(apart) - excess) / size + weights.alleles * alleles
    if not weights.weights:
        return found
    differences = [_difference(ours[number], theirs[number]) for number in ours.keys() & theirs.keys()]
    # Exactly rounded: the order of a set of numbers is no part of the result.
    return found + (weights.weights * math.fsum(differences) / len(differences) if differences else 0.0)


def _difference(first: Link, second: Link) -> float:
    return 0.0 if first.weight is None or second.weight is None else abs(first.weight - second.weight)


def crossover(fitter: GeneGraph, other: GeneGraph, rng: random.Random, *, equal: bool = False, reviving: bool = True) -> GeneGraph:
    """A child: of matching genes either parent's, of the others the fitter one's; of both where they are `equal` in fitness, as far as
    they close no cycle. Where switched-off edges would leave no path, the fitter one's switches are taken instead.

    `reviving`: an edge that is off in both parents is on in a quarter of the children, as the paper's sentence reads; without, it stays
    off, as in neat-python, and a genome crossed with itself is itself."""
    theirs = {link.innovation: link for link in other.links}
    links: list[Link] = []
    for link in fitter.links:
        match = theirs.get(link.innovation)
        if match is None:
            links.append(link)
            continue
        chosen = link
        if link.weight is not None and rng.random() < 0.5:
            chosen = replace(link, weight=match.weight)
        settled = not link.enabled and not match.enabled and not reviving
        if not settled and not (link.enabled and match.enabled):
            chosen = replace(chosen, enabled=rng.random() >= STAYS_DISABLED)
        links.append(chosen)
    alleles = {
        node: other.allele[node] if node in other.allele and rng.random() < 0.5 else allele for node, allele in fitter.alleles
    }
    child = fitter.grown(alleles, links)
    if equal:
        child = _with_more(child, other)
    if child.connected:
        return child
    switches = {link.innovation: link.enabled for link in fitter.links}
    return child.with_links(replace(link, enabled=switches.get(link.innovation, link.enabled)) for link in child.links)


def _with_more(child: GeneGraph, other: GeneGraph) -> GeneGraph:
    """The child with the genes that only `other` has, edge by edge, those that close a cycle left out."""
    for link in other.links:
        if (link.source, link.target) in child.pairs:
            continue
        missing = {node: other.allele[node] for node in (link.source, link.target) if node in other.allele and node not in child.allele}
        grown = child.grown({**child.allele, **missing}, [*child.links, link])
        try:
            grown.order  # noqa: B018
        except ValueError:
            continue
        child = grown
    return child
