"""Pointwise convolutions of all groups with their normalisation, and the sum in which a node mixes its edges.

A group is one operation of one edge. Its values are normalised, and `mixed_sum` adds them to the edge's target times the structure's
weight: that weight is the factor of the normalisation, so mixing costs nothing beside it, and its gradient is a by-product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ...training.flops import as_formula
from .normalise import centre_, plain
from .twice import again


def product(weight: Tensor, blocks: Sequence[Tensor]) -> Tensor:
    """(groups, C', C), blocks (groups_i, C, pixels) in order -> (groups, C', pixels), contiguous."""
    if len(blocks) == 1:
        return torch.bmm(weight, blocks[0])
    parts = weight.split([len(block) for block in blocks])
    if torch.is_grad_enabled():
        return torch.cat([torch.bmm(part, block) for part, block in zip(parts, blocks, strict=True)])
    result = weight.new_empty(len(weight), weight.shape[1], blocks[0].shape[2])
    for part, block, place in zip(parts, blocks, result.split([len(block) for block in blocks]), strict=True):
        torch.bmm(part, block, out=place)
    return result


def _product_gradients(
    gradient: Tensor, weight: Tensor, blocks: Sequence[Tensor], of_weight: bool, of_blocks: Sequence[bool]
) -> tuple[Tensor | None, list[Tensor | None]]:
    """Those of `product`, where they are asked for."""
    parts = gradient.split([len(block) for block in blocks])
    weights = weight.split([len(block) for block in blocks])
    d_weight = None
    if of_weight:
        d_weight = torch.cat([torch.bmm(part, block.transpose(1, 2)) for part, block in zip(parts, blocks, strict=True)])
    d_blocks = [
        torch.bmm(own.transpose(1, 2), part) if asked else None for own, part, asked in zip(weights, parts, of_blocks, strict=True)
    ]
    return d_weight, d_blocks


def hidden(weight: Tensor, blocks: Sequence[Tensor]) -> Tensor:
    """Pointwise convolution, normalisation, ReLU: (groups, C', C), blocks (groups_i, C, pixels) -> (groups x C', pixels)."""
    result: Tensor = _Hidden.apply(weight, *blocks)  # type: ignore[no-untyped-call]
    return result


def _hidden_plainly(weight: Tensor, *blocks: Tensor) -> Tensor:
    return plain(product(weight, blocks)).clamp_min(0).flatten(0, 1)


class _Hidden(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, *blocks: Tensor) -> Tensor:
        centred = product(weight, blocks)
        scale = centre_(centred)
        ctx.save_for_backward(centred, scale, weight, *blocks)
        return centred.clamp_min(0).mul_(scale).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        centred, scale, weight, *blocks = ctx.saved_tensors
        if torch.is_grad_enabled():
            return tuple(again(ctx, gradient, _hidden_plainly, [weight, *blocks]))
        # d = scale (g - mean g - scale^2 centred mean(g centred)), g nothing where the ReLU gave nothing.
        own = torch.ops.aten.threshold_backward(gradient.view_as(centred), centred, 0)
        along = (own * centred).sum(dim=-1, keepdim=True)
        own.sub_(own.sum(dim=-1, keepdim=True), alpha=1 / own.shape[-1]).mul_(scale)
        own.addcmul_(centred, along.mul_(scale.pow(3)), value=-1 / own.shape[-1])
        d_weight, d_blocks = _product_gradients(own, weight, blocks, ctx.needs_input_grad[0], ctx.needs_input_grad[1:])
        return d_weight, *d_blocks


Run = tuple[int, ...]
"""Targets of consecutive groups, no two of them equal."""


@dataclass(frozen=True)
class Part:
    """Groups that are normalised and added to one target each, `runs` in order."""

    runs: tuple[Run, ...]
    given: bool
    """Whether the values are there already; else a pointwise convolution makes them."""

    @property
    def groups(self) -> int:
        return sum(len(run) for run in self.runs)


@dataclass(frozen=True)
class Recipe:
    """What a source adds to its targets."""

    targets: int
    parts: tuple[Part, ...]
    normalised: int
    """How many of the states are normalised: the first ones. The others are added as they are; all go to every target."""


def mixed_sum(
    recipe: Recipe, alone: Tensor, common: Tensor, parts: Sequence[tuple[Tensor | None, Sequence[Tensor]]], states: Sequence[Tensor]
) -> Tensor:
    """(targets, C, pixels): the sum over what `recipe` says of weight x value.

    `alone` (groups of all parts,) weighs each group, `common` (targets, states) each state in each target. `parts`: pointwise weights
    (groups, C, C) and blocks (groups_i, C, pixels), or None and the groups as they are given, (groups, C, pixels). `states` (C, pixels).
    """
    counts = tuple(len(blocks) + (weight is not None) for weight, blocks in parts)
    tensors = [tensor for weight, blocks in parts for tensor in ([] if weight is None else [weight]) + list(blocks)]
    result: Tensor = _MixedSum.apply(recipe, counts, alone, common, *tensors, *states)  # type: ignore[no-untyped-call]
    return result


def _split(
    recipe: Recipe, counts: Sequence[int], tensors: Sequence[Tensor]
) -> tuple[list[tuple[Part, Sequence[Tensor]]], Sequence[Tensor]]:
    """The tensors of each part, and the states."""
    parts, begin = [], 0
    for part, count in zip(recipe.parts, counts, strict=True):
        parts.append((part, tensors[begin : begin + count]))
        begin += count
    return parts, tensors[begin:]


def _mixed_plainly(recipe: Recipe, counts: Sequence[int], alone: Tensor, common: Tensor, *tensors: Tensor) -> Tensor:
    parts, states = _split(recipe, counts, tensors)
    terms: list[list[Tensor]] = [[] for _ in range(recipe.targets)]
    weights = iter(alone.unbind(0))
    for part, own in parts:
        values = plain(own[0] if part.given else product(own[0], own[1:]))
        for target, value in zip((target for run in part.runs for target in run), values, strict=True):
            terms[target].append(next(weights) * value)
    for place, state in enumerate(states):
        value = plain(state) if place < recipe.normalised else state
        for target in range(recipe.targets):
            terms[target].append(common[target, place] * value)
    return torch.stack([torch.stack(own).sum(dim=0) for own in terms])


class _MixedSum(torch.autograd.Function):
    """Keeps the centred values of every group, and nothing of the products' and normalisations' other results."""

    @staticmethod
    def forward(
        ctx: Any, recipe: Recipe, counts: tuple[int, ...], alone: Tensor, common: Tensor, *tensors: Tensor
    ) -> Tensor:
        parts, states = _split(recipe, counts, tensors)
        total = tensors[0].new_zeros(recipe.targets, *_shape(recipe, tensors))
        kept: list[Tensor] = []
        weights = iter(alone.split([part.groups for part in recipe.parts]))
        for part, own in parts:
            centred = own[0].clone() if part.given else product(own[0], own[1:])
            scale = centre_(centred)
            kept += [centred, scale]
            for run, values, factors in _runs(recipe, part, centred, next(weights)[:, None, None] * scale, together=False):
                if len(run) == recipe.targets:
                    total.addcmul_(values, factors)
                else:
                    for target, value, by in zip(run, values, factors, strict=True):
                        total[target].addcmul_(value, by)
        if recipe.normalised:
            centred = torch.stack(tuple(states[: recipe.normalised]))
            scale = centre_(centred)
            kept += [centred, scale]
            for state, by in zip(centred, (common[:, : recipe.normalised, None, None] * scale).unbind(1), strict=True):
                total.addcmul_(state, by)
        for place in range(recipe.normalised, len(states)):
            total.addcmul_(states[place], common[:, place, None, None])
        ctx.recipe, ctx.counts = recipe, counts
        ctx.save_for_backward(alone, common, *tensors, *kept)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        recipe = ctx.recipe
        count = len(ctx.needs_input_grad) - 4
        alone, common, *rest = ctx.saved_tensors
        tensors, kept = rest[:count], iter(rest[count:])
        if torch.is_grad_enabled():
            return None, None, *again(ctx, gradient, partial(_mixed_plainly, recipe, ctx.counts), [alone, common, *tensors], 2)
        asked = iter(ctx.needs_input_grad[4:])
        found: list[Tensor | None] = []
        centred_gradient = torch.sub(gradient, gradient.sum(dim=-1, keepdim=True), alpha=1 / gradient.shape[-1])
        parts, states = _split(recipe, ctx.counts, tensors)
        d_alone: list[Tensor] = []
        weights = iter(alone.split([part.groups for part in recipe.parts]))
        for part, own in parts:
            values, scale, factors = next(kept), next(kept), next(weights)[:, None, None]
            needed = [next(asked) for _ in own]
            buffer = torch.empty_like(values)
            for run, place, value in _runs(recipe, part, buffer, values):
                torch.mul(value, _at(centred_gradient, run), out=place)
            along = buffer.sum(dim=-1, keepdim=True)
            d_alone.append((along * scale).sum(dim=(1, 2)))
            if not any(needed):
                found += [None] * len(own)
                continue
            factors = factors * scale
            torch.mul(values, (factors * along).mul_(scale.square()).mul_(-1 / values.shape[-1]), out=buffer)
            for run, place, by in _runs(recipe, part, buffer, factors):
                place.addcmul_(_at(centred_gradient, run), by)
            if not part.given:
                d_weight, d_blocks = _product_gradients(buffer, own[0], own[1:], needed[0], needed[1:])
                found += [d_weight, *d_blocks]
            else:
                found.append(buffer)
        d_common: list[Tensor] = []
        count = recipe.normalised
        if count:
            values, scale = next(kept), next(kept)
            needed = [next(asked) for _ in range(count)]
            by = common[:, :count]
            along = (centred_gradient[:, None] * values).sum(dim=-1, keepdim=True)
            d_common.append((along * scale).sum(dim=(2, 3)))
            if any(needed):
                with as_formula(0):  # Weighing a value is no product in what a search is charged.
                    own_gradient = torch.mm(by.t(), centred_gradient.flatten(1)).view_as(values)
                inner = (along * by[:, :, None, None]).sum(dim=0)
                own_gradient.mul_(scale).addcmul_(values, inner * scale.pow(3), value=-1 / values.shape[-1])
                found += [part if wanted else None for part, wanted in zip(own_gradient, needed, strict=True)]
            else:
                found += [None] * count
        for place in range(count, len(states)):
            d_common.append(torch.mv(gradient.flatten(1), states[place].flatten())[:, None])
            by = common[:, place]
            found.append(torch.mv(gradient.flatten(1).t(), by).view_as(states[place]) if next(asked) else None)
        of_alone, of_common = torch.cat(d_alone) if d_alone else None, torch.cat(d_common, dim=1) if d_common else None
        return None, None, of_alone, of_common, *found


def _shape(recipe: Recipe, tensors: Sequence[Tensor]) -> tuple[int, int]:
    """(C, pixels) of what a target gets."""
    if not recipe.parts:
        return (tensors[0].shape[0], tensors[0].shape[1])
    first = recipe.parts[0].given
    return (tensors[0].shape[1], tensors[0 if first else 1].shape[2])


def _at(values: Tensor, run: Run) -> Tensor:
    """Those of a run's targets."""
    return values if len(run) == len(values) else values[list(run)]


def _runs(recipe: Recipe, part: Part, *stacks: Tensor, together: bool = True) -> list[tuple[Any, ...]]:
    """(run, its slice of every stack (groups, ...)). Where all runs go to all targets they come `together`, their slices being
    (runs, targets, ...)."""
    if together and all(len(run) == recipe.targets for run in part.runs):
        return [(part.runs[0], *(stack.view(len(part.runs), recipe.targets, *stack.shape[1:]) for stack in stacks))]
    sizes = [len(run) for run in part.runs]
    return list(zip(part.runs, *(stack.split(sizes) for stack in stacks), strict=True))
