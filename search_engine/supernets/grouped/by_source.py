"""The mixing that groups operations by their source state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..mixing import PerEdge
from . import choices
from .layout import Layout, join
from .normalise import normalised
from .reading import Source, Unknown, halving, relu_pointwise_norm
from .source import contributions, quarters

Present = list[list[bool]]
"""[edge][operation]: which operations are computed."""


@dataclass
class Sums:
    """What has been added so far to each node: rows (C, pixels) of its mixed operations, and of what stands beside them."""

    mixed: dict[int, Tensor] = field(default_factory=dict)
    beside: dict[int, Tensor] = field(default_factory=dict)

    @staticmethod
    def add(sums: dict[int, Tensor], target: int, rows: Tensor) -> None:
        sums[target] = sums[target] + rows if target in sums else rows


class BySource(PerEdge):
    """`PerEdge`, computed source by source (see the package). Constructor, parameters, results and gradients are its own, to rounding.

    What cannot gain is left to `PerEdge`: single paths, one operation per edge, and operations that are not as `build_primitive` makes them
    in a super-network (normalisation with weights or running statistics, layers with a distribution).

    >>> from search_engine.primitives.modules import SEARCH
    >>> from search_engine.supernets.mixing import CellPlan, EdgePlan
    >>> plan = CellPlan(1, 1, (EdgePlan(0, 1, ("skip_connect", "sep_conv_3x3")),), ("skip_connect", "sep_conv_3x3"), 2, SEARCH)
    >>> mixing, states = BySource(plan), [torch.randn(4, 2, 5, 5)]
    >>> gamma = torch.tensor([[0.3, 0.7]])
    >>> torch.allclose(mixing(states, gamma)[0], PerEdge.forward(mixing, states, gamma)[0], atol=1e-5)
    True
    """

    def forward(self, states: Sequence[Tensor], gamma: Tensor | None = None) -> list[Tensor]:
        present = self._present(gamma)
        sources = None if present is None else self._sources(present)
        if present is None or sources is None:
            return super().forward([state.contiguous() for state in states], gamma)
        return self._by_source(states, gamma, present, sources)

    def _present(self, gamma: Tensor | None) -> Present | None:
        """Which operations to compute; None where grouping gains nothing, and where the arguments are wrong."""
        plan = self.plan
        if gamma is None or self.evaluate == "all":
            present = [[name in edge.operations for name in plan.operations] for edge in plan.edges]
        elif gamma.shape != (len(plan.edges), len(plan.operations)):
            return None
        else:
            present = (gamma != 0).tolist()
        return present if max(sum(row) for row in present) > 1 else None

    def _sources(self, present: Present) -> dict[tuple[int, int], Source] | None:
        """By state and stride; None where an operation cannot be grouped."""
        sources: dict[tuple[int, int], Source] = {}
        operations: Any = self.operations
        for row, edge in enumerate(self.plan.edges):
            source = sources.setdefault((edge.source, edge.stride), Source())
            for name, operation in operations[self.key(edge)].items():
                if present[row][self.columns[name]] and name != "none":
                    try:
                        source.add(operation, row, self.columns[name], edge.target)
                    except Unknown:
                        return None
        return sources

    def _by_source(
        self, states: Sequence[Tensor], gamma: Tensor | None, present: Present, sources: dict[tuple[int, int], Source]
    ) -> list[Tensor]:
        plan = self.plan
        layouts = self._layouts(states)
        weights = states[0].new_ones(len(plan.edges), len(plan.operations)) if gamma is None else gamma
        dropped = self._draw(sources, layouts, states[0].device)
        values: dict[int, Tensor] = {number: layouts[number].rows(state) for number, state in enumerate(states)}
        sums = Sums()
        for number in range(plan.inputs + plan.nodes):
            if number >= plan.inputs:
                values[number] = self._node(number, sums, layouts[number], states[0])
                if gamma is not None and self.evaluate == "chosen_bare":
                    rows = [row for row, edge in enumerate(plan.edges) if edge.target == number]
                    values[number] = values[number] + gamma[rows].masked_fill(gamma[rows] != 0, 0.0).sum()
            for (state, stride), source in sources.items():
                if state == number:
                    self._add(sums, values[number], layouts[number], stride, source, weights, dropped)
                    self._add_beside(sums, values[number], layouts[number], number, stride, gamma, present)
        return [layouts[number].state(values[number]) for number in range(plan.inputs, plan.inputs + plan.nodes)]

    def _layouts(self, states: Sequence[Tensor]) -> list[Layout]:
        """Those of all states, in the order of the nodes' size."""
        plan = self.plan
        first = plan.edges[0]
        height, width = (-(-side // first.stride) for side in states[first.source].shape[2:])
        last = choices.batch_last(height, width, states[0].shape[0])
        layouts = [Layout.of(state, last) for state in states]
        for node in range(plan.inputs, plan.inputs + plan.nodes):
            incoming = next((edge for edge in plan.edges if edge.target == node), None)
            if incoming is None:
                raise ValueError(f"state {node} has no incoming edge")
            layouts.append(layouts[incoming.source].strided(incoming.stride))
        return layouts

    def _draw(self, sources: dict[tuple[int, int], Source], layouts: list[Layout], device: torch.device) -> dict[int, Tensor]:
        """Which values of each dropped skip connection stay, by its edge, rows (C, pixels): drawn in the order in which `PerEdge` comes by."""
        found = [(term, state, dropout) for (state, _), source in sources.items() for dropout, term in source.dropped]
        drawn = {}
        for term, state, dropout in sorted(found, key=lambda item: (item[0].target, item[0].row)):
            layout = layouts[state]
            shape = (layout.batch, self.plan.channels, layout.height, layout.width)
            drawn[term.row] = layout.rows(dropout.kept(shape, device))
        return drawn

    def _add(
        self, sums: Sums, rows: Tensor, layout: Layout, stride: int, source: Source, weights: Tensor, dropped: dict[int, Tensor]
    ) -> None:
        """What the mixed operations of one source add to their targets."""
        targets = source.targets
        if targets:
            for target, part in zip(targets, contributions(rows, layout, stride, source, targets, weights).unbind(0), strict=True):
                sums.add(sums.mixed, target, part)
        for dropout, term in source.dropped:
            sums.add(sums.mixed, term.target, weights[term.row, term.column] / (1 - dropout.rate) * (rows * dropped[term.row]))

    def _add_beside(
        self, sums: Sums, rows: Tensor, layout: Layout, state: int, stride: int, gamma: Tensor | None, present: Present
    ) -> None:
        """What a source adds beside its mixed operations."""

    def _node(self, number: int, sums: Sums, layout: Layout, like: Tensor) -> Tensor:
        """The rows of a node: zeros where nothing was added."""
        found = sums.mixed.get(number)
        return like.new_zeros(self.plan.channels, layout.pixels) if found is None else found

    def layer(self, layer: nn.Module, x: Tensor) -> Tensor:
        pointwise, halves = relu_pointwise_norm(layer), halving(layer)
        if pointwise is None and halves is None:
            return super().layer(layer, x)
        layout = Layout.of(x)
        rows = functional.relu(layout.rows(x))
        if pointwise is not None:
            return layout.state(normalised(torch.mm(pointwise.flatten(1), rows)))
        assert halves is not None
        own = torch.cat([torch.mm(weight.flatten(1), part) for weight, part in zip(halves, quarters(rows, layout), strict=True)])
        return layout.strided(2).state(normalised(own))

    def join(self, nodes: Sequence[Tensor]) -> Tensor:
        return super().join(nodes) if nodes[0].is_contiguous() else join(nodes)
