"""The mixing that groups operations by their source state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..mixing import CellPlan, PerEdge
from ..skip_dropout import SkipDropout
from .grouping import Dropped, Grouping, Present, layers_of
from .layout import Layout, join
from .normalise import normalised
from .reading import Unknown, halving, relu_pointwise_norm
from .source import quarters


@dataclass(frozen=True)
class _Known:
    """A grouping, and for what it holds."""

    present: Present
    layers: list[nn.Module]
    dropping: list[bool]
    device: torch.device
    grouping: Grouping | None


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
    in a super-network (normalisation with weights or running statistics, layers with a distribution), mixed precision, and states that are
    no images.

    >>> from search_engine.primitives.modules import SEARCH
    >>> from search_engine.supernets.mixing import CellPlan, EdgePlan
    >>> plan = CellPlan(1, 1, (EdgePlan(0, 1, ("skip_connect", "sep_conv_3x3")),), ("skip_connect", "sep_conv_3x3"), 2, SEARCH)
    >>> mixing, states = BySource(plan), [torch.randn(4, 2, 5, 5)]
    >>> gamma = torch.tensor([[0.3, 0.7]])
    >>> torch.allclose(mixing(states, gamma)[0], PerEdge.forward(mixing, states, gamma)[0], atol=1e-5)
    True
    """

    def __init__(self, plan: CellPlan) -> None:
        super().__init__(plan)
        self._known: _Known | None = None

    def forward(self, states: Sequence[Tensor], gamma: Tensor | None = None) -> list[Tensor]:
        if not _images(states[0]):
            return super().forward(states, gamma)
        layouts = self._layouts(states)
        present = self._present(gamma) if _groupable(states[0], layouts) else None
        grouping = None if present is None else self._grouping(present, states[0].device)
        if present is None or grouping is None:
            return super().forward([state.contiguous() for state in states], gamma)
        return self._by_source(states, layouts, gamma, present, grouping)

    def _present(self, gamma: Tensor | None) -> Present | None:
        """Which operations to compute; None where grouping gains nothing, and where the arguments are wrong."""
        plan = self.plan
        if gamma is not None and gamma.shape != (len(plan.edges), len(plan.operations)):
            return None
        if gamma is None or self.evaluate == "all":
            present = tuple(tuple(name in edge.operations for name in plan.operations) for edge in plan.edges)
        else:
            present = tuple(map(tuple, (gamma != 0).tolist()))
        return present if max(map(sum, present)) > 1 else None

    def _grouping(self, present: Present, device: torch.device) -> Grouping | None:
        """None where an operation cannot be grouped. Kept until something else is computed, or with other layers: those may be exchanged
        (a layer with a distribution, a dropout in the place of a skip connection)."""
        layers = layers_of(self.operations)
        dropping = [layer.rate > 0 for layer in layers if isinstance(layer, SkipDropout)]
        known = self._known
        if known is None or (known.present, known.layers, known.dropping, known.device) != (present, layers, dropping, device):
            try:
                grouping = Grouping.of(self.plan, self.operations, present, device)
            except Unknown:
                grouping = None
            self._known = known = _Known(present, layers, dropping, device, grouping)
        return known.grouping

    def _by_source(
        self, states: Sequence[Tensor], layouts: Sequence[Layout], gamma: Tensor | None, present: Present, grouping: Grouping
    ) -> list[Tensor]:
        plan = self.plan
        weights = states[0].new_ones(len(plan.edges), len(plan.operations)) if gamma is None else gamma
        of_sources = grouping.weights(weights)
        dropped = [(item, layouts[item.state].rows(self._kept(item, layouts[item.state], states[0].device))) for item in grouping.dropped]
        values: dict[int, Tensor] = {number: layouts[number].rows(state) for number, state in enumerate(states)}
        sums = Sums()
        for number in range(plan.inputs + plan.nodes):
            layout = layouts[number]
            if number >= plan.inputs:
                values[number] = self._node(number, sums, layout, states[0])
                if gamma is not None and self.evaluate == "chosen_bare":
                    rows = [row for row, edge in enumerate(plan.edges) if edge.target == number]
                    values[number] = values[number] + gamma[rows].masked_fill(gamma[rows] != 0, 0.0).sum()
            taken = self._taken(values[number])
            for source, own in zip(grouping.sources, of_sources, strict=True):
                if source.state == number:
                    for target, part in zip(source.targets, source.contributions(taken, layout, *own).unbind(0), strict=True):
                        sums.add(sums.mixed, target, part)
            for item, kept in dropped:
                if item.state == number:
                    weight = weights[item.term.row, item.term.column] / (1 - item.dropout.rate)
                    sums.add(sums.mixed, item.term.target, weight * (taken * kept))
            self._add_beside(sums, values[number], layout, number, gamma, present)
        return [layouts[number].state(values[number]) for number in range(plan.inputs, plan.inputs + plan.nodes)]

    def _kept(self, item: Dropped, layout: Layout, device: torch.device) -> Tensor:
        """Which values of a dropped skip connection stay, as a state: drawn as `PerEdge` draws it."""
        return item.dropout.kept((layout.batch, self.plan.channels, layout.height, layout.width), device)

    def _taken(self, rows: Tensor) -> Tensor:
        """Those of a state's rows that pass through the operations."""
        return rows

    def _layouts(self, states: Sequence[Tensor]) -> list[Layout]:
        """Those of all states."""
        plan = self.plan
        layouts = [Layout.of(state) for state in states]
        for node in range(plan.inputs, plan.inputs + plan.nodes):
            incoming = next((edge for edge in plan.edges if edge.target == node), None)
            if incoming is None:
                raise ValueError(f"state {node} has no incoming edge")
            layouts.append(layouts[incoming.source].strided(incoming.stride))
        return layouts

    def _add_beside(
        self, sums: Sums, rows: Tensor, layout: Layout, state: int, gamma: Tensor | None, present: Present
    ) -> None:
        """Add what a state gives beside its mixed operations."""

    def _node(self, number: int, sums: Sums, layout: Layout, like: Tensor) -> Tensor:
        """The rows of a node: zeros where nothing was added."""
        found = sums.mixed.get(number)
        return like.new_zeros(self.plan.channels, layout.pixels) if found is None else found

    def layer(self, layer: nn.Module, x: Tensor) -> Tensor:
        if not _images(x):
            return super().layer(layer, x)
        pointwise, halves = (relu_pointwise_norm(layer), halving(layer)) if _groupable(x, [Layout.of(x)]) else (None, None)
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
        return super().join(nodes) if nodes[0].is_contiguous() or not _images(nodes[0]) else join(nodes)


def _images(state: Tensor) -> bool:
    """Whether it is (B, C, H, W): the layouts in which operations are grouped are those of images."""
    return state.dim() == 4


def _groupable(state: Tensor, layouts: Sequence[Layout]) -> bool:
    """Not in mixed precision, whose casts are made for single layers; nor for a single pixel, which has no variance (`PerEdge` says so)."""
    return not torch.is_autocast_enabled(state.device.type) and min(layout.pixels for layout in layouts) > 1
