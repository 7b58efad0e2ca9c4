"""What payloads are made of: graphs, family groups, cost.

>>> Cost(forward_backward=100, forward=30).samples
110.0
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class PayloadBase(BaseModel):
    """Closed and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GraphNode(PayloadBase):
    id: str
    label: str
    kind: str = Field(description="input, output, hidden, aggregation, operation: what the drawer shows it as")
    aggregation: str | None = None
    attributes: dict[str, Any] = {}


class GraphEdge(PayloadBase):
    source: str
    target: str
    key: str = Field(description="edge key of the multigraph: the primitive's name, or a number")
    operation: str | None = None
    attributes: dict[str, Any] = {}


class GraphData(PayloadBase):
    """An architecture graph in node-link form (networkx's MultiDiGraph outside Python)."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    attributes: dict[str, Any] = {}


class FamilyGroup(PayloadBase):
    """One drawable graph of a model family whose edges carry weights, for example the normal cell.

    Structure frames carry one float array per group with shape (len(edges), len(operations)), in this order.
    """

    name: str
    title: str
    nodes: list[GraphNode]
    edges: list[tuple[str, str]]
    operations: list[str]
    fixed: list[tuple[str, str]] = Field(default=[], description="edges without a choice (for example node to concat)")
    layout: dict[str, tuple[float, float]] = Field(default={}, description="hand-made positions in the unit square; empty = lay out")
    weight: str = Field(default="γ", description="what a weight is called: γ, a probability, ...")
    constraint: str = Field(default="simplex", description="simplex, simplex_vertices, cube or cube_vertices: where an edge's weights live")


class Cost(PayloadBase):
    """What work has used. `samples` (training examples x passes) = forward_backward + forward / 3."""

    forward_backward: int = 0
    forward: int = 0
    flops: float = 0.0
    seconds: float = Field(default=0.0, description="only filled where a budget in seconds needs it; never part of science payloads")

    @property
    def samples(self) -> float:
        return self.forward_backward + self.forward / 3

    def plus(self, other: Cost) -> Cost:
        return Cost(
            forward_backward=self.forward_backward + other.forward_backward,
            forward=self.forward + other.forward,
            flops=self.flops + other.flops,
            seconds=self.seconds + other.seconds,
        )
