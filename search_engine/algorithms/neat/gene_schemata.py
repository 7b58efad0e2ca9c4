"""Schemata of gene graphs, known by historical markings: which edges and nodes there are, and what the nodes' alleles say.

No mutation takes an edge gene or a node away, so a schema loses what it fixes only where an allele changes. Whether an edge is enabled is
left out: a child of two parents that both have it disabled may have it enabled (`alignment.STAYS_DISABLED`), so there "p = 0 where both
parents match" would not hold.

Of crossover the account takes what is sure: where both parents match, the child does before it is mutated (p = 0); where only the fitter
one does, each node that the schema fixes is that parent's with one half, and its edges are the child's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from math import comb
from typing import Any

import numpy as np

from search_engine.events import SchemataPart
from search_engine.spaces.genes.graph import OUTPUT, GeneGraph

from ..trials.schemata.schema import Allele, Array, Genes, Locus, Schema
from ..trials.schemata.watch import Outlook, Watch
from .offspring import Breeding, Fits, Mutate, born, chosen
from .population import Population

Changes = Callable[[int, str], float]
"""(node, setting) -> probability that the setting becomes another one when the node changes: an upper bound."""


def genes_of(graph: GeneGraph) -> Genes:
    """Edge genes, enabled or not, and every setting of every node. Numbers that are no choices (a dropout's rate) are left out."""
    found: dict[Locus, Allele] = {f"edge {link.source}→{link.target}": "there" for link in graph.links}
    for node, allele in graph.alleles:
        for name, value in allele.items():
            if isinstance(value, list):
                found |= {f"node {node} {name}{place}": item for place, item in enumerate(value, start=1)}
            elif isinstance(value, int | str):
                found[f"node {node} {name}"] = value
    return found


def place_of(locus: Locus) -> tuple[int, str] | None:
    """(node, setting) of a locus, None for an edge.

    >>> place_of("node 3 kernel"), place_of("edge 0→2")
    ((3, 'kernel'), None)
    """
    kind, node, *name = str(locus).split(" ")
    return (int(node), name[0]) if kind == "node" else None


def text(locus: Locus, allele: Allele) -> str:
    """A fixed locus in words; the output's node has the number 1."""
    place = place_of(locus)
    if place is None:
        return str(locus)
    return f"{'output' if place[0] == OUTPUT else f'node {place[0]}'} {place[1]} = {allele}"


class AlleleLosses:
    """What a mutation takes of schemata: each live node and the output changes with probability `rate`; where nothing changed at all, one
    of them does (`codeepneat.genetics.varied`)."""

    def __init__(self, schemata: Sequence[Schema], rate: float, changes: Changes) -> None:
        self.rate = rate
        self._of: list[dict[int, float]] = []
        """Of each schema: by node, how likely a change of it changes what is fixed there."""
        for schema in schemata:
            losses: dict[int, float] = {}
            for locus in schema.loci:
                place = place_of(locus)
                if place is not None:
                    losses[place[0]] = min(losses.get(place[0], 0.0) + changes(*place), 1.0)
            self._of.append(losses)
        self.nodes = [len(losses) for losses in self._of]

    def survival(self, graph: GeneGraph) -> Array:
        """(schemata,) 1 - p of a mutant of this graph, for those that it matches."""
        live = set(graph.live) | {OUTPUT}
        alone = (1 - self.rate) ** len(live) / len(live)
        return self._kept(lambda node: self.rate + (alone if node in live else 0.0))

    @property
    def least(self) -> Array:
        """The same of a graph of which no more is known than that it matches: it has the output and, where a hidden node is fixed and live,
        that one."""
        return self._kept(lambda node: self.rate + ((1 - self.rate) if node == OUTPUT else (1 - self.rate) ** 2 / 2))

    def _kept(self, changed: Callable[[int], float]) -> Array:
        return np.array([max(0.0, 1 - sum(changed(node) * loss for node, loss in losses.items())) for losses in self._of])


def both_and_fitter(there: Array) -> tuple[Array, Array]:
    """Of parents in order of fitness, (parents, schemata) matches: with which probability both of an even pair match, and the fitter one
    alone.

    >>> [shares.tolist() for shares in both_and_fitter(np.array([[1.0], [0.0], [1.0]]))]  # pairs 12, 13, 23
    [[0.3333333333333333], [0.3333333333333333]]
    """
    pairs = comb(len(there), 2)
    matching = there.sum(axis=0)
    both = matching * (matching - 1) / 2
    less_fit = np.cumsum((1 - there)[::-1], axis=0)[::-1] - (1 - there)
    return both / pairs, (there * less_fit).sum(axis=0) / pairs


class PopulationSchemata:
    """The account of one population, a generation at a time: `begin` before it breeds, `close` after it."""

    def __init__(self, population: Population, most: int, seed: int, metric: str, name: str, title: str, rate: float) -> None:
        self.population, self.rate = population, rate
        self.watch = Watch(most, seed, metric, name, title, text)
        self._looked = False

    def begin(
        self, fitness: Mapping[int, float], breeding: Breeding, mutate: Mutate, fits: Fits, changes: Changes,
        keeps: Callable[[Schema], bool] = lambda schema: True,
        after: Callable[[GeneGraph, random.Random], GeneGraph] = lambda genes, rng: genes,
    ) -> None:
        """As `Population.breed`; `mutate` must take nothing from the search but what it may. `keeps`: whether a schema can last at all;
        `after`: what is done to everybody once it is bred."""
        watch, individuals = self.watch, self.population.individuals
        self._looked = watch.due
        if not self._looked:
            watch.skip()
            return
        graphs = [individual.genes for individual in individuals]
        values = [fitness[individual.number] for individual in individuals]
        watch.choose([genes_of(graph) for graph in graphs], values, leader=int(np.argmax(values)))
        losses = AlleleLosses(watch.schemata, self.rate, changes)
        lasting = np.array([float(keeps(schema)) for schema in watch.schemata])
        there = np.array([watch.matches(genes_of(graph)) for graph in graphs])
        mutants = np.array([there[place] * losses.survival(graph) for place, graph in enumerate(graphs)])
        nobody = np.zeros(len(watch.schemata))
        selected, kept, stay = nobody.copy(), nobody.copy(), nobody.copy()
        broods: list[tuple[list[int], int]] = []
        for species, quota in zip(self.population.species, self.population.given(values), strict=True):
            if quota == 0:
                continue
            unchanged, parents = chosen(species.members, values, quota, breeding)
            stay += there[unchanged].sum(axis=0)
            births = quota - len(unchanged)
            broods.append((parents, births))
            crossed = breeding.crossover if len(parents) > 1 else 0.0
            selected += births * (1 - crossed) * there[parents].mean(axis=0)
            kept += births * (1 - crossed) * mutants[parents].mean(axis=0)
            if crossed:
                both, fitter = both_and_fitter(there[parents])
                selected += births * crossed * (both + fitter)
                kept += births * crossed * (both + fitter * 0.5 ** np.array(losses.nodes)) * losses.least
        births = sum(count for _, count in broods)
        removed = watch.count - stay * lasting
        everybody = [(list(range(len(graphs))), len(graphs))]

        def draw(broods: Sequence[tuple[list[int], int]], breeding: Breeding) -> Callable[[random.Random, int], list[Genes]]:
            weights = [count for _, count in broods]

            def children(rng: random.Random, count: int) -> list[Genes]:
                if not sum(weights):
                    return []
                picked = rng.choices([parents for parents, _ in broods], weights=weights, k=count)
                return [genes_of(after(born(parents, graphs, values, breeding, mutate, fits, rng).genes, rng)) for parents in picked]

            return children

        watch.redraw(
            Outlook(
                births=births, removed=removed, kept=kept * lasting, children=draw(broods, breeding), blind=draw(everybody, breeding),
                blind_removed=watch.count * (births / len(graphs)),
            )
        )
        watch.charge(selected, kept * lasting, removed, births)

    def close(self) -> SchemataPart | None:
        """The generation that was bred."""
        return self.watch.close([genes_of(individual.genes) for individual in self.population.individuals]) if self._looked else None

    def state_dict(self) -> dict[str, Any]:
        return self.watch.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.watch.load_state_dict(state)
