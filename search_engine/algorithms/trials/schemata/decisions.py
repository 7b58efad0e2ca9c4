"""Parents and children in a space that is a list of decisions: what of a schema a parent's child keeps.

A decision that is active only while another one has certain choices hangs on that one too: where it is changed, the schema may lose what
it fixes further down.

>>> from search_engine.spaces.data_shape import NO_INPUT
>>> from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
>>> operators = DecisionOperators(SequenceSpace(SequenceConfig(n=3), NO_INPUT), "changed", 0.5)
>>> operators.text(0, 2)
'Number 1 = 3'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from search_engine.base.errors import BadInput
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.decisions import Choices, DecisionList
from search_engine.spaces.genomes import Genome

from .schema import Array, Genes, Locus, Schema
from .surviving import each_or_one, one_change, uniform_crossover


def genes_of(choices: Sequence[int | None]) -> Genes:
    """Active decisions by place."""
    return {place: choice for place, choice in enumerate(choices) if choice is not None}


def hangs_on(decisions: DecisionList, schema: Schema) -> dict[int, float]:
    """The places that a schema hangs on, each with the probability that a change of it loses the schema, the change being to any other
    choice evenly: 1 for a fixed one; of one that others need, the share of its other choices that switch one of them off.

    >>> from search_engine.spaces.decisions import Decision
    >>> depth = Decision("depth", "Depth", "number", ("one", "two", "three"))
    >>> second = Decision("second", "Second", "layer", ("conv", "pool"), when=("depth", frozenset({1, 2})))
    >>> hangs_on(DecisionList([depth, second]), Schema(((1, 0),)))
    {1: 1.0, 0: 0.5}
    """
    losses = {int(locus): 1.0 for locus in schema.loci}
    allowed: dict[int, frozenset[int]] = {}
    open_places = list(losses)
    while open_places:
        condition = decisions[open_places.pop()].when
        if condition is None:
            continue
        above = decisions.place(condition[0])
        if above not in allowed and above not in losses:
            open_places.append(above)
        allowed[above] = allowed.get(above, condition[1]) & condition[1]
    for place, choices in allowed.items():
        if place not in losses:
            count = len(decisions[place].choices)
            losses[place] = 1 - (len(choices) - 1) / (count - 1) if count > 1 else 0.0
    return losses


Mutation = Literal["own", "changed", "drawn"]
"""What a mutation does: the space's own `mutate`; each decision takes another choice with a probability, one at least; each is drawn anew
with a probability, one at least, by a policy that may draw the same again (which p counts as lost: a bound on the safe side)."""


class DecisionOperators:
    """The operators of a search on one space of decisions. `rate`: with which probability each decision is picked, where it is not the
    space's own mutation; `crossover`: the probability that a child has two parents."""

    def __init__(self, space: SearchSpace[Any], mutation: Mutation, rate: float = 0.0, crossover: float = 0.0) -> None:
        """Raises BadInput(field "options.schemata") for a space that does not say with which probability its mutation changes what."""
        if "decisions" not in space.offers:
            raise BadInput(
                "options.schemata",
                f"the space '{space.id}' is no list of decisions, so what a schema fixes is nowhere said: leave it at 0",
                code="incompatible",
            )
        if mutation == "own" and not says_rates(space):
            raise BadInput(
                "options.schemata",
                f"the space '{space.id}' does not say how likely its mutation changes each decision (mutation_rates): leave it at 0",
                code="incompatible",
            )
        self.space, self.mutation, self.rate, self.crossover = space, mutation, rate, crossover
        self._known: tuple[tuple[Schema, ...], list[dict[int, float]]] = ((), [])

    def text(self, place: Locus, choice: int | str) -> str:
        decision = self.space.decisions[int(place)]
        return f"{decision.title} = {decision.choices[int(choice)]}"

    def _losses(self, schemata: Sequence[Schema]) -> list[dict[int, float]]:
        if self._known[0] != tuple(schemata):
            found = [hangs_on(self.space.decisions, schema) for schema in schemata]
            # A policy draws as it likes: what hangs on a drawn decision may go, whatever its other choices are.
            drawn = self.mutation == "drawn"
            self._known = (tuple(schemata), [dict.fromkeys(losses, 1.0) if drawn else losses for losses in found])
        return self._known[1]

    def of_choices(self, schemata: Sequence[Schema], choices: Choices) -> Array:
        """(schemata,) 1 - p of a mutant of this parent, for those that it matches, where each decision is picked with the same
        probability."""
        places = self.space.decisions.changeable(choices)
        return np.array([self._each(found, places) for found in self._losses(schemata)])

    def survival(self, schemata: Sequence[Schema], genome: Genome) -> Array:
        """The same by whatever mutation it is."""
        if self.mutation != "own":
            return self.of_choices(schemata, self.space.choices_of(genome))
        losses = self._losses(schemata)
        rates = self.space.mutation_rates(genome)
        return np.array([one_change([rates[place] * loss for place, loss in found.items()]) for found in losses])

    def _each(self, losses: dict[int, float], places: Sequence[int]) -> float:
        if not places:
            return 1.0
        there = set(places)
        return each_or_one([loss for place, loss in losses.items() if place in there], self.rate, len(places))

    def crossed(self, schemata: Sequence[Schema], selected: Array, kept: Array) -> Array:
        """S (1 - p) of a child, from S and that of a mutant of one parent."""
        if not self.crossover:
            return kept
        blocks = self.space.crossover_blocks
        both = np.zeros(len(schemata))
        if blocks is not None:
            for at, losses in enumerate(self._losses(schemata)):
                mixed = uniform_crossover(float(selected[at]), len({blocks[place] for place in losses}))
                both[at] = selected[at] * mixed * self._least(losses)
        # Where the space draws until the child is sound, nothing is known of it: then crossover counts as destroying.
        return (1 - self.crossover) * kept + self.crossover * both

    def _least(self, losses: dict[int, float]) -> float:
        """1 - p of the mutation of a crossed child, of which no more is known than that it matches."""
        decisions = self.space.decisions
        if self.mutation == "own":
            most = self.space.most_mutation_rates
            return one_change([most[place] * loss for place, loss in losses.items()])
        steady = sum(decision.when is None and len(decision.choices) > 1 for decision in decisions)
        counted = [loss for place, loss in losses.items() if len(decisions[place].choices) > 1]
        return each_or_one(counted, self.rate, max(steady, len(counted), 1))


def says_rates(space: SearchSpace[Any]) -> bool:
    """Whether a space's `mutation_rates` are those of its own `mutate`: a subclass that mutates otherwise must say its rates too."""
    order = type(space).__mro__

    def defined(name: str) -> int:
        return next(place for place, kind in enumerate(order) if name in vars(kind))

    return defined("mutation_rates") <= defined("mutate") and order[defined("mutation_rates")] is not SearchSpace
