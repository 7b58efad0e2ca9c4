"""The colony as a picture: the expanded graph with its pheromone, the ants of the generation, the best path."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import mean

from search_engine.events import Ant, ColonyEdge, ColonyFrame
from search_engine.spaces.node_table import NodeTable

from .pheromone import Pheromone, Walk, by_source


def colony_frame(
    step: int,
    depth: int,
    pheromone: Pheromone,
    table: NodeTable,
    ants: list[Ant],
    best: Walk | None,
    values: dict[str, float],
) -> ColonyFrame:
    """An edge of depth d goes from column d (0 is the input) to column d + 1; attributes are those of a node in its own column."""
    edges = []
    for (column, source), following in by_source(pheromone):
        weights = [trail * table.heuristics[source][target] for target, trail in following]
        for (target, trail), weight in zip(following, weights, strict=True):
            edges.append(
                ColonyEdge(
                    depth=column, source=source, target=target, pheromone=trail, heuristic=table.heuristics[source][target],
                    probability=weight / sum(weights),
                )
            )
    trails = [edge.pheromone for edge in edges]
    return ColonyFrame(
        step=step, depth=depth, edges=edges, attributes=_attributes(pheromone), ants=ants, best=best.types if best else [],
        values={"depth": depth, "pheromone_max": max(trails), "pheromone_mean": mean(trails), **values},
    )


def _attributes(pheromone: Pheromone) -> dict[str, dict[str, float]]:
    """'column/node/attribute' -> share of the pheromone on each of its values."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (column, kind, name, value), trail in sorted(pheromone.choices.items(), key=lambda item: item[0][:3]):
        found[f"{column}/{kind}/{name}"][str(value)] = trail
    return {key: {value: trail / sum(row.values()) for value, trail in row.items()} for key, row in found.items()}


def path_entropy(walks: Sequence[Walk]) -> float:
    """How different the ants' paths are: the entropy, in bits, of the share of ants on each sequence of node types."""
    counts = Counter(tuple(walk.types) for walk in walks)
    return sum(-count / len(walks) * math.log2(count / len(walks)) for count in counts.values())
