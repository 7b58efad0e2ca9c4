"""Schemata of neuron graphs: edges that are switched on and activations of nodes, known by their historical markings.

Of the four mutations two can take a schema apart: a node into an edge switches that edge off, another activation replaces one. Which is
applied depends on what a graph allows, so p is another one for each graph.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from search_engine.events import SchemataFrame
from search_engine.spaces.neuron_genes.activations import NAMES
from search_engine.spaces.neuron_genes.genes import Array, Genes, layers
from search_engine.spaces.neuron_genes.innovation import InnovationTable

from ..trials.schemata.redraws import Draw
from ..trials.schemata.schema import Allele, Locus, Schema
from ..trials.schemata.schema import Genes as SchemaGenes
from ..trials.schemata.selecting import by_rank
from ..trials.schemata.watch import Outlook, Watch

Shares = dict[str, float]


def genes_of(genes: Genes) -> SchemaGenes:
    """Enabled edges by the nodes they join, activations by node. A disabled edge is like one that is not there."""
    edges = zip(genes.source[genes.enabled].tolist(), genes.target[genes.enabled].tolist(), strict=True)
    found: dict[Locus, int | str] = {f"edge {source}→{target}": "on" for source, target in edges}
    found |= {f"node {node}": NAMES[number] for node, number in zip(genes.nodes.tolist(), genes.activations.tolist(), strict=True)}
    return found


def can_connect(genes: Genes) -> bool:
    """Whether an edge can still be added: some pair in order of layers, not of an input and an output, has none."""
    layer = layers(genes)
    if not layer:
        return False
    counts = np.bincount(list(layer.values()))
    hidden = len(layer)
    pairs = (genes.inputs + 1) * hidden + hidden * genes.outputs + int((counts * (hidden - np.cumsum(counts))).sum())
    direct = (genes.source <= genes.inputs) & (genes.target < genes.first_hidden)
    return pairs > int((~direct).sum())


def applied(genes: Genes, shares: Shares, activations: int) -> dict[str, float]:
    """Probability of each mutation: its share among those that this graph allows (`operators.choose`)."""
    stored_off = int((~genes.enabled).sum())
    direct = int((genes.innovation < genes.direct_edges).sum())
    allowed = {
        "add_node": genes.connections > 0, "add_connection": shares.get("add_connection", 0) > 0 and can_connect(genes),
        "enable": stored_off + genes.direct_edges - direct > 0, "change_activation": len(genes.nodes) > 0 and activations > 1,
    }
    whole = sum(share for name, share in shares.items() if allowed[name])
    return {name: share / whole if allowed[name] and whole else 0.0 for name, share in shares.items()}


def survival(schemata: Sequence[Schema], genes: Genes, shares: Shares, activations: int) -> Array:
    """(schemata,) 1 - p of a child of this parent, for those that it matches."""
    rates = applied(genes, shares, activations)
    edge = rates.get("add_node", 0.0) / max(genes.connections, 1)
    node = rates.get("change_activation", 0.0) / max(len(genes.nodes), 1)
    return np.array([1 - sum(edge if str(locus).startswith("edge") else node for locus in schema.loci) for schema in schemata])


class GraphSchemata:
    """The account of one generation at a time: `begin` before it is bred, `close` after. What lies between two generations is a number and
    a curve, so generations that are not said are not looked at."""

    def __init__(self, most: int, seed: int, metric: str, shares: Shares, activations: int, tournament: int) -> None:
        self.shares, self.activations, self.tournament = shares, activations, tournament
        self.watch = Watch(most, seed, metric, "population", "", _text)
        self._looked = False

    def begin(
        self, population: Sequence[Genes], fitness: Array, survivors: Sequence[int], elites: Sequence[int], table: InnovationTable,
        child: Callable[[Genes, InnovationTable, random.Random], Genes],
    ) -> None:
        """`survivors`: places of those that may be parents, best first; `elites`: of those that go on unchanged. `child` makes a child with
        the generator and the table that it is handed."""
        watch = self.watch
        self._looked = watch.due
        if not self._looked:
            watch.skip()
            return
        genes = [genes_of(each) for each in population]
        watch.choose(genes, fitness.tolist(), leader=survivors[0])
        there = np.array([watch.matches(each) for each in genes])
        kept = np.array([
            there[place] * survival(watch.schemata, population[place], self.shares, self.activations) for place in survivors
        ])
        weights = by_rank(len(survivors), self.tournament)
        births = len(population) - len(elites)
        selected, left = births * (weights @ there[list(survivors)]), births * (weights @ kept)
        removed = watch.count - there[list(elites)].sum(axis=0)
        everybody = range(len(population))
        watch.redraw(
            Outlook(
                births=births, removed=removed, kept=left, children=_draw(population, survivors, weights, table, child),
                blind=_draw(population, everybody, np.full(len(population), 1 / len(population)), table, child),
                blind_removed=watch.count * (births / len(population)),
            )
        )
        watch.charge(selected, left, removed, births)

    def close(self, population: Sequence[Genes]) -> SchemataFrame | None:
        """The generation that was bred."""
        if not self._looked:
            return None
        part = self.watch.close([genes_of(each) for each in population])
        return None if part is None else SchemataFrame(step=self.watch.generation, parts=[part])

    def state_dict(self) -> dict[str, Any]:
        return self.watch.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.watch.load_state_dict(state)


def _text(locus: Locus, allele: Allele) -> str:
    return f"{locus} on" if allele == "on" else f"{locus} = {allele}"


def _draw(
    population: Sequence[Genes], places: Sequence[int], weights: Array, table: InnovationTable,
    child: Callable[[Genes, InnovationTable, random.Random], Genes],
) -> Draw:
    def children(rng: random.Random, count: int) -> list[SchemaGenes]:
        # What the redraws invent gets numbers in a table of their own.
        own = copy.deepcopy(table)
        return [genes_of(child(population[place], own, rng)) for place in rng.choices(places, weights=weights.tolist(), k=count)]

    return children
