"""How an ant walks: the pseudo-random-proportional rule of Ant Colony System, for the next node and then for each of its attributes.

Source: Dorigo and Gambardella 1997, equation 3, with the weight pheromone x heuristic and no exponents, as in DeepSwarm (Byla and Pang
2019, section 3.2). Attributes have no heuristic: it is 1 for all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from search_engine.spaces.node_chain import NodeChainSpace
from search_engine.spaces.node_table import OUTPUT, Node

from .pheromone import Pheromone, Walk

Rule = Callable[[Sequence[float]], int]
"""Weights (none negative, one positive) -> the place chosen."""


def proportional(greediness: float, rng: random.Random) -> Rule:
    """With probability `greediness` the largest weight, ties at random; else the roulette wheel."""

    def choose(weights: Sequence[float]) -> int:
        if rng.random() < greediness:
            largest = max(weights)
            return rng.choice([place for place, weight in enumerate(weights) if weight == largest])
        return rng.choices(range(len(weights)), weights=weights)[0]

    return choose


def uniform(rng: random.Random) -> Rule:
    """Any, whatever the weights."""
    return lambda weights: rng.randrange(len(weights))


def walk(space: NodeChainSpace, pheromone: Pheromone, depth: int, choose: Rule) -> Walk:
    """A path of at most `depth` steps from the input, completed where it did not reach the output."""
    nodes: list[Node] = []
    place, ended = space.start, False
    for column in range(depth):
        moves = space.table.moves(place)
        if not moves:
            break
        kinds = list(moves)
        kind = kinds[choose([pheromone.of_step((column, place.type, kind)) * moves[kind] for kind in kinds])]
        if kind == OUTPUT:
            ended = True
            break
        values = []
        for name, offered in space.table.values(place, kind).items():
            values.append(offered[choose([pheromone.of_choice((column + 1, kind, name, value)) for value in offered])])
        nodes.append(Node(kind, tuple(values)))
        place = space.table.after(place, nodes[-1])
    return Walk(space.completed(nodes), len(nodes), ended)
