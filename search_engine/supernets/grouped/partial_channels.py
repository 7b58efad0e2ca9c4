"""The mixing of partial channels, grouped by source state."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..mixing import CellPlan, Mixing
from ..partial_channels import PartialChannels
from .by_source import BySource, Present, Sums
from .layout import Layout
from .reading import Source


def partial_channels(share: int) -> Mixing:
    """The mixing in which every `share`-th channel is mixed, as super-networks take it. Its modules raise ValueError where `share` does not
    divide the channels."""

    def build(plan: CellPlan) -> nn.Module:
        return PartialBySource(plan, share)

    return build


class PartialBySource(BySource, PartialChannels):
    """`PartialChannels`, computed source by source.

    The shuffle at the end of every edge is the same for all, so it is done once for each node; what bypasses the operations is weighed for
    all edges of a source at once.
    """

    def _add(
        self, sums: Sums, rows: Tensor, layout: Layout, stride: int, source: Source, weights: Tensor, dropped: dict[int, Tensor]
    ) -> None:
        super()._add(sums, rows[: self.plan.channels], layout, stride, source, weights, dropped)

    def _add_beside(
        self, sums: Sums, rows: Tensor, layout: Layout, state: int, stride: int, gamma: Tensor | None, present: Present
    ) -> None:
        edges = [
            (row, edge.target) for row, edge in enumerate(self.plan.edges)
            if edge.source == state and edge.stride == stride and any(present[row])
        ]
        if not edges or self.share == 1:
            return
        bypass = rows[self.plan.channels :]
        if stride > 1:
            bypass = layout.strided(stride).of_images(self.shrink(layout.images(bypass)))
        if gamma is None:
            parts = [bypass] * len(edges)
        else:
            of_edges = gamma[[row for row, _ in edges]].sum(dim=1)
            parts = list((of_edges[:, None, None] * bypass).unbind(0))
        for (_, target), part in zip(edges, parts, strict=True):
            sums.add(sums.beside, target, part)

    def _node(self, number: int, sums: Sums, layout: Layout, like: Tensor) -> Tensor:
        mixed = super()._node(number, sums, layout, like)
        bypass = sums.beside.get(number)
        if bypass is None:
            bypass = mixed.new_zeros((self.share - 1) * self.plan.channels, layout.pixels)
        # The channel shuffle of `PartialChannels`, of rows.
        joined = torch.cat([mixed, bypass])
        return joined.view(self.share, self.plan.channels, -1).transpose(0, 1).reshape(joined.shape)
