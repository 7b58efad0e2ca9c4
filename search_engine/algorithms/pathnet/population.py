"""A population under binary tournaments: two genotypes compete, the loser is overwritten by a mutated copy of the winner."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from search_engine.spaces.modular import Path

from .genotypes import Genotype, mutated, path_of, random_genotype


class Population:
    """Genotypes in places; `fitness[place]` is the place's latest score, None for a genotype that never competed."""

    def __init__(self, genotypes: Sequence[Genotype], modules: int, *, mutates: bool = True) -> None:
        """`modules` is the number of modules in a layer; with `mutates` off a loser becomes the winner's exact copy."""
        self.modules = modules
        self.mutates = mutates
        self.genotypes = list(genotypes)
        self.fitness: list[float | None] = [None] * len(self.genotypes)
        self.scored = [-1] * len(self.genotypes)
        """The generation of each place's latest score."""

    @classmethod
    def drawn(cls, size: int, layers: int, modules: int, active: int, rng: random.Random) -> Population:
        """`size` random genotypes."""
        return cls([random_genotype(rng, layers, modules, active) for _ in range(size)], modules)

    def path(self, place: int) -> Path:
        return path_of(self.genotypes[place])

    @property
    def paths(self) -> list[Path]:
        return [path_of(genotype) for genotype in self.genotypes]

    def draw(self, rng: random.Random) -> tuple[int, int]:
        """Two different places, in the order in which they compete."""
        first, second = rng.sample(range(len(self.genotypes)), 2)
        return first, second

    def score(self, place: int, fitness: float, generation: int) -> None:
        self.fitness[place] = fitness
        self.scored[place] = generation

    def settle(self, first: int, second: int, rng: random.Random) -> tuple[int, int]:
        """Let the better of two scored places win (a tie: the first); returns (winner, loser), whose place now holds the child."""
        a, b = self.fitness[first], self.fitness[second]
        assert a is not None and b is not None
        winner, loser = (first, second) if a >= b else (second, first)
        parent = self.genotypes[winner]
        self.genotypes[loser] = mutated(parent, rng, self.modules) if self.mutates else parent
        self.forget(loser)
        return winner, loser

    def forget(self, place: int) -> None:
        """The place's score no longer counts."""
        self.fitness[place], self.scored[place] = None, -1

    @property
    def ranked(self) -> list[int]:
        """Scored places, the highest latest score first; of equals the one scored last."""
        known = [(value, place) for place, value in enumerate(self.fitness) if value is not None]
        return [place for _, place in sorted(known, key=lambda item: (-item[0], -self.scored[item[1]], item[1]))]

    @property
    def best(self) -> int:
        """The first of `ranked`; place 0 while nothing is scored."""
        return next(iter(self.ranked), 0)

    def state_dict(self) -> dict[str, Any]:
        return {
            "genotypes": [[list(layer) for layer in genotype] for genotype in self.genotypes],
            "fitness": list(self.fitness),
            "scored": list(self.scored),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.genotypes = [tuple(tuple(layer) for layer in genotype) for genotype in state["genotypes"]]
        self.fitness = list(state["fitness"])
        self.scored = list(state["scored"])
