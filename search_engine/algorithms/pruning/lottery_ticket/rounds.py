"""What the rounds of a lottery ticket search leave behind: masks, curves, and the states that their trainings started from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from search_engine.base.generators import derive_seed
from search_engine.spaces.genomes import Genome
from search_engine.spaces.plain_network import PlainNetworkSpace

from ..mask_bits import Packed, unpacked
from ..restarts import KeptName, RemovedName, start_state
from ..selection import Masks
from .masked_training import early_stop, score_at, step_reaching

Curve = list[list[float]]


@dataclass(frozen=True)
class Round:
    """One trained round. `masks` are packed bits (uint8) by layer; so is `frozen`: which removed weights stand at their first values."""

    number: int
    kept: dict[str, int]
    share: float
    """Of all weights that are left."""
    curve: Curve
    masks: Packed = field(repr=False)
    frozen: Packed = field(repr=False)

    @property
    def score(self) -> float:
        """On the validation part at the end of the training."""
        return self.curve[-1][1]

    @property
    def untrained(self) -> float:
        """The score under the mask before the first step."""
        return self.curve[0][1]

    @property
    def early_stop(self) -> int | None:
        return early_stop(self.curve)

    @property
    def loss(self) -> float:
        """On the validation part at the end of the training."""
        return self.curve[-1][2]

    def score_at(self, step: int) -> float:
        return score_at(self.curve, step)

    def step_reaching(self, loss: float) -> float | None:
        return step_reaching(self.curve, loss)

    def to_tree(self) -> dict[str, Any]:
        return {**vars(self), "kept": dict(self.kept), "curve": [list(point) for point in self.curve]}


@dataclass
class Ticket:
    """How each round's start follows from what was kept: the first weights, the weights to rewind to, and the options."""

    space: PlainNetworkSpace
    initial: dict[str, torch.Tensor]
    early: dict[str, torch.Tensor]
    """The state after `rewind_step` steps of the dense network; with 0 the initial one."""
    prefixes: Mapping[str, str]
    kept: KeptName
    keep_sign: bool
    removed: RemovedName
    seed: int

    def start(self, number: int, masks: Masks, frozen: Masks) -> dict[str, torch.Tensor]:
        """The network's state at the start of round `number` under these masks."""
        if number == 0:
            return {name: value.clone() for name, value in self.initial.items()}
        return start_state(self.early, self.initial, self.prefixes, masks, frozen, self.kept, self.keep_sign, self.seed, number)

    def dense_start(self) -> dict[str, torch.Tensor]:
        """The first weights of all, for a network whose removed weights (there are none) would be 0."""
        return {name: value.clone() for name, value in self.initial.items() if not name.endswith(".rest")}

    def start_of(self, one: Round) -> dict[str, torch.Tensor]:
        return self.start(one.number, unpacked(one.masks, self.space.layers), unpacked(one.frozen, self.space.layers))

    def reinitialised(self, one: Round) -> dict[str, torch.Tensor]:
        """The same mask over weights drawn anew, biases and all at their first values."""
        masks, frozen = (unpacked(packed, self.space.layers) for packed in (one.masks, one.frozen))
        return start_state(
            self.initial, self.initial, self.prefixes, masks, frozen, "reinitialise", False, self.seed, "reinitialised", one.number
        )

    def random_mask(self, one: Round) -> dict[str, torch.Tensor]:
        """As many weights of every layer at random places, at their first values. Removed weights stand at 0 unless all of the ticket's
        stand at their first values."""
        drawn = self.space.drawn(one.kept, _number(self.seed, one.number))
        masks = {name: torch.from_numpy(mask.copy()) for name, mask in self.space.masks(drawn).items() if mask is not None}
        frozen = {name: ~mask & (self.removed == "initial") for name, mask in masks.items()}
        return start_state(self.initial, self.initial, self.prefixes, masks, frozen, "rewind", False)

    def genome(self, masks: Masks) -> Genome:
        given = {name: mask.numpy() for name, mask in masks.items()}
        return self.space.genome(given, "zero" if self.removed == "zero" else "constant")

    def genome_of(self, one: Round) -> Genome:
        return self.genome(unpacked(one.masks, self.space.layers))


def ranked(trained: Sequence[Round], tolerance: float) -> list[Round]:
    """Tickets, best first: those whose score is at most `tolerance` below the dense network's by sparsity, then the others by score.
    `trained` has all rounds in order, the dense network first; it is no ticket itself."""
    if not trained:
        return []
    least = trained[0].score - tolerance
    near = sorted((item for item in trained[1:] if item.score >= least), key=lambda item: item.share)
    far = sorted((item for item in trained[1:] if item.score < least), key=lambda item: (-item.score, item.share))
    return near + far


def _number(seed: int, round_: int) -> int:
    return derive_seed("random mask", seed, round_) % 2**31
