"""What one source state adds to the nodes that read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .depthwise import depthwise
from .layout import Layout
from .pointwise import Part, Recipe, hidden, mixed_sum
from .reading import Source, Term
from .twice import again


@dataclass(frozen=True)
class SourcePlan:
    """The operations that read one state at one stride, ordered: `terms` as the groups of `recipe`, `states` as its states (what is the
    same for every edge: poolings, the state itself)."""

    state: int
    stride: int
    source: Source
    targets: tuple[int, ...]
    recipe: Recipe
    terms: tuple[Term, ...]
    states: tuple[tuple[Term, ...], ...]

    @staticmethod
    def of(state: int, stride: int, source: Source) -> SourcePlan:
        targets = source.targets
        place = {target: number for number, target in enumerate(targets)}
        parts, terms = [], []
        pointwise = [list(source.separable.values()), list(source.dilated.values())]
        ready = [[source.halved], *([own] for own in source.dense.values())]
        for lists, given in [*((own, False) for own in pointwise), *((own, True) for own in ready)]:
            if lists and lists[0]:
                parts.append(Part(tuple(tuple(place[term.target] for term in own) for own in lists), given))
                terms += [term for own in lists for term in own]
        norms = [own for (_, norm), (_, own) in source.pooled.items() if norm]
        bare = [own for (_, norm), (_, own) in source.pooled.items() if not norm]
        if source.skipped:
            bare.append(source.skipped)
        recipe = Recipe(len(targets), tuple(parts), len(norms))
        return SourcePlan(state, stride, source, tuple(targets), recipe, tuple(terms), tuple(tuple(own) for own in norms + bare))

    def contributions(self, rows: Tensor, layout: Layout, alone: Tensor, common: Tensor) -> Tensor:
        """What the state `rows` (C, pixels) adds to each of the targets: (targets, C, pixels of the result in the order of `layout`).

        `alone` (terms,) weighs the terms, `common` (targets, states) the states in each target.
        """
        source, stride, channels, after = self.source, self.stride, len(rows), layout.strided(self.stride)
        parts: list[tuple[Tensor | None, Sequence[Tensor]]] = []
        active = functional.relu(rows) if self.terms else rows
        if source.separable:
            lists = list(source.separable.values())
            kernels = [(side, 1) for side in source.separable]
            found = depthwise(active, layout, [_joined(own, 0) for own in lists], kernels, stride, channels)
            inner = hidden(_square(lists, 1), found)
            parts.append((_square(lists, 3), depthwise(inner, after, [_joined(own, 2) for own in lists], kernels, 1, channels)))
        if source.dilated:
            lists = list(source.dilated.values())
            found = depthwise(active, layout, [_joined(own, 0) for own in lists], list(source.dilated), stride, channels)
            parts.append((_square(lists, 1), found))
        if source.halved:
            parts.append((None, [_halved(active, layout, source.halved, channels)]))
        for side, own in source.dense.items():
            parts.append((None, [_dense(active, layout, stride, side, own, channels)]))
        pooled = [
            (norm, after.of_images(pooling(layout.images(rows)))) for (_, norm), (pooling, _) in source.pooled.items()
        ]
        states = [value for norm, value in pooled if norm] + [value for norm, value in pooled if not norm]
        return mixed_sum(self.recipe, alone, common, parts, [*states, rows] if source.skipped else states)


def _joined(terms: Sequence[Term], number: int) -> Tensor:
    """The weights of their convolution `number`, one after the other."""
    weights = [term.convolutions[number].weight for term in terms]
    return weights[0] if len(weights) == 1 else torch.cat(weights)


def _square(lists: Sequence[list[Term]], number: int) -> Tensor:
    """Pointwise weights (groups, C, C)."""
    weights = [term.convolutions[number].weight for own in lists for term in own]
    return torch.cat(weights).view(len(weights), weights[0].shape[0], weights[0].shape[1])


def _halved(active: Tensor, layout: Layout, terms: Sequence[Term], channels: int) -> Tensor:
    """The factorised reductions of all edges before their normalisation, (edges, C, pixels)."""
    halves = [
        torch.mm(_joined(terms, number).flatten(1), own).view(len(terms), channels // 2, -1)
        for number, own in enumerate(quarters(active, layout))
    ]
    return torch.cat(halves, dim=1)


def quarters(rows: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
    """Every second pixel both ways, and the same of the maps shifted by one pixel both ways: (C, pixels of the smaller maps) each. On odd
    sides the shifted maps are completed by zeros."""
    maps, after = layout.maps(rows), layout.strided(2)
    down, right = layout.height % 2, layout.width % 2
    padded = functional.pad(maps, (0, 0, 0, right, 0, down)) if down or right else maps
    return maps[:, ::2, ::2].reshape(-1, after.pixels), padded[:, 1::2, 1::2].reshape(-1, after.pixels)


def _dense(active: Tensor, layout: Layout, stride: int, side: int, terms: Sequence[Term], channels: int) -> Tensor:
    """Convolutions of all edges before their normalisation, (edges, C, pixels)."""
    weight = _joined(terms, 0)
    if side == 1 and stride == 1:
        return torch.mm(weight.flatten(1), active).view(len(terms), channels, -1)
    # One product with the maps as every tap of the kernel sees them, under one another.
    by_tap = weight.permute(0, 2, 3, 1).reshape(len(weight), -1)
    return torch.mm(by_tap, _shifted(active, layout, side, stride)).view(len(terms), channels, -1)


def _shifted(rows: Tensor, layout: Layout, side: int, stride: int) -> Tensor:
    """(side x side x C, pixels of the result): for every tap of a kernel the maps as it sees them, zeros outside."""
    result: Tensor = _Shifted.apply(layout, side, stride, rows)  # type: ignore[no-untyped-call]
    return result


def _views(padded: Tensor, after: Layout, side: int, stride: int) -> list[Tensor]:
    """What each tap sees of the padded maps."""
    reach = stride * (after.height - 1) + 1, stride * (after.width - 1) + 1
    return [
        padded[:, down : down + reach[0] : stride, right : right + reach[1] : stride] for down in range(side) for right in range(side)
    ]


def _plainly_shifted(layout: Layout, side: int, stride: int, rows: Tensor) -> Tensor:
    after = layout.strided(stride)
    padded = functional.pad(layout.maps(rows), (0, 0, *[side // 2] * 4))
    return torch.stack(_views(padded, after, side, stride)).view(-1, after.pixels)


class _Shifted(torch.autograd.Function):
    """`_plainly_shifted`; torch would make a whole map of zeros for the gradient of every tap."""

    @staticmethod
    def forward(ctx: Any, layout: Layout, side: int, stride: int, rows: Tensor) -> Tensor:
        ctx.settings = layout, side, stride
        ctx.save_for_backward(rows)
        return _plainly_shifted(layout, side, stride, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        layout, side, stride = ctx.settings
        (rows,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, None, None, *again(ctx, gradient, partial(_plainly_shifted, *ctx.settings), [rows], 3)
        width, after = side // 2, layout.strided(stride)
        padded = gradient.new_zeros(len(rows), layout.height + 2 * width, layout.width + 2 * width, layout.batch)
        parts = gradient.view(side * side, len(rows), after.height, after.width, after.batch)
        for view, part in zip(_views(padded, after, side, stride), parts, strict=True):
            view.add_(part)
        inner = padded[:, width : width + layout.height, width : width + layout.width]
        return None, None, None, inner.reshape(rows.shape)
