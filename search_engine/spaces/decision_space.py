"""Spaces that are nothing but a list of decisions: everything but the list itself follows from it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from ..base.errors import BadInput
from .base import ConfigT, SearchSpace
from .decisions import Choices
from .genomes import Genome


class DecisionSpace(SearchSpace[ConfigT]):
    """A space whose genomes are nothing but their decisions: content `{key: label}`, active decisions only.

    A subclass gives `decisions`, `to_string`, `to_graph` and whatever sets its normal form apart from the bare decisions.

    >>> from search_engine.spaces.base import SpaceConfig
    >>> from search_engine.spaces.data_shape import NO_INPUT
    >>> from search_engine.spaces.decisions import Decision, DecisionList
    >>> class Coins(DecisionSpace):
    ...     id = "coins"
    ...     decisions = DecisionList([Decision(f"coin{number}", "A coin", "coin", ("heads", "tails")) for number in (1, 2)])
    ...     def to_string(self, genome): return " ".join(genome.content.values())
    ...     def to_graph(self, genome): ...
    >>> coins = Coins(SpaceConfig(), NO_INPUT)
    >>> [coins.to_string(genome) for genome in coins.enumerate()]
    ['heads heads', 'heads tails', 'tails heads', 'tails tails']
    """

    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "crossover", "enumerate", "encode", "decisions"})

    def genome_of(self, choices: Sequence[int | None]) -> Genome:
        """The genome of a choice list. Raises BadInput(field "genome")."""
        self.decisions.validate(choices)
        pairs = zip(self.decisions, choices, strict=True)
        return Genome(self.id, {decision.key: decision.choices[choice] for decision, choice in pairs if choice is not None})

    def choices_of(self, genome: Genome) -> Choices:
        """Undo `genome_of`. Raises BadInput(field "genome")."""
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        unknown = set(genome.content) - {decision.key for decision in self.decisions}
        if unknown:
            raise BadInput("genome", f"there is no decision '{min(unknown)}'")
        choices: list[int | None] = []
        for decision in self.decisions:
            label = genome.content.get(decision.key)
            if label is not None and label not in decision.choices:
                raise BadInput("genome", f"'{decision.key}' needs one of: {', '.join(decision.choices)}")
            choices.append(None if label is None else decision.choices.index(label))
        self.decisions.validate(choices)
        return tuple(choices)

    def validate(self, genome: Genome) -> None:
        self.choices_of(genome)

    def sample(self, rng: random.Random) -> Genome:
        return self.genome_of(self.decisions.sample(rng))

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """One active decision takes another choice."""
        choices = self.choices_of(genome)
        place = rng.choice(self.decisions.changeable(choices))
        return self.genome_of(self.decisions.change(choices, place, rng)), f"{self.decisions[place].kind}_mutation"

    def mutation_rates(self, genome: Genome) -> list[float]:
        """Equal for all that can change."""
        changeable = set(self.decisions.changeable(self.choices_of(genome)))
        return [1 / len(changeable) if place in changeable else 0.0 for place in range(len(self.decisions))]

    @property
    def most_mutation_rates(self) -> list[float]:
        """Those of a genome in which only what is always active can change."""
        always = sum(decision.when is None and len(decision.choices) > 1 for decision in self.decisions)
        return [1 / max(always, 1)] * len(self.decisions)

    @property
    def crossover_blocks(self) -> list[int] | None:
        return list(range(len(self.decisions)))

    def crossover(self, first: Genome, second: Genome, rng: random.Random) -> Genome:
        """Uniform crossover: each decision from one of the parents; one that neither has is drawn."""
        pairs = zip(self.choices_of(first), self.choices_of(second), strict=True)
        mixed = [one if (rng.randrange(2) == 0 and one is not None) or other is None else other for one, other in pairs]
        return self.genome_of(self.decisions.sample(rng, keep=mixed))

    def enumerate(self) -> Iterator[Genome]:
        return (self.genome_of(self.decisions.unrank(index)) for index in range(self.decisions.size))

    def size(self) -> int | None:
        return self.decisions.size

    def encode(self, genome: Genome) -> list[float]:
        """One-hot decisions (`DecisionList.one_hot`)."""
        return self.decisions.one_hot(self.choices_of(genome))

    def normal_form(self, genome: Genome) -> Any:
        return genome.content
