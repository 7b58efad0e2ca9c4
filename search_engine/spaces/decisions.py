"""A search space as an ordered list of decisions: what controllers, surrogates, grids and generic mutations need to know of it.

A *choice list* has one entry per decision, in order: the index of the choice, or None where the decision is inactive. A decision is
active if its condition holds: an earlier decision is active and took one of the named choices. Inactive decisions are not wrong, they
are absent: they enter no probability, no entropy, no mutation and no hash.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from ..base.errors import BadInput

Choices = tuple[int | None, ...]


@dataclass(frozen=True)
class Decision:
    """One question of a space. Decisions of one `kind` ask the same question at different places: a controller shares their head and
    their embeddings, so they have equally many choices (where `selects` is None)."""

    key: str
    """Unique in its space, for example `layer3.operation`."""
    title: str
    kind: str
    choices: tuple[str, ...]
    """Labels, for people and for genomes."""
    when: tuple[str, frozenset[int]] | None = None
    """Active only if the decision of this key is active and took one of these choices; None = always."""
    selects: tuple[tuple[str, ...], ...] | None = None
    """Where a choice picks among earlier places (skip connections, inputs of a node): per choice the anchors it picks. A controller
    scores it by attention over those anchors instead of by a head of its own (Pham et al. 2018)."""
    anchor: str | None = None
    """The place that is complete after this decision: its controller's state is kept under this name for later `selects`."""
    row: int | None = None
    column: int | None = None
    """Place in a matrix picture (layer x earlier layer), where the decision has one."""
    group: str | None = None
    """Where the choices are a family edge's operations, in the family's order: the group's name ..."""
    edge: int | None = None
    """... and the edge's number in it, so that probabilities of choices can be drawn as weights of the edge."""


class DecisionList(Sequence[Decision]):
    """The decisions of one space, with the arithmetic of conditional choices.

    Counting and ranking take time proportional to the decisions times the combinations of those choices that conditions refer to, never
    to the size of the space.

    >>> depth = Decision("depth", "Depth", "number", ("one", "two"))
    >>> second = Decision("second", "Second layer", "layer", ("conv", "pool"), when=("depth", frozenset({1})))
    >>> decisions = DecisionList([depth, second])
    >>> [decisions.unrank(index) for index in range(decisions.size)]
    [(0, None), (1, 0), (1, 1)]
    >>> decisions.changeable((0, None)), decisions.sample(random.Random(0), keep=(1, 1))
    ([0], (1, 1))
    """

    def __init__(self, decisions: Sequence[Decision]) -> None:
        """Raises ValueError for a doubled key, or a condition that does not refer to an earlier decision."""
        self._decisions = tuple(decisions)
        self._places: dict[str, int] = {}
        for place, decision in enumerate(self._decisions):
            if decision.key in self._places:
                raise ValueError(f"two decisions are called '{decision.key}'")
            if decision.when is not None and decision.when[0] not in self._places:
                raise ValueError(f"'{decision.key}' depends on '{decision.when[0]}', which is not an earlier decision")
            self._places[decision.key] = place

    def __getitem__(self, place: Any) -> Any:
        return self._decisions[place]

    def __len__(self) -> int:
        return len(self._decisions)

    def place(self, key: str) -> int:
        return self._places[key]

    # ---- conditions

    def active(self, place: int, choices: Sequence[int | None]) -> bool:
        """Whether decision `place` is active given the choices before it."""
        condition = self._decisions[place].when
        if condition is None:
            return True
        chosen = choices[self._places[condition[0]]]
        return chosen is not None and chosen in condition[1]

    def validate(self, choices: Sequence[int | None]) -> None:
        """Raises BadInput(field "genome") unless exactly the active decisions are taken, each within its range."""
        if len(choices) != len(self):
            raise BadInput("genome", f"the space has {len(self)} decisions, not {len(choices)}")
        for place, (decision, choice) in enumerate(zip(self._decisions, choices, strict=True)):
            if not self.active(place, choices):
                if choice is not None:
                    raise BadInput("genome", f"'{decision.key}' is inactive here and must be left out")
            elif not isinstance(choice, int) or not 0 <= choice < len(decision.choices):
                raise BadInput("genome", f"'{decision.key}' needs one of: {', '.join(decision.choices)}")

    # ---- random moves

    def sample(self, rng: random.Random, keep: Sequence[int | None] = ()) -> Choices:
        """Uniform over each active decision in order (not over architectures). Entries of `keep` that are not None stay where their
        decision is active."""
        choices: list[int | None] = []
        for place, decision in enumerate(self._decisions):
            kept = keep[place] if place < len(keep) else None
            if not self.active(place, choices):
                choices.append(None)
            else:
                choices.append(kept if kept is not None else rng.randrange(len(decision.choices)))
        return tuple(choices)

    def changeable(self, choices: Sequence[int | None]) -> list[int]:
        """Places of the active decisions that have more than one choice."""
        return [place for place, choice in enumerate(choices) if choice is not None and len(self._decisions[place].choices) > 1]

    def change(self, choices: Sequence[int | None], place: int, rng: random.Random) -> Choices:
        """Decision `place` takes another choice; what becomes active by that is drawn, what becomes inactive is dropped."""
        others = [choice for choice in range(len(self._decisions[place].choices)) if choice != choices[place]]
        changed = list(choices)
        changed[place] = rng.choice(others)
        return self.sample(rng, keep=changed)

    # ---- counting

    @cached_property
    def size(self) -> int:
        """How many choice lists there are."""
        return self._completions(0, ())

    @cached_property
    def _referred(self) -> dict[str, int]:
        """The decisions that conditions refer to, in order, by key."""
        keys = {decision.when[0] for decision in self._decisions if decision.when is not None}
        return {key: index for index, key in enumerate(sorted(keys, key=self._places.__getitem__))}

    def _relevant(self, choices: Sequence[int | None]) -> tuple[int | None, ...]:
        return tuple(choices[self._places[key]] for key in self._referred if self._places[key] < len(choices))

    @lru_cache(maxsize=100_000)  # noqa: B019  (a space lives as long as its run)
    def _completions(self, place: int, relevant: tuple[int | None, ...]) -> int:
        """Completions of a prefix of length `place` whose referred-to choices are `relevant`."""
        if place == len(self):
            return 1
        decision = self._decisions[place]
        if not self._active_given(decision, relevant):
            return self._completions(place + 1, (*relevant, None) if decision.key in self._referred else relevant)
        if decision.key not in self._referred:
            return len(decision.choices) * self._completions(place + 1, relevant)
        return sum(self._completions(place + 1, (*relevant, choice)) for choice in range(len(decision.choices)))

    def _active_given(self, decision: Decision, relevant: tuple[int | None, ...]) -> bool:
        if decision.when is None:
            return True
        chosen = relevant[self._referred[decision.when[0]]]
        return chosen is not None and chosen in decision.when[1]

    def unrank(self, index: int) -> Choices:
        """Choice list number `index` in lexicographic order. Raises IndexError outside 0 .. size - 1."""
        if not 0 <= index < self.size:
            raise IndexError(f"{index} is not below {self.size}")
        choices: list[int | None] = []
        for place, decision in enumerate(self._decisions):
            if not self.active(place, choices):
                choices.append(None)
                continue
            for choice in range(len(decision.choices)):
                below = self._completions(place + 1, self._relevant([*choices, choice]))
                if index < below:
                    choices.append(choice)
                    break
                index -= below
        return tuple(choices)

    def rank(self, choices: Sequence[int | None]) -> int:
        """Undo `unrank`."""
        index = 0
        for place, choice in enumerate(choices):
            if choice is not None:
                index += sum(self._completions(place + 1, self._relevant([*choices[:place], other])) for other in range(choice))
        return index

    def one_hot(self, choices: Sequence[int | None]) -> list[float]:
        """One entry per choice of every decision; an inactive decision is all zeros."""
        pairs = zip(self._decisions, choices, strict=True)
        return [float(choice == index) for decision, choice in pairs for index in range(len(decision.choices))]


