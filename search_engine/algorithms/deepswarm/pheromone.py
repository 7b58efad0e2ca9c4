"""Pheromone on a layered graph: on the steps between neighbouring columns and on the attribute values of the nodes.

Source: Dorigo and Gambardella, "Ant Colony System", IEEE Transactions on Evolutionary Computation 1997, sections 3.2 and 3.3; on layers and
their attributes: Byla and Pang, "DeepSwarm", UKCI 2019. Column 0 is the input; a step of depth d goes from column d to column d + 1.

The graph is expanded lazily: a trail exists, at the initial pheromone, once an ant stood where it begins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from search_engine.spaces.node_table import Node, Value

Step = tuple[int, str, str]
"""(depth, node type, following node type)."""
Choice = tuple[int, str, str, Value]
"""(column, node type, attribute, value)."""


def towards(pheromone: float, target: float, rate: float) -> float:
    """(1 - rate) pheromone + rate target: the one form of both updates."""
    return (1 - rate) * pheromone + rate * target


@dataclass(frozen=True)
class Walk:
    """What an ant made: its completed chain, and how much of it the ant chose itself.

    A walk that ran out of depth is completed by a flatten or the output; those steps carry no pheromone.
    """

    nodes: tuple[Node, ...]
    """Without input and output."""
    chosen: int
    """How many of `nodes`, from the first, the ant chose."""
    ended: bool = False
    """Whether it chose to end, too."""

    @property
    def types(self) -> list[str]:
        """Node types by column, input and output included."""
        return ["input", *(node.type for node in self.nodes), "output"]

    def steps(self) -> Iterator[Step]:
        """The steps that the ant chose."""
        types = self.types
        for depth in range(self.chosen + self.ended):
            yield depth, types[depth], types[depth + 1]

    def to_tree(self) -> list[Any]:
        return [[[node.type, *node.values] for node in self.nodes], self.chosen, self.ended]

    @classmethod
    def from_tree(cls, tree: list[Any]) -> Walk:
        nodes, chosen, ended = tree
        return cls(tuple(Node(item[0], tuple(item[1:])) for item in nodes), chosen, ended)


class Pheromone:
    """All trails of a colony. `names`: node type -> its attributes, in order."""

    def __init__(self, initial: float, local_rate: float, global_rate: float, names: dict[str, list[str]]) -> None:
        self.initial, self.local_rate, self.global_rate = initial, local_rate, global_rate
        self.names = names
        self.steps: dict[Step, float] = {}
        self.choices: dict[Choice, float] = {}

    def of_step(self, step: Step) -> float:
        return self.steps.setdefault(step, self.initial)

    def of_choice(self, choice: Choice) -> float:
        return self.choices.setdefault(choice, self.initial)

    def local_update(self, walk: Walk) -> None:
        """Right after an ant walked: its trails fade towards the initial pheromone, so that the next ants of the generation explore."""
        self._update(walk, self.initial, self.local_rate)

    def global_update(self, walk: Walk, reward: float) -> None:
        """After a generation, on the best ant's trails alone: they move towards its reward."""
        self._update(walk, reward, self.global_rate)

    def _update(self, walk: Walk, target: float, rate: float) -> None:
        for step in walk.steps():
            self.steps[step] = towards(self.of_step(step), target, rate)
        for choice in self.choices_of(walk):
            self.choices[choice] = towards(self.of_choice(choice), target, rate)

    def choices_of(self, walk: Walk) -> Iterable[Choice]:
        """The attribute values that the ant chose."""
        for column, node in enumerate(walk.nodes[: walk.chosen], start=1):
            for name, value in zip(self.names.get(node.type, []), node.values, strict=True):
                yield column, node.type, name, value

    def state_dict(self) -> dict[str, Any]:
        return {
            "steps": [[*step, value] for step, value in self.steps.items()],
            "choices": [[*choice, value] for choice, value in self.choices.items()],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.steps = {(depth, source, target): value for depth, source, target, value in state["steps"]}
        self.choices = {(column, kind, name, choice): value for column, kind, name, choice, value in state["choices"]}


def by_source(pheromone: Pheromone) -> Iterator[tuple[tuple[int, str], list[tuple[str, float]]]]:
    """((depth, node type), [(following type, pheromone), ...]) for every expanded node, by depth, then name."""
    for (depth, source), group in itertools.groupby(sorted(pheromone.steps), key=lambda step: step[:2]):
        yield (depth, source), [(step[2], pheromone.steps[step]) for step in group]
