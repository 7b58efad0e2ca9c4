"""How a cell's nodes are computed from its inputs: the seam between a family and the arithmetic of its mixed edges.

`PerEdge` is the plain form, edge by edge and operation by operation, as the formula is written:

    f_v(x) = sum over edges (j, v) of <gamma^{j,v}, g^{j,v}(f_j(x))>

`path` computes one choice of operations alone: what a method needs that shares weights but evaluates one genome at a time. `evaluate`
says whether operations of weight zero are computed at all (a draw of one operation per edge, operations that a search has dropped):
`evaluate_in` sets it in a whole network.

Another implementation with the same constructor, `forward`, `path`, `layer` and `join` can take its place in the networks, which name the
class only through their `mixing` argument: super-networks take `grouped.by_source`, derived networks `PerEdge`. Its parameters must keep
`PerEdge`'s names, `operations.<source>-<target>.<primitive>....`, since weights are copied between networks by name. `layer` and `join` are
there so that the states between two cells can lie in memory as the mixing wants them; who computes them plainly inherits them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..primitives.modules import Style, Zero, build_primitive


@dataclass(frozen=True)
class EdgePlan:
    """One edge of a cell. States are numbered from 0, inputs first; `operations` are the primitives that exist on this edge."""

    source: int
    target: int
    operations: tuple[str, ...]
    stride: int = 1


@dataclass(frozen=True)
class CellPlan:
    """What a mixing implementation needs to know of a cell."""

    inputs: int
    """Number of states that are given."""
    nodes: int
    """Number of states that are computed, each the sum of its incoming edges."""
    edges: tuple[EdgePlan, ...]
    """Sorted by target. Row e of gamma belongs to edges[e]."""
    operations: tuple[str, ...]
    """Column k of gamma belongs to operations[k]."""
    channels: int
    style: Style


Mixing = Callable[[CellPlan], nn.Module]
"""A mixing implementation's constructor; the module has `forward(states, gamma)`, `path(states, chosen)`, `layer` and `join` as `PerEdge`
does."""

Evaluate = Literal["all", "chosen", "chosen_bare"]
"""Which operations a mixing computes: all of them, or those with a weight other than zero. `chosen_bare` also adds the zero weights of
the others, bare, to the node: the value is the same, but their gradient is the sum of the node's (Dong and Yang 2019, as published)."""

Chosen = tuple[int, int, str]
"""(source, target, primitive): one operation of one edge, states numbered as in the plan."""


class PerEdge(nn.Module):
    """Every operation of every edge computed for itself.

    `forward(states, gamma)`: `states` are the cell's inputs, each (B, C, H, W) or, as `plan.style` says, (B, C, T); `gamma` is
    (edges, operations), or None for a derived network, where every operation that exists has weight one. Returns the states of the nodes,
    each (B, C, H', W') or (B, C, T').
    """

    source_name = "CellEdges"
    """The name of its class in a downloaded model.py."""

    evaluate: Evaluate = "all"
    """See `Evaluate`. The values are the same; what is not computed gets no gradient, and gives the structure none."""

    def __init__(self, plan: CellPlan) -> None:
        super().__init__()
        self.plan = plan
        self.columns = {name: column for column, name in enumerate(plan.operations)}
        self.operations = nn.ModuleDict()
        for edge in plan.edges:
            # Zeros add nothing and have no gradient, so `none` is only kept where it is all there is (to give the shape).
            kept = [name for name in edge.operations if name != "none"] or ["none"]
            self.operations[self.key(edge)] = nn.ModuleDict(
                {name: build_primitive(name, plan.channels, edge.stride, plan.style) for name in kept}
            )

    @staticmethod
    def key(edge: EdgePlan) -> str:
        return f"{edge.source}-{edge.target}"

    def forward(self, states: Sequence[Tensor], gamma: Tensor | None = None) -> list[Tensor]:
        if gamma is not None and gamma.shape != (len(self.plan.edges), len(self.plan.operations)):
            raise ValueError(f"gamma must have shape {(len(self.plan.edges), len(self.plan.operations))}, not {tuple(gamma.shape)}")
        # Which weights are not zero, asked once: on a GPU every question waits for it.
        present = None if gamma is None or self.evaluate == "all" else (gamma != 0).tolist()
        values = list(states)
        for node in range(self.plan.inputs, self.plan.inputs + self.plan.nodes):
            incoming = [(row, edge) for row, edge in enumerate(self.plan.edges) if edge.target == node]
            if not incoming:
                raise ValueError(f"state {node} has no incoming edge")
            total: Tensor | None = None
            for row, edge in incoming:
                weights = None if gamma is None else gamma[row]
                for term in self._terms(edge, values[edge.source], weights, None if present is None else present[row]):
                    total = term if total is None else total + term
            if total is None:
                total = Zero(incoming[0][1].stride)(values[incoming[0][1].source])
            if gamma is not None and self.evaluate == "chosen_bare":
                for row, _ in incoming:
                    total = total + gamma[row].masked_fill(gamma[row] != 0, 0.0).sum()
            values.append(total)
        return values[self.plan.inputs :]

    def _terms(self, edge: EdgePlan, x: Tensor, weights: Tensor | None, present: list[bool] | None) -> Iterator[Tensor]:
        """What the edge adds to its target, in parts. `weights` (operations,), `present` which of them to compute (None = all)."""
        operations: Any = self.operations[self.key(edge)]
        for name, operation in operations.items():
            column = self.columns[name]
            if present is None or present[column]:
                yield operation(x) if weights is None else weights[column] * operation(x)

    def path(self, states: Sequence[Tensor], chosen: Iterable[Chosen]) -> list[Tensor]:
        """The nodes' states where only the chosen operations exist, each with weight one; nothing else is computed, so that the
        gradients of all other parameters stay None. A node whose chosen operations are all `none` is zero.

        Raises KeyError for an operation that the cell does not have, ValueError for a node without a chosen one.
        """
        values = list(states)
        by_target: dict[int, list[tuple[int, str]]] = {}
        for source, target, name in chosen:
            by_target.setdefault(target, []).append((source, name))
        edges = {(edge.source, edge.target): edge for edge in self.plan.edges}
        for node in range(self.plan.inputs, self.plan.inputs + self.plan.nodes):
            total: Tensor | None = None
            for source, name in by_target.get(node, ()):
                if name != "none":
                    term = self._alone(edges[source, node], name, values[source])
                    total = term if total is None else total + term
            if total is None:
                if node not in by_target:
                    raise ValueError(f"state {node} has no chosen operation")
                source = by_target[node][0][0]
                total = Zero(edges[source, node].stride)(values[source])
            values.append(total)
        return values[self.plan.inputs :]

    def layer(self, layer: nn.Module, x: Tensor) -> Tensor:
        """A layer of the cell around its mixed edges: `layer(x)`, lying in memory as the mixing wants its states."""
        result: Tensor = layer(x)
        return result

    def join(self, nodes: Sequence[Tensor]) -> Tensor:
        """The nodes' states side by side: (B, sum of channels, ...)."""
        return torch.cat(list(nodes), dim=1)

    def _alone(self, edge: EdgePlan, name: str, x: Tensor) -> Tensor:
        """One operation of an edge with weight one."""
        operations: Any = self.operations[self.key(edge)]
        result: Tensor = operations[name](x)
        return result


def evaluate_in(network: nn.Module, evaluate: Evaluate) -> int:
    """Set what the mixed edges of a super-network compute; returns how many mixings there were (0: it has none of its own, and computes
    everything)."""
    mixings: list[Any] = [module for module in network.modules() if hasattr(module, "evaluate")]
    for mixing in mixings:
        mixing.evaluate = evaluate
    return len(mixings)
