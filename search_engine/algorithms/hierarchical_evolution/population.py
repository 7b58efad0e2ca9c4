"""A population that only grows, and the tournament of a share of it.

Source: Liu et al., ICLR 2018 (arXiv:1711.00436), section 3.2: the best of a random 5 % of the current population is the parent; its child
is added, and nobody is removed. So the tournament grows with the population: at 200 individuals it has 10, of which the best is selected.
"""

from __future__ import annotations

import random

from search_engine.base.growing import Records
from search_engine.spaces.genomes import Genome

from ..trials.aging import Individual

LEAST_DRAWN = 2
"""One alone is no tournament: a small population would be searched at random."""


class GrowingPopulation(Records[Individual[Genome]]):
    """Everybody who was told, the oldest first.

    >>> everybody = GrowingPopulation()
    >>> for number in range(200):
    ...     everybody.append(Individual(number, Genome("toy", {"name": number}), number / 200))
    >>> everybody.drawn(0.05), len(everybody.draw(0.05, random.Random(0)))
    (10, 10)
    >>> chosen = everybody.tournament(0.05, random.Random(0))
    >>> chosen == max(everybody.draw(0.05, random.Random(0)), key=lambda individual: individual.value)
    True
    """

    def __init__(self) -> None:
        super().__init__(
            lambda individual: [individual.number, individual.content.to_json(), individual.value],
            lambda tree: Individual(tree[0], Genome.from_json(tree[1]), tree[2]),
        )

    def drawn(self, share: float) -> int:
        """How many a tournament of that share has: the nearest number, two at least, as far as there are so many."""
        return min(max(int(share * len(self) + 0.5), LEAST_DRAWN), len(self))

    def draw(self, share: float, rng: random.Random) -> list[Individual[Genome]]:
        """So many different ones, at random."""
        return [self[place] for place in rng.sample(range(len(self)), self.drawn(share))]

    def tournament(self, share: float, rng: random.Random) -> Individual[Genome]:
        """The best of them; a tie goes to the one drawn earlier, so to either of both."""
        return max(self.draw(share, rng), key=lambda individual: individual.value)

    @property
    def mean(self) -> float:
        return sum(individual.value for individual in self) / len(self)
