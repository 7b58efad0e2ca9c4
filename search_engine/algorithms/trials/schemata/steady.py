"""The account of a search that has one child after another: who lives is a row that children enter at its end, the oldest leaving, or
nobody.

A generation is so many births. A child is charged when it is proposed, by the selection as it was then, and counts when its result is told.
Children that were already proposed when a generation begins are settled: what they are is known, so they count as they are, in the count
and in the bound alike. Failed children do not enter, so they are no births.

>>> from search_engine.algorithms.base import Context, Result
>>> from search_engine.algorithms.trials.regularized_evolution import RegularizedEvolution, RegularizedEvolutionConfig
>>> from search_engine.events import Cost, EventLog
>>> from search_engine.spaces.data_shape import NO_INPUT
>>> from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
>>> search, log = RegularizedEvolution(), EventLog("run")
>>> options = RegularizedEvolutionConfig(population=4, sample=2, schemata=10)
>>> search.begin(Context(SequenceSpace(SequenceConfig(n=3), NO_INPUT), options, 0, random.Random(0), "reward", log), None)
>>> for number in range(12):
...     [proposal] = search.ask()
...     search.tell([Result(number, proposal.genome, "completed", {"reward": 0.1 * number}, Cost())])
>>> isinstance(search.schemata, SteadySchemata), "schemata" in [event.payload.kind for event in log.drain()]
(True, True)
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from search_engine.events import SchemataFrame

from .redraws import Draw
from .schema import Array, Genes, Schema
from .selecting import uniform
from .watch import Outlook, Watch

ContentT = TypeVar("ContentT")
LivingT = TypeVar("LivingT", covariant=True)
ParentT = TypeVar("ParentT", contravariant=True)


class Living(Protocol[LivingT]):
    """An individual, whatever row it stands in."""

    @property
    def content(self) -> LivingT: ...
    @property
    def value(self) -> float: ...


Chooser = Callable[[], ContentT]
"""Draws a parent."""


class Operators(Protocol[ParentT]):
    """How children come of parents. What it draws comes from the generator that it is handed."""

    def genes(self, content: ParentT) -> Genes: ...

    def survival(self, schemata: Sequence[Schema], content: ParentT) -> Array:
        """(schemata,) 1 - p of a child of this one parent, for those that it matches."""

    def kept(self, schemata: Sequence[Schema], selected: Array, kept: Array) -> Array:
        """S (1 - p) of a birth, from S and that of a child of one parent."""

    def children(self, parent: Chooser[ParentT], count: int, rng: random.Random) -> Sequence[Genes]:
        """So many children, their parents from `parent`."""

    def weights(self, values: Array) -> Array:
        """Probability of each place to be the parent."""


class SteadySchemata(Generic[ContentT]):
    """`living` is the search's own row, which it changes; `size`: how many live at most, None where nobody leaves. A generation is `births`
    births, and begins once that many live."""

    def __init__(
        self, watch: Watch, operators: Operators[ContentT], living: Sequence[Living[ContentT]], births: int, size: int | None
    ) -> None:
        self.watch, self.operators, self.living, self.births, self.size = watch, operators, living, births, size
        self.open: deque[tuple[Array, Array] | None] = deque()
        """Of each proposal that is not told: S and S (1 - p) of each schema; None: settled."""
        self.under_way = False
        self._rows: list[tuple[Array, Array]] = []
        """Of each of the living: what it matches, and that times 1 - p. Made of the living, so no checkpoint holds them."""
        self._stacked: tuple[Array, Array] | None = None

    # ---- what the search says

    def asked(self, random_one: bool = False) -> None:
        """A child was proposed, of the living as they are; a random one has no parent."""
        if random_one or not self.under_way:
            self.open.append(None)
            return
        there, kept = self._matrices()
        weights = self.operators.weights(np.array([individual.value for individual in self.living]))
        selected = weights @ there
        self.open.append((selected, self.operators.kept(self.watch.schemata, selected, weights @ kept)))

    def told(self, entered: bool, oldest: ContentT | None) -> SchemataFrame | None:
        """The next proposal was told, and lives if it `entered`; `oldest` is who left for it. What is to be said, where a generation is
        complete."""
        charge = self.open.popleft()
        if not entered:
            return None
        if not self.under_way:
            if len(self.living) >= self.births:
                self._begin()
            return None
        schemata, content = self.watch.schemata, self.living[-1].content
        if len(self._rows) != len(self.living) - (oldest is None):
            # After a reload: the living stand already as they do now.
            self._rows = [self._row(individual.content) for individual in self.living[:-1]]
            if oldest is not None:
                self._rows.insert(0, self._row(oldest))
        row = self._row(content)
        self._rows.append(row)
        self._stacked = None
        removed = self._rows.pop(0)[0] if oldest is not None else np.zeros(len(schemata))
        # A settled child is what it is.
        selected, kept = charge if charge is not None else (row[0], row[0])
        self.watch.charge(selected, kept, removed)
        if self.watch.births < self.births:
            return None
        part = self.watch.close([self.operators.genes(individual.content) for individual in self.living])
        self._begin()
        return None if part is None else SchemataFrame(step=self.watch.generation, parts=[part])

    # ---- a generation

    def _begin(self) -> None:
        genes = [self.operators.genes(individual.content) for individual in self.living]
        values = np.array([individual.value for individual in self.living])
        self.watch.choose(genes, values.tolist(), leader=int(np.argmax(values)))
        self.under_way = True
        self._rows, self._stacked = [self._row(individual.content) for individual in self.living], None
        self.open = deque([None] * len(self.open))
        if self.watch.due:
            self.watch.redraw(self._outlook(self.operators.weights(values)))

    def _outlook(self, weights: Array) -> Outlook:
        """Of the next births, were all of them drawn from the population as it stands."""
        there, kept = self._matrices()
        schemata = self.watch.schemata
        leaving = 0 if self.size is None else min(max(len(self.living) + self.births - self.size, 0), len(self.living))
        removed = there[:leaving].sum(axis=0)
        return Outlook(
            births=self.births, removed=removed, kept=self.births * self.operators.kept(schemata, weights @ there, weights @ kept),
            children=self._draw(weights), blind=self._draw(uniform(len(self.living))), blind_removed=removed,
        )

    def _draw(self, weights: Array) -> Draw:
        places, ends = range(len(self.living)), np.cumsum(weights).tolist()

        def children(rng: random.Random, count: int) -> Sequence[Genes]:
            return self.operators.children(lambda: self.living[rng.choices(places, cum_weights=ends)[0]].content, count, rng)

        return children

    def _row(self, content: ContentT) -> tuple[Array, Array]:
        there = self.watch.matches(self.operators.genes(content))
        return there, there * self.operators.survival(self.watch.schemata, content)

    def _matrices(self) -> tuple[Array, Array]:
        """(living, schemata) each."""
        if len(self._rows) != len(self.living):
            self._rows, self._stacked = [self._row(individual.content) for individual in self.living], None
        if self._stacked is None:
            self._stacked = np.array([row[0] for row in self._rows]), np.array([row[1] for row in self._rows])
        return self._stacked

    # ---- state

    def state_dict(self) -> dict[str, Any]:
        waiting = [None if charge is None else [charge[0].tolist(), charge[1].tolist()] for charge in self.open]
        return {"watch": self.watch.state_dict(), "open": waiting, "under_way": self.under_way}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.watch.load_state_dict(state["watch"])
        self.open = deque(None if charge is None else (np.array(charge[0]), np.array(charge[1])) for charge in state["open"])
        self.under_way = state["under_way"]
        self._rows, self._stacked = [], None
