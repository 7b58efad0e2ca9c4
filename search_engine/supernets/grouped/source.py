"""What one source state adds to the nodes that read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .dense import dense
from .depthwise import depthwise
from .layout import Layout
from .pointwise import Part, Recipe, hidden, mixed_sum, product
from .reading import Source, Term


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
        parts: list[Part] = []
        terms = []
        pointwise = [list(source.separable.values()), list(source.dilated.values())]
        for lists in [*pointwise, [source.halved], *([own] for own in source.dense.values())]:
            if lists and lists[0]:
                parts.append(tuple(tuple(place[term.target] for term in own) for own in lists))
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
        parts: list[Tensor] = []
        active = functional.relu(rows) if self.terms else rows
        if source.separable:
            lists = list(source.separable.values())
            kernels = [(side, 1) for side in source.separable]
            found = depthwise(active, layout, [_joined(own, 0) for own in lists], kernels, stride, channels)
            inner = hidden(product(_square(lists, 1), found))
            found = depthwise(inner, after, [_joined(own, 2) for own in lists], kernels, 1, channels)
            parts.append(product(_square(lists, 3), found))
        if source.dilated:
            lists = list(source.dilated.values())
            found = depthwise(active, layout, [_joined(own, 0) for own in lists], list(source.dilated), stride, channels)
            parts.append(product(_square(lists, 1), found))
        if source.halved:
            parts.append(_halved(active, layout, source.halved, channels))
        for own in source.dense.values():
            parts.append(dense(active, layout, _joined(own, 0), stride).view(len(own), channels, -1))
        pooled = [
            (norm, after.of_images(pooling(layout.images(rows)))) for (_, norm), (pooling, _) in source.pooled.items()
        ]
        states = [value for norm, value in pooled if norm] + [value for norm, value in pooled if not norm]
        return mixed_sum(self.recipe, alone, common, parts, [*states, rows] if source.skipped else states)


def _joined(terms: Sequence[Term], number: int) -> Tensor:
    """The weights of their convolution `number`, one after the other."""
    # One alone too: whether a leaf's gradient is wanted cannot be told (`twice.asked`).
    return torch.cat([term.convolutions[number].weight for term in terms])


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
