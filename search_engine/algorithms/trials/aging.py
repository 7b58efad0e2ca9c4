"""A population in which the oldest dies, and the tournament that chooses parents.

Source: Real, Aggarwal, Huang, Le, AAAI 2019 (arXiv:1802.01548), algorithm 1; Evo-NAS (Maziarz et al. 2018) evolves in the same way.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from pydantic import Field, model_validator

from search_engine.base.growing import Records

from .schemata.watch import SchemataConfig

ContentT = TypeVar("ContentT")


class AgingConfig(SchemataConfig):
    """What every aging evolution has."""

    population: int = Field(
        default=25,
        ge=2,
        le=10_000,
        title="Population",
        description="How many individuals live at once (P). A quarter of the trials, at most 50, is a good start; at least three times the "
        "window of open trials.",
    )
    sample: int = Field(
        default=5,
        ge=1,
        le=10_000,
        title="Tournament",
        description="How many individuals are drawn, with replacement; the best of them is the parent (S).",
    )

    @model_validator(mode="after")
    def _sample_fits(self) -> Self:
        if self.sample > self.population:
            raise ValueError(f"sample ({self.sample}) must not be larger than population ({self.population})")
        return self


@dataclass(frozen=True)
class Individual(Generic[ContentT]):
    """One that lives. `number` is its candidate's; `content` is its genome, or whatever the algorithm varies."""

    number: int
    content: ContentT
    value: float


class AgingPopulation(Records[Individual[ContentT]]):
    """The living, oldest first. `to_tree` and `from_tree` turn what they consist of into JSON values for the checkpoint and back.

    >>> living = AgingPopulation(2, list, tuple)
    >>> for number, value in enumerate((0.9, 0.1, 0.5)):
    ...     living.enter(Individual(number, (number, number), value))
    >>> [individual.number for individual in living]  # the best has died: it was the oldest
    [1, 2]
    >>> living.tournament(20, random.Random(0)).number
    2
    """

    def __init__(self, size: int, to_tree: Callable[[ContentT], Any], from_tree: Callable[[Any], ContentT]) -> None:
        super().__init__(
            lambda individual: [individual.number, to_tree(individual.content), individual.value],
            lambda tree: Individual(tree[0], from_tree(tree[1]), tree[2]),
        )
        self.size = size

    def enter(self, individual: Individual[ContentT]) -> None:
        """A new one lives; where that is one too many, the oldest dies, never the worst."""
        self.append(individual)
        if len(self) > self.size:
            self.popleft()

    @property
    def leaving(self) -> Individual[ContentT] | None:
        """Who dies when the next one enters."""
        return self[0] if len(self) == self.size else None

    def tournament(self, draws: int, rng: random.Random) -> Individual[ContentT]:
        """The best of `draws` individuals drawn with replacement; a tie goes to the earlier draw."""
        places = [rng.randrange(len(self)) for _ in range(draws)]
        # max keeps the first of equals.
        return max((self[place] for place in places), key=lambda individual: individual.value)

    @property
    def mean(self) -> float:
        return sum(individual.value for individual in self) / len(self)
