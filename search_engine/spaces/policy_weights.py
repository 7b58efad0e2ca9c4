"""Probabilities of decisions as weights on the edges of a family, so that a policy can be drawn where other methods draw theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..base.lazy import lazy_module
from .base import SearchSpace
from .cell import CellSpace
from .cell_decisions import PER_NODE, CellDecisions

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")

Array = Any


def policy_weights(space: SearchSpace[Any], tables: Sequence[Array]) -> dict[str, Array] | None:
    """Per family group an array (edges, operations): how likely each operation of each edge is. `tables` holds a probability vector per
    decision. None for a space whose decisions are not operations of a family's edges.

    Decisions are taken as independent, which for an autoregressive policy is what it believes along the given prefix.
    """
    if isinstance(space, CellSpace):
        return _cell_weights(space, tables)
    if not any(decision.group is not None for decision in space.decisions):
        return None
    weights = {group.name: np.zeros((len(group.edges), len(group.operations))) for group in space.family()}
    for decision, table in zip(space.decisions, tables, strict=True):
        if decision.group is not None:
            weights[decision.group][decision.edge] = table
    return weights


def _cell_weights(space: CellSpace, tables: Sequence[Array]) -> dict[str, Array]:
    """An edge's operation is there with the probability that the node's pair of inputs has the edge, times that of the operation on it."""
    rows = {edge: row for row, edge in enumerate(space.edges)}
    layout = CellDecisions(space.kinds, space.config.nodes, space.choices)
    weights = {name: np.zeros((len(rows), len(space.operations))) for name in space.kinds}
    places = iter(range(0, len(tables), PER_NODE))
    for name in space.kinds:
        for node in range(space.config.nodes):
            place = next(places)
            for pair, probability in zip(layout.pairs(node), tables[place], strict=True):
                for which, source in enumerate(pair):
                    # Column 0 is `none`, which a genotype never has.
                    weights[name][rows[source, str(node)], 1:] += probability * tables[place + 1 + which]
    return weights
