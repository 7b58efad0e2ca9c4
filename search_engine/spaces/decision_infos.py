"""A space's decisions as the browser needs them: said once, before the frames that refer to them by order."""

from __future__ import annotations

from typing import Any

from ..events import DecisionInfo, DecisionsDeclared
from .base import SearchSpace


def declare(space: SearchSpace[Any]) -> DecisionsDeclared:
    """The event that introduces `space.decisions`. Raises BadInput(field "space") for a space without decisions."""
    return DecisionsDeclared(
        decisions=[
            DecisionInfo(
                key=decision.key,
                title=decision.title,
                kind=decision.kind,
                choices=list(decision.choices),
                row=decision.row,
                column=decision.column,
                group=decision.group,
                edge=decision.edge,
            )
            for decision in space.decisions
        ]
    )
