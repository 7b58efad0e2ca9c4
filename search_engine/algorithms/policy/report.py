"""What a search with a controller tells the world: the decisions once, then what the policy believes. Torch-free."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from search_engine.events import FamilyDeclared, PolicyFrame, StructureFrame, encode_floats
from search_engine.spaces.decision_infos import declare
from search_engine.spaces.decisions import Choices
from search_engine.spaces.policy_weights import policy_weights

from ..base import Context

if TYPE_CHECKING:
    from .network import Controller


def declare_space(context: Context, tables: Sequence[Any]) -> None:
    """Step 0: the decisions and, where they belong to the edges of a family, the family. `tables`: a probability vector per decision."""
    context.emit(declare(context.space), 0)
    if policy_weights(context.space, tables) is not None:
        context.emit(FamilyDeclared(groups=context.space.family()), 0)


def say_edges(context: Context, tables: Sequence[Any], step: int) -> None:
    """The policy as weights on the family's edges, where its decisions belong to them."""
    weights = policy_weights(context.space, tables)
    if weights is not None:
        context.emit(StructureFrame(step=step, groups={name: encode_floats(array) for name, array in weights.items()}), step)


class PolicyReport:
    """Says the policy's science events of one phase (of one `domain`, where each has a controller)."""

    def __init__(self, context: Context, controller: Controller, domain: int | None = None) -> None:
        self._context = context
        self._controller = controller
        self._domain = domain

    def declare(self) -> None:
        """Step 0: what the space decides, once."""
        declare_space(self._context, self._controller.probabilities())

    def say(
        self, step: int, sampled: Choices = (), parent: Choices = (), drawn: tuple[int, ...] = (), values: dict[str, float] | None = None
    ) -> dict[str, float]:
        """One frame. `values` are joined by the policy's `entropy` (nats) and `entropy_share` (of the uniform policy's) along its most
        probable choices and, where there is a parent, by `agreement`: the mean probability of the parent's choices. Returns all."""
        tables = self._controller.probabilities()
        entropy = sum(float(-(table[table > 0] * np.log(table[table > 0])).sum()) for table in tables)
        uniform = sum(math.log(len(table)) for table in tables if table.any())
        said = {**(values or {}), "entropy": entropy, "entropy_share": entropy / uniform if uniform else 0.0}
        if parent:
            agreements = [float(table[choice]) for table, choice in zip(tables, parent, strict=True) if choice is not None and table.any()]
            said["agreement"] = sum(agreements) / len(agreements) if agreements else 0.0
        self._context.emit(
            PolicyFrame(
                step=step,
                domain=self._domain,
                probabilities=encode_floats(np.concatenate(tables)),
                sampled=list(sampled),
                parent=list(parent),
                resampled=list(drawn) if parent else [],
                values=said,
            ),
            step,
        )
        say_edges(self._context, tables, step)
        return said
