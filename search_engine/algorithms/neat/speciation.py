"""A population divided into species (Stanley & Miikkulainen 2002, section 3.3), as many as wanted.

An individual joins the species whose representative is closest, if it is closer than a threshold; else it founds one. How many species
that makes hangs on the threshold, and a fixed one lets them explode or melt into one as genomes grow. So the threshold is searched for,
generation by generation, by bisection from where it was: the one whose number of species comes closest to the wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from search_engine.spaces.genes.graph import GeneGraph

ATTEMPTS = 24
"""Thresholds tried in one generation at most; after so many halvings it moves by less than a millionth."""

Distance = Callable[[GeneGraph, GeneGraph], float]


@dataclass
class Species:
    """`members` are places in the population that was divided."""

    number: int
    representative: GeneGraph
    members: list[int] = field(default_factory=list)


class Speciation:
    """The living species from generation to generation.

    >>> from search_engine.spaces.genes.growing import chain, new_innovations
    >>> table = new_innovations()
    >>> graphs = [chain([{"width": width}], {}, table) for width in (1, 2, 10, 11, 30)]
    >>> def apart(a, b): return abs(a.allele[2]["width"] - b.allele[2]["width"])
    >>> division = Speciation(wanted=3)
    >>> [species.members for species in division.divide(graphs, apart)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, wanted: int, threshold: float = 1.0) -> None:
        self.wanted = wanted
        self.threshold = threshold
        self.species: list[Species] = []
        self._next = 0

    def divide(self, population: Sequence[GeneGraph], distance: Distance) -> list[Species]:
        """The species of this population, in order of their numbers; those without a member are gone. The new representative of a species
        is the member that is closest to the old one."""
        measured: dict[tuple[int, int], float] = {}

        def apart(representative: GeneGraph, place: int) -> float:
            key = (id(representative), place)
            if key not in measured:
                measured[key] = distance(representative, population[place])
            return measured[key]

        tried: dict[float, list[Species]] = {}

        def attempt(threshold: float) -> int:
            tried[threshold] = self._assigned(population, threshold, apart)
            return len(tried[threshold])

        low, high = 0.0, self.threshold
        count = attempt(self.threshold)
        while count > self.wanted and len(tried) < ATTEMPTS:
            low, high = high, 2 * high
            count = attempt(high)
        while count != self.wanted and len(tried) < ATTEMPTS:
            middle = (low + high) / 2
            count = attempt(middle)
            low, high = (middle, high) if count > self.wanted else (low, middle)
        before = self.threshold
        self.threshold = min(tried, key=lambda threshold: (abs(len(tried[threshold]) - self.wanted), abs(threshold - before)))
        self.species = tried[self.threshold]
        self._next = max([self._next, *(species.number + 1 for species in self.species)])
        for species in self.species:
            closest = min(species.members, key=lambda place: (apart(species.representative, place), place))
            species.representative = population[closest]
        return self.species

    def _assigned(
        self, population: Sequence[GeneGraph], threshold: float, apart: Callable[[GeneGraph, int], float]
    ) -> list[Species]:
        found = [Species(species.number, species.representative) for species in self.species]
        following = self._next
        for place, genes in enumerate(population):
            closest = min(found, key=lambda species: (apart(species.representative, place), species.number), default=None)
            if closest is None or apart(closest.representative, place) >= threshold:
                closest = Species(following, genes)
                found.append(closest)
                following += 1
            closest.members.append(place)
        return [species for species in found if species.members]

    def state_dict(self) -> dict[str, Any]:
        return {
            "threshold": self.threshold,
            "next": self._next,
            "species": [[each.number, each.representative.to_tree(), list(each.members)] for each in self.species],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.threshold, self._next = state["threshold"], state["next"]
        self.species = [Species(number, GeneGraph.from_tree(tree), list(members)) for number, tree, members in state["species"]]
