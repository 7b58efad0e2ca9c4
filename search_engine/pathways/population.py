"""A population under binary tournaments: two genotypes compete, the loser is overwritten by a mutated copy of the winner."""

from __future__ import annotations

import random
from typing import Any

from ..spaces.modular import Path
from .genotypes import Genotype, mutated, path_of, random_genotype


class Population:
    """Genotypes in places; `fitness[place]` is the place's latest score, None for a genotype that never competed."""

    def __init__(self, size: int, layers: int, modules: int, active: int, rng: random.Random) -> None:
        self.modules = modules
        self.genotypes: list[Genotype] = [random_genotype(rng, layers, modules, active) for _ in range(size)]
        self.fitness: list[float | None] = [None] * size
        self.scored: list[int] = [-1] * size
        """The generation of each place's latest score."""

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
        self.genotypes[loser] = mutated(self.genotypes[winner], rng, self.modules)
        self.fitness[loser], self.scored[loser] = None, -1
        return winner, loser

    @property
    def best(self) -> int:
        """The place of the highest latest score; of equals the one scored last; place 0 where nothing was scored."""
        places = range(len(self.genotypes))
        return max(places, key=lambda place: (-1.0 if (value := self.fitness[place]) is None else value, self.scored[place], -place))

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
