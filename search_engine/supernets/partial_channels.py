"""Partial channels (PC-DARTS: Xu et al. 2020, section 3.1): 1/K of an edge's channels pass through its mixed operations.

    edge(x) = shuffle_K( [ sum over operations l of gamma_l g_l(x_1)  |  (sum over l of gamma_l) bypass(x_2) ] )

x_1 are the first C/K channels, x_2 the others, which bypass the operations: unchanged at stride 1, 2x2 max-pooled at stride 2. The
shuffle spreads the mixed channels over the whole width, so that the next edge mixes others. An edge's weights sum to the weight of the
edge itself (one, or its share in an edge normalisation), which the bypass carries too, `none` included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..primitives.modules import every
from .mixing import CellPlan, EdgePlan, Mixing, PerEdge


def partial_channels(share: int) -> Mixing:
    """The mixing in which every `share`-th channel is mixed. Its modules raise ValueError where `share` does not divide the channels."""

    def build(plan: CellPlan) -> nn.Module:
        return PartialChannels(plan, share)

    return build


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """(B, C, ...) -> the same shape: channel g * (C / groups) + i moves to i * groups + g."""
    batch, channels, *sides = x.shape
    return x.view(batch, groups, channels // groups, *sides).transpose(1, 2).reshape(batch, channels, *sides)


class PartialChannels(PerEdge):
    """See the module's docstring; inputs and outputs are those of `PerEdge`, the operations have C / `share` channels."""

    def __init__(self, plan: CellPlan, share: int) -> None:
        if share < 1 or plan.channels % share:
            raise ValueError(f"1/{share} of {plan.channels} channels is not a whole number of them")
        super().__init__(replace(plan, channels=plan.channels // share))
        self.share = share
        # On odd sizes the operations round up.
        self.shrink = (nn.MaxPool1d if plan.style.dims == 1 else nn.MaxPool2d)(2, stride=2, ceil_mode=True)

    def _terms(self, edge: EdgePlan, x: Tensor, weights: Tensor | None, present: list[bool] | None) -> Iterator[Tensor]:
        if present is not None and not any(present):
            return
        mixed: Tensor | None = None
        taken = x[:, : self.plan.channels]
        for term in super()._terms(edge, taken, weights, present):
            mixed = term if mixed is None else mixed + term
        if mixed is None:
            mixed = torch.zeros_like(taken if edge.stride == 1 else every(taken, edge.stride))
        bypass = self._bypass(edge, x)
        yield self._joined(mixed, bypass if weights is None else weights.sum() * bypass)

    def _alone(self, edge: EdgePlan, name: str, x: Tensor) -> Tensor:
        return self._joined(super()._alone(edge, name, x[:, : self.plan.channels]), self._bypass(edge, x))

    def _bypass(self, edge: EdgePlan, x: Tensor) -> Tensor:
        rest = x[:, self.plan.channels :]
        return rest if edge.stride == 1 else self.shrink(rest)

    def _joined(self, mixed: Tensor, bypass: Tensor) -> Tensor:
        return channel_shuffle(torch.cat([mixed, bypass], dim=1), self.share)
