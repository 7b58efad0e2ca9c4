"""The normalised values of all groups, and the sum in which a node mixes its edges.

A group is one operation of one edge. Its values are normalised, and `mixed_sum` adds them to the edge's target times the structure's
weight: that weight is the factor of the normalisation, so mixing costs nothing beside it, and its gradient is a by-product.

`hidden` and `mixed_sum` take the values of the groups over and centre them in place: the result of a product or of a concatenation, which
nobody else reads. The gradients are those of the values as they were given, since a normalisation does not see a mean.
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
    """Pointwise convolutions: (groups, C', C), blocks (groups_i, C, pixels) in order -> (groups, C', pixels), contiguous."""
    if len(blocks) == 1:
        return torch.bmm(weight, blocks[0])
    parts = weight.split([len(block) for block in blocks])
    return torch.cat([torch.bmm(part, block) for part, block in zip(parts, blocks, strict=True)])


def hidden(values: Tensor) -> Tensor:
    """Normalisation and ReLU: (groups, C, pixels) -> (groups x C, pixels)."""
    result: Tensor = _Hidden.apply(values)  # type: ignore[no-untyped-call]
    return result


def _hidden_plainly(values: Tensor) -> Tensor:
    return plain(values).clamp_min(0).flatten(0, 1)


class _Hidden(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        scale = centre_(values)
        ctx.save_for_backward(values, scale)
        return values.clamp_min(0).mul_(scale).flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor | None:  # type: ignore[override]
        centred, scale = ctx.saved_tensors
        if torch.is_grad_enabled():
            return again(ctx, gradient, _hidden_plainly, [centred])[0]
        # d = scale (g - mean g - scale^2 centred mean(g centred)), g nothing where the ReLU gave nothing.
        own = torch.ops.aten.threshold_backward(gradient.view_as(centred), centred, 0)
        along = (own * centred).sum(dim=-1, keepdim=True)
        own.sub_(own.sum(dim=-1, keepdim=True), alpha=1 / own.shape[-1]).mul_(scale)
        own.addcmul_(centred, along.mul_(scale.pow(3)), value=-1 / own.shape[-1])
        result: Tensor = own
        return result


Run = tuple[int, ...]
"""Targets of consecutive groups, no two of them equal."""


Part = tuple[Run, ...]
"""Groups that are normalised and added to one target each, the runs in order."""


@dataclass(frozen=True)
class Recipe:
    """What a source adds to its targets."""

    targets: int
    parts: tuple[Part, ...]
    normalised: int
    """How many of the states are normalised: the first ones. The others are added as they are; all go to every target."""


def mixed_sum(recipe: Recipe, alone: Tensor, common: Tensor, parts: Sequence[Tensor], states: Sequence[Tensor]) -> Tensor:
    """(targets, C, pixels): the sum over what `recipe` says of weight x value.

    `alone` (groups of all parts,) weighs each group, `common` (targets, states) each state in each target. `parts` are the values of each
    part's groups, (groups, C, pixels). `states` (C, pixels).
    """
    result: Tensor = _MixedSum.apply(recipe, alone, common, *parts, *states)  # type: ignore[no-untyped-call]
    return result


def _groups(recipe: Recipe) -> list[int]:
    """How many each part has."""
    return [sum(map(len, part)) for part in recipe.parts]


def _mixed_plainly(recipe: Recipe, alone: Tensor, common: Tensor, *tensors: Tensor) -> Tensor:
    terms: list[list[Tensor]] = [[] for _ in range(recipe.targets)]
    weights = iter(alone.unbind(0))
    for part, own in zip(recipe.parts, tensors, strict=False):
        for target, value in zip((target for run in part for target in run), plain(own), strict=True):
            terms[target].append(next(weights) * value)
    for place, state in enumerate(tensors[len(recipe.parts) :]):
        value = plain(state) if place < recipe.normalised else state
        for target in range(recipe.targets):
            terms[target].append(common[target, place] * value)
    return torch.stack([torch.stack(own).sum(dim=0) for own in terms])


class _MixedSum(torch.autograd.Function):
    """Keeps the centred values of every group, and nothing of the normalisations' other results."""

    @staticmethod
    def forward(ctx: Any, recipe: Recipe, alone: Tensor, common: Tensor, *tensors: Tensor) -> Tensor:
        parts, states = tensors[: len(recipe.parts)], tensors[len(recipe.parts) :]
        total = tensors[0].new_zeros(recipe.targets, *tensors[0].shape[-2:])
        kept: list[Tensor] = []
        for part, values, own in zip(recipe.parts, parts, alone.split(_groups(recipe)), strict=True):
            scale = centre_(values)
            kept.append(scale)
            for run, value, factors in _runs(recipe, part, values, own[:, None, None] * scale, together=False):
                if len(run) == recipe.targets:
                    total.addcmul_(value, factors)
                else:
                    for target, one, by in zip(run, value, factors, strict=True):
                        total[target].addcmul_(one, by)
        if recipe.normalised:
            centred = torch.stack(tuple(states[: recipe.normalised]))
            scale = centre_(centred)
            kept += [centred, scale]
            for state, by in zip(centred, (common[:, : recipe.normalised, None, None] * scale).unbind(1), strict=True):
                total.addcmul_(state, by)
        for place in range(recipe.normalised, len(states)):
            total.addcmul_(states[place], common[:, place, None, None])
        ctx.recipe = recipe
        ctx.save_for_backward(alone, common, *tensors, *kept)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        recipe = ctx.recipe
        count = len(ctx.needs_input_grad) - 3
        alone, common, *rest = ctx.saved_tensors
        tensors, kept = rest[:count], iter(rest[count:])
        if torch.is_grad_enabled():
            return None, *again(ctx, gradient, partial(_mixed_plainly, recipe), [alone, common, *tensors], 1)
        asked = iter(ctx.needs_input_grad[3:])
        found: list[Tensor | None] = []
        centred_gradient = torch.sub(gradient, gradient.sum(dim=-1, keepdim=True), alpha=1 / gradient.shape[-1])
        parts, states = tensors[: len(recipe.parts)], tensors[len(recipe.parts) :]
        d_alone: list[Tensor] = []
        for part, values, weights in zip(recipe.parts, parts, alone.split(_groups(recipe)), strict=True):
            scale = next(kept)
            buffer = torch.empty_like(values)
            for run, place, value in _runs(recipe, part, buffer, values):
                torch.mul(value, _at(centred_gradient, run), out=place)
            along = buffer.sum(dim=-1, keepdim=True)
            d_alone.append((along * scale).sum(dim=(1, 2)))
            if not next(asked):
                found.append(None)
                continue
            factors = weights[:, None, None] * scale
            torch.mul(values, (factors * along).mul_(scale.square()).mul_(-1 / values.shape[-1]), out=buffer)
            for run, place, by in _runs(recipe, part, buffer, factors):
                place.addcmul_(_at(centred_gradient, run), by)
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
        return None, of_alone, of_common, *found


def _at(values: Tensor, run: Run) -> Tensor:
    """Those of a run's targets."""
    return values if len(run) == len(values) else values[list(run)]


def _runs(recipe: Recipe, part: Part, *stacks: Tensor, together: bool = True) -> list[tuple[Any, ...]]:
    """(run, its slice of every stack (groups, ...)). Where all runs go to all targets they come `together`, their slices being
    (runs, targets, ...)."""
    if together and all(len(run) == recipe.targets for run in part):
        return [(part[0], *(stack.view(len(part), recipe.targets, *stack.shape[1:]) for stack in stacks))]
    sizes = [len(run) for run in part]
    return list(zip(part, *(stack.split(sizes) for stack in stacks), strict=True))
