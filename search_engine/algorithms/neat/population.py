"""A population of gene graphs: numbered individuals, species, and the step to the next generation."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from search_engine.spaces.genes.graph import GeneGraph
from search_engine.spaces.genes.growing import new_innovations
from search_engine.spaces.genes.innovations import Innovations

from .offspring import Breeding, Fits, Mutate, children, quotas
from .speciation import Distance, Speciation, Species


@dataclass(frozen=True)
class Individual:
    """`number` is its own for the whole run: who survives keeps it. `parents` are numbers of the generation before."""

    number: int
    genes: GeneGraph
    species: int = -1
    parents: tuple[int, ...] = ()


class Population:
    """The living, in the order of their places, and what outlives them: innovations and species."""

    def __init__(self, species: int, distance: Distance, inputs: int = 1, outputs: int = 1) -> None:
        """`species`: so many are wanted. `inputs`, `outputs`: of every genome."""
        self.distance = distance
        self.innovations: Innovations = new_innovations(inputs, outputs)
        self.speciation = Speciation(species)
        self.individuals: list[Individual] = []
        self.born = 0
        """Individuals so far."""

    def __len__(self) -> int:
        return len(self.individuals)

    @property
    def species(self) -> list[Species]:
        return self.speciation.species

    def members(self, species: int) -> list[Individual]:
        """Those of one species, in order; empty where it is extinct."""
        return [individual for individual in self.individuals if individual.species == species]

    def found(self, genes: Sequence[GeneGraph]) -> None:
        """The first generation."""
        self.individuals = [Individual(number, each) for number, each in enumerate(genes)]
        self.born = len(genes)
        self._divide()

    def know_innovations(self) -> None:
        """Go on with the numbers that the individuals have: for those of another search, whose table is not at hand."""
        for individual in self.individuals:
            self.innovations.know((link.source, link.target, link.innovation) for link in individual.genes.links)
            self.innovations.go_on_after(individual.genes.allele.keys(), [link.innovation for link in individual.genes.links])

    def change(self, changed: Callable[[GeneGraph], GeneGraph]) -> None:
        """Everybody's genes through `changed`; numbers and species stay."""
        self.individuals = [replace(individual, genes=changed(individual.genes)) for individual in self.individuals]

    def replace(self, genes: Mapping[int, GeneGraph]) -> None:
        """Other genes, by number, for those individuals; numbers and species stay."""
        self.individuals = [replace(individual, genes=genes.get(individual.number, individual.genes)) for individual in self.individuals]

    def breed(self, fitness: Mapping[int, float], breeding: Breeding, mutate: Mutate, fits: Fits, rng: random.Random) -> None:
        """The next generation, of equal size. `fitness`: by number, everybody's; `mutate` and `fits` as in `offspring.children`."""
        values = [fitness[individual.number] for individual in self.individuals]
        genes = [individual.genes for individual in self.individuals]
        given = self.given(values)
        following: list[Individual] = []
        for species, quota in zip(self.species, given, strict=True):
            for child in children(species.members, genes, values, quota, breeding, mutate, fits, rng):
                if child.kept:
                    following.append(self.individuals[child.parents[0]])
                    continue
                parents = tuple(self.individuals[place].number for place in child.parents)
                following.append(Individual(self.born, child.genes, parents=parents))
                self.born += 1
        self.individuals = following
        self._divide()
        self.innovations.keep({node for individual in following for node in individual.genes.allele})

    def given(self, values: Sequence[float]) -> list[int]:
        """How many of the next generation each species gets; `values`: everybody's fitness, by place."""
        return quotas([fmean(values[place] for place in species.members) for species in self.species], len(self))

    def _divide(self) -> None:
        found = self.speciation.divide([individual.genes for individual in self.individuals], self.distance)
        number = {place: species.number for species in found for place in species.members}
        self.individuals = [replace(individual, species=number[place]) for place, individual in enumerate(self.individuals)]

    def state_dict(self) -> dict[str, Any]:
        return {
            "innovations": self.innovations.state_dict(),
            "speciation": self.speciation.state_dict(),
            "individuals": [[each.number, each.genes.to_tree(), each.species, list(each.parents)] for each in self.individuals],
            "born": self.born,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.innovations.load_state_dict(state["innovations"])
        self.speciation.load_state_dict(state["speciation"])
        self.individuals = [
            Individual(number, GeneGraph.from_tree(genes), species, tuple(parents))
            for number, genes, species, parents in state["individuals"]
        ]
        self.born = state["born"]
