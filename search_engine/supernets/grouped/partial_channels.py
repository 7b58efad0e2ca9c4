"""The mixing of partial channels, grouped by source state."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..mixing import CellPlan, Mixing
from ..partial_channels import PartialChannels
from .by_source import BySource, Sums
from .grouping import Present
from .layout import Layout


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

    def __init__(self, plan: CellPlan, share: int) -> None:
        PartialChannels.__init__(self, plan, share)
        self._known = None

    def _taken(self, rows: Tensor) -> Tensor:
        return rows[: self.plan.channels]

    def _add_beside(
        self, sums: Sums, rows: Tensor, layout: Layout, state: int, gamma: Tensor | None, present: Present
    ) -> None:
        for stride in (1, 2):
            edges = [
                (row, edge.target) for row, edge in enumerate(self.plan.edges)
                if (edge.source, edge.stride) == (state, stride) and any(present[row])
            ]
            if not edges or self.share == 1:
                continue
            bypass = rows[self.plan.channels :]
            if stride == 2:
                bypass = layout.strided(2).of_images(self.shrink(layout.images(bypass)))
            if gamma is None:
                parts: Sequence[Tensor] = [bypass] * len(edges)
            else:
                parts = (gamma[[row for row, _ in edges]].sum(dim=1)[:, None, None] * bypass).unbind(0)
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
