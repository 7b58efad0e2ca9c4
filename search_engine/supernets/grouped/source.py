"""What one source state adds to the nodes that read it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .depthwise import depthwise
from .layout import Layout
from .pointwise import Part, Recipe, Run, hidden, mixed_sum
from .reading import Source, Term


def contributions(rows: Tensor, layout: Layout, stride: int, source: Source, targets: Sequence[int], gamma: Tensor) -> Tensor:
    """What the state `rows` (C, pixels) adds to each of `targets`: (targets, C, pixels of the result in the order of `layout`).

    `gamma` (edges, operations) weighs each operation. `source` holds at least one operation.
    """
    channels, after = len(rows), layout.strided(stride)
    place = {target: number for number, target in enumerate(targets)}
    tensors: list[Tensor] = []
    parts: list[Part] = []
    order: list[Term] = []

    def part(lists: Sequence[list[Term]], weight: Tensor | None, blocks: Sequence[Tensor]) -> None:
        runs: tuple[Run, ...] = tuple(tuple(place[term.target] for term in own) for own in lists)
        parts.append(Part(runs, 0 if weight is None else len(blocks)))
        tensors.extend(blocks if weight is None else [weight, *blocks])
        order.extend(term for own in lists for term in own)

    active = functional.relu(rows) if source.separable or source.dilated or source.dense or source.halved else rows
    if source.separable:
        lists = list(source.separable.values())
        kernels = [(side, 1) for side in source.separable]
        found = depthwise(active, layout, [_joined(own, 0) for own in lists], kernels, stride, channels)
        inner = hidden(_square(lists, 1), found)
        part(lists, _square(lists, 3), depthwise(inner, after, [_joined(own, 2) for own in lists], kernels, 1, channels))
    if source.dilated:
        lists = list(source.dilated.values())
        found = depthwise(active, layout, [_joined(own, 0) for own in lists], list(source.dilated), stride, channels)
        part(lists, _square(lists, 1), found)
    if source.halved:
        part([source.halved], None, [_halved(active, layout, source.halved, channels)])
    for side, own in source.dense.items():
        part([own], None, [_dense(active, layout, stride, side, own, channels)])

    norms: list[tuple[Tensor, list[Term]]] = []
    bare: list[tuple[Tensor, list[Term]]] = []
    for (_, norm), (pooling, own) in source.pooled.items():
        (norms if norm else bare).append((after.of_images(pooling(layout.images(rows))), own))
    if source.skipped:
        bare.append((rows, source.skipped))
    states = norms + bare
    tensors.extend(value for value, _ in states)
    recipe = Recipe(len(targets), tuple(parts), len(norms), len(bare))
    total = mixed_sum(recipe, _alone(gamma, order), _common(gamma, [own for _, own in states], place), tensors)
    return total


def _alone(gamma: Tensor, terms: Sequence[Term]) -> Tensor:
    """The weights of these operations, (terms,)."""
    columns = gamma.shape[1]
    index = torch.tensor([term.row * columns + term.column for term in terms], dtype=torch.long, device=gamma.device)
    return gamma.reshape(-1)[index]


def _common(gamma: Tensor, lists: Sequence[list[Term]], place: dict[int, int]) -> Tensor:
    """(targets, lists): the weight of each list's operation on the edge to each target, 0 where it has none."""
    flat = [place[term.target] * len(lists) + number for number, own in enumerate(lists) for term in own]
    values = _alone(gamma, [term for own in lists for term in own])
    if flat == list(range(len(place) * len(lists))):
        return values.view(len(place), len(lists))
    index = torch.tensor(flat, dtype=torch.long, device=gamma.device)
    return gamma.new_zeros(len(place) * len(lists)).index_put((index,), values).view(len(place), len(lists))


def _joined(terms: Sequence[Term], number: int) -> Tensor:
    """The weights of their convolution `number`, one after the other."""
    return terms[0].weights[number] if len(terms) == 1 else torch.cat([term.weights[number] for term in terms])


def _square(lists: Sequence[list[Term]], number: int) -> Tensor:
    """Pointwise weights (groups, C, C)."""
    weights = [term.weights[number] for own in lists for term in own]
    return torch.cat(weights).view(len(weights), weights[0].shape[0], weights[0].shape[1])


def _halved(active: Tensor, layout: Layout, terms: Sequence[Term], channels: int) -> Tensor:
    """The factorised reductions of all edges before their normalisation, (edges, C, pixels)."""
    straight, shifted = quarters(active, layout)
    halves = [
        torch.mm(_joined(terms, number).flatten(1), own).view(len(terms), channels // 2, -1)
        for number, own in enumerate((straight, shifted))
    ]
    return torch.cat(halves, dim=1)


def quarters(rows: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
    """Every second pixel both ways, and the same of the maps shifted by one pixel both ways: (C, pixels of the smaller maps) each. On odd
    sides the shifted maps are completed by zeros."""
    maps, after = layout.maps(rows), layout.strided(2)
    down, right = layout.height % 2, layout.width % 2
    padding = (0, 0, 0, right, 0, down) if layout.batch_last else (0, right, 0, down)
    padded = functional.pad(maps, padding) if down or right else maps
    if layout.batch_last:
        both = maps[:, ::2, ::2], padded[:, 1::2, 1::2]
    else:
        both = maps[:, :, ::2, ::2], padded[:, :, 1::2, 1::2]
    return both[0].reshape(-1, after.pixels), both[1].reshape(-1, after.pixels)


def _dense(active: Tensor, layout: Layout, stride: int, side: int, terms: Sequence[Term], channels: int) -> Tensor:
    """Convolutions of all edges before their normalisation, (edges, C, pixels)."""
    weight = _joined(terms, 0)
    if side == 1 and stride == 1:
        return torch.mm(weight.flatten(1), active).view(len(terms), channels, -1)
    # One product with the shifted maps under one another.
    shifted = _shifted(active, layout, side, stride)
    by_tap = weight.permute(0, 2, 3, 1).reshape(len(weight), -1)
    return torch.mm(by_tap, shifted).view(len(terms), channels, -1)


def _shifted(rows: Tensor, layout: Layout, side: int, stride: int) -> Tensor:
    """(side x side x C, pixels of the result): for every tap of a kernel the maps as it sees them, zeros outside."""
    maps, after, width = layout.maps(rows), layout.strided(stride), side // 2
    padding = (0, 0, width, width, width, width) if layout.batch_last else (width, width, width, width)
    padded = functional.pad(maps, padding)
    taps = []
    for down in range(side):
        for right in range(side):
            vertical = slice(down, down + stride * (after.height - 1) + 1, stride)
            horizontal = slice(right, right + stride * (after.width - 1) + 1, stride)
            taps.append(padded[:, vertical, horizontal] if layout.batch_last else padded[:, :, vertical, horizontal])
    return torch.stack(taps).view(-1, after.pixels)
