"""What a round starts from: the surviving weights, and what stands in the places of removed ones (Zhou et al. 2019, section 4).

Survivors ("mask-1 actions"): back to their own early values (Frankle & Carbin: the lottery ticket), or one of the controls: drawn anew,
their early values dealt out anew among them, or one constant; each with or without the early signs.
Removed weights ("mask-0 actions"): 0, or frozen for good at their first values, or that only where training had not moved them
towards 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from search_engine.base.generators import derive_seed

KeptName = Literal["rewind", "reinitialise", "reshuffle", "constant"]
RemovedName = Literal["zero", "initial", "by_movement"]


def glorot_deviation(shape: tuple[int, ...] | torch.Size) -> float:
    """Standard deviation of the first weights: sqrt(2 / (fan_in + fan_out)), Glorot & Bengio 2010."""
    kernel = 1
    for size in shape[2:]:
        kernel *= size
    return float((2.0 / (kernel * (shape[0] + shape[1]))) ** 0.5)


def restarted(early: Tensor, mask: Tensor, kept: KeptName, keep_sign: bool, *seed: object) -> Tensor:
    """A layer's weights at the start of a round: `early` are its weights to rewind to; removed ones are 0.

    rewind is exact: the survivors have the bits of `early`. The others are functions of the seed's parts.
    """
    weights = torch.zeros_like(early)
    alive = early[mask]
    generator = torch.Generator().manual_seed(derive_seed("restart", *seed))
    if kept == "rewind":
        fresh = alive
    elif kept == "reinitialise":
        fresh = torch.randn(len(alive), generator=generator) * glorot_deviation(early.shape)
    elif kept == "reshuffle":
        fresh = alive[torch.randperm(len(alive), generator=generator)]
    else:
        fresh = glorot_deviation(early.shape) * (torch.randint(0, 2, (len(alive),), generator=generator) * 2.0 - 1.0)
    if keep_sign and kept != "rewind":
        fresh = torch.where(alive < 0, -fresh.abs(), fresh.abs())
    weights[mask] = fresh
    return weights


def frozen_at_first(removed: RemovedName, before: Tensor, now: Tensor, frozen: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Which removed weights of a layer stand at their first values instead of 0 (bool, the layer's shape).

    `before` and `now` are the masks before and after a removal, `frozen` what stood frozen before, `first` and `last` the weights at the
    start and the end of the round that ended.
    """
    if removed == "zero":
        return torch.zeros_like(now)
    gone = before & ~now
    if removed == "by_movement":
        gone = gone & (last.abs() >= first.abs())
    return frozen | gone


def start_state(
    early: Mapping[str, Tensor], initial: Mapping[str, Tensor], prefixes: Mapping[str, str], masks: Mapping[str, Tensor],
    frozen: Mapping[str, Tensor], kept: KeptName, keep_sign: bool, *seed: object,
) -> dict[str, Tensor]:  # fmt: skip
    """The network's whole state at the start of a round: biases and statistics as in `early` (the state to rewind to), weights restarted,
    masks set, frozen weights at their values in `initial`. `prefixes` names each layer's module in the state."""
    state = {name: value.clone() for name, value in early.items()}
    for layer, prefix in prefixes.items():
        weight = f"{prefix}.weight"
        state[weight] = restarted(early[weight], masks[layer], kept, keep_sign, layer, *seed)
        state[f"{prefix}.mask"] = masks[layer].clone()
        if f"{prefix}.rest" in state:
            state[f"{prefix}.rest"] = initial[weight] * frozen[layer]
    return state
