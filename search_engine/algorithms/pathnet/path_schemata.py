"""Schemata of paths: which modules stand at which genes, from tournament to tournament.

A tournament is a birth: given its two and what they scored, only the mutation is left to chance. The loser is removed, the winner is the
parent. A generation is so many tournaments as half the population, so that half of it is replaced at most.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from search_engine.events import SchemataFrame

from ..trials.schemata.redraws import Draw
from ..trials.schemata.schema import Array, Genes, Locus
from ..trials.schemata.surviving import strings
from ..trials.schemata.watch import Outlook, Watch
from .genotypes import LARGEST_OFFSET, Genotype, mutated
from .population import Population


def genes_of(genotype: Genotype) -> Genes:
    """Genes are numbered layer by layer."""
    return dict(enumerate(number for layer in genotype for number in layer))


def change_rate(genotype: Genotype, modules: int) -> float:
    """How likely a gene becomes another module: it is drawn with probability 1 / (number of genes), and of the five offsets those change
    it that do not lead around to itself.

    >>> change_rate(((0, 1), (2, 3)), modules=10), change_rate(((0, 1), (2, 3)), modules=2)
    (0.2, 0.1)
    """
    offsets = range(-LARGEST_OFFSET, LARGEST_OFFSET + 1)
    return sum(offset % modules != 0 for offset in offsets) / len(offsets) / sum(len(layer) for layer in genotype)


def chances(fitness: Sequence[float | None]) -> tuple[Array, Array]:
    """Probability of each place to win the next tournament, and to lose it, if every path scored again as it did last; one that never did
    wins half of its tournaments.

    >>> [values.round(3).tolist() for values in chances([0.9, 0.5, None])]
    [[0.5, 0.167, 0.333], [0.167, 0.5, 0.333]]
    """
    count = len(fitness)
    known = np.sort([value for value in fitness if value is not None])
    wins = []
    for value in fitness:
        if value is None:
            wins.append((count - 1) / 2)
            continue
        below, upto = np.searchsorted(known, value, "left"), np.searchsorted(known, value, "right")
        wins.append(below + (upto - below - 1) / 2 + (count - len(known)) / 2)
    won = np.array(wins) / (count * (count - 1) / 2)
    return won, 2 / count - won


class PathSchemata:
    """The account over one task. `settled` after each tournament."""

    def __init__(self, population: Population, most: int, seed: int, metric: str, task: int) -> None:
        self.population, self.births = population, max(len(population.genotypes) // 2, 1)
        self.width = len(population.genotypes[0][0])
        self.watch = Watch(most, seed, metric, f"task {task + 1}", "", self._text)
        self.before = self.births
        """Tournaments until the first generation: as many as give most of them a score."""

    def _text(self, place: Locus, module: int | str) -> str:
        layer, gene = divmod(int(place), self.width)
        return f"layer {layer + 1} gene {gene + 1} = module {int(module) + 1}"

    def settled(self, winner: Genotype, loser: Genotype) -> SchemataFrame | None:
        """A tournament is over: who won, who lost (as it was)."""
        watch = self.watch
        if self.before:
            self.before -= 1
            if not self.before:
                self._begin()
            return None
        there = watch.matches(genes_of(winner))
        watch.charge(there, there * self._survival, watch.matches(genes_of(loser)))
        if watch.births < self.births:
            return None
        part = watch.close(self._genes)
        self._begin()
        return None if part is None else SchemataFrame(step=watch.generation, parts=[part])

    @property
    def _genes(self) -> list[Genes]:
        return [genes_of(genotype) for genotype in self.population.genotypes]

    @property
    def _survival(self) -> Array:
        """Genes change independently, and none is cut off by crossover: there is none."""
        rate = change_rate(self.population.genotypes[0], self.population.modules)
        return np.array([strings(schema.order, 0, 2, 0.0, rate) for schema in self.watch.schemata])

    def _begin(self) -> None:
        population, watch = self.population, self.watch
        watch.choose(self._genes, population.fitness, leader=population.best)
        if not watch.due:
            return
        there = np.array([watch.matches(genes) for genes in self._genes])
        won, lost = chances(population.fitness)
        evenly = np.full(len(won), 1 / len(won))
        watch.redraw(
            Outlook(
                births=self.births, removed=self.births * (lost @ there), kept=self.births * (won @ there) * self._survival,
                children=self._draw(won), blind=self._draw(evenly), blind_removed=self.births * (evenly @ there),
            )
        )

    def _draw(self, weights: Array) -> Draw:
        genotypes, modules = list(self.population.genotypes), self.population.modules

        def children(rng: random.Random, count: int) -> list[Genes]:
            return [genes_of(mutated(parent, rng, modules)) for parent in rng.choices(genotypes, weights=weights.tolist(), k=count)]

        return children

    def state_dict(self) -> dict[str, Any]:
        return {"watch": self.watch.state_dict(), "before": self.before}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.watch.load_state_dict(state["watch"])
        self.before = state["before"]
