"""What varies in the two populations: layers in modules, species of modules in blueprints; how genes mutate, and how far they are apart."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from search_engine.spaces.blueprint.layers import (
    STEP,
    BlueprintConfig,
    changed_head,
    changed_layer,
    head_distance,
    layer_distance,
    random_head,
    random_layer,
)
from search_engine.spaces.genes.graph import OUTPUT, Allele, GeneGraph
from search_engine.spaces.genes.growing import add_link, add_node, chain, toggle
from search_engine.spaces.genes.innovations import Innovations

from ..neat.alignment import Coefficients, distance


@dataclass(frozen=True)
class Rates:
    """Probabilities of mutations. The first three are a child's, `change` is each live node's."""

    add_node: float
    add_link: float
    toggle: float
    change: float


def varied(
    genes: GeneGraph, rates: Rates, most: int, fresh: Callable[[], Allele], changed: Callable[[int, Allele], Allele], table: Innovations,
    rng: random.Random,
) -> GeneGraph:
    """A mutant, each mutation with its own probability, and at least one: where none was drawn, one node's allele changes. `fresh` gives
    the allele of a new node (below `most` live ones), `changed` another one for a node."""
    child = genes
    if len(child.live) < most and rng.random() < rates.add_node:
        child = add_node(child, fresh(), table, rng) or child
    if rng.random() < rates.add_link:
        child = _within(add_link(child, table, rng), most) or child
    if rng.random() < rates.toggle:
        child = _within(toggle(child, rng), most) or child
    nodes = (*child.live, OUTPUT)
    changing = [node for node in nodes if rng.random() < rates.change]
    if not changing and child is genes:
        changing = [rng.choice(nodes)]
    return child.with_alleles({node: changed(node, child.allele[node]) for node in changing})


def _within(genes: GeneGraph | None, most: int) -> GeneGraph | None:
    """The graph, unless an edge brought more dead nodes to life again than there may be live ones."""
    return genes if genes is not None and len(genes.live) <= most else None


class Modules:
    """The genetics of modules. New ones are `BlueprintSpace.random_module`."""

    def __init__(self, config: BlueprintConfig, rates: Rates) -> None:
        self.config, self.rates = config, rates

    def fits(self, genes: GeneGraph) -> bool:
        """Whether it has no more layers than the space allows."""
        return len(genes.live) <= self.config.module_nodes

    def distance(self, first: GeneGraph, second: GeneGraph) -> float:
        return distance(first, second, lambda a, b: layer_distance(self.config, a, b), Coefficients())

    def mutated(self, genes: GeneGraph, table: Innovations, rng: random.Random) -> GeneGraph:
        def changed(node: int, allele: Allele) -> Allele:
            if node == OUTPUT:
                return {"join": rng.choice(self.config.joins)}
            return changed_layer(allele, self.config, rng)

        return varied(genes, self.rates, self.config.module_nodes, lambda: random_layer(self.config, rng), changed, table, rng)


    def changes(self, node: int, setting: str) -> float:
        """How likely a change of a node changes one of its settings (`changed_layer`: one of those that have another value, each as
        likely). At most: a step of twenty tries that all give the old value, one in ten thousand at worst, is left out."""
        config = self.config
        if node == OUTPUT:
            return 1 - 1 / len(config.joins)
        others = {
            "filters": STEP * (config.filters_max - config.filters_min) >= 1, "kernel": len(config.kernels) > 1, "behind": True,
            "join": len(config.joins) > 1,
        }
        if setting == "filters":
            return 1 / max(sum(others.values()), 1) if config.filters_max > config.filters_min else 0.0
        return 1 / sum(others.values()) if others[setting] else 0.0


class Blueprints:
    """The genetics of blueprints: an allele names a species of modules, {"species": 3, "join": "sum"}; the output's is the head."""

    def __init__(self, config: BlueprintConfig, rates: Rates) -> None:
        self.config, self.rates = config, rates

    def first(self, living: list[int], table: Innovations, rng: random.Random) -> GeneGraph:
        """A chain of one to three nodes of any living species of modules."""
        nodes = [self._node(living, rng) for _ in range(min(rng.randint(1, 3), self.config.blueprint_nodes))]
        return chain(nodes, random_head(self.config, rng), table)

    def fits(self, genes: GeneGraph) -> bool:
        """Whether it has no more nodes than the space allows."""
        return len(genes.live) <= self.config.blueprint_nodes

    def _node(self, living: list[int], rng: random.Random) -> Allele:
        return {"species": rng.choice(living), "join": rng.choice(self.config.joins)}

    def distance(self, first: GeneGraph, second: GeneGraph) -> float:
        def between(a: Allele, b: Allele) -> float:
            if "dense" in a:
                return head_distance(self.config, a, b)
            return (float(a["species"] != b["species"]) + float(a["join"] != b["join"])) / 2

        return distance(first, second, between, Coefficients())

    def mutated(self, genes: GeneGraph, living: list[int], table: Innovations, rng: random.Random) -> GeneGraph:
        def changed(node: int, allele: Allele) -> Allele:
            if node == OUTPUT:
                return changed_head(allele, self.config, rng)
            others = [number for number in living if number != allele["species"]]
            if others and rng.random() < 0.8:
                return {**allele, "species": rng.choice(others)}
            return {**allele, "join": rng.choice(self.config.joins)}

        return varied(genes, self.rates, self.config.blueprint_nodes, lambda: self._node(living, rng), changed, table, rng)

    def changes(self, living: list[int], node: int, setting: str) -> float:
        """How likely a change of a node changes what it names, how it joins, or one of the head's widths."""
        joins = 1 - 1 / len(self.config.joins)
        if node == OUTPUT:
            return (joins if setting == "join" else 1.0) / (self.config.dense_layers + 1)
        several = len(living) > 1
        if setting == "species":
            return 0.8 if several else 0.0
        # One whose own species died out has another one to name even where a single one lives.
        return 0.2 * joins if several else joins

    @staticmethod
    def repointed(genes: GeneGraph, living: list[int], rng: random.Random) -> GeneGraph:
        """Nodes whose species died out, live or not, name a living one instead."""
        lost = [node for node in genes.hidden if genes.allele[node]["species"] not in living]
        return genes.with_alleles({node: {**genes.allele[node], "species": rng.choice(living)} for node in lost})
