"""Where networks are shrunk and trained: the seed network, and everything that has its form with other widths.

Weights depend on the search's seed and on what is trained, never on what was trained before, so that a training of equal widths gives
equal bits wherever it stands: in the search, or in a control.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

from search_engine.base.errors import BadInput
from search_engine.base.generators import derive_seed
from search_engine.base.training_config import TrainingConfig
from search_engine.events import Cost
from search_engine.spaces.genomes import Genome
from search_engine.spaces.resized import ResizedSpace
from search_engine.supernets.resized_network import build
from search_engine.training.trainer import Trainer, TrainingLoop
from search_engine.widths.channels import ChannelGroups
from search_engine.widths.regularisers import Regulariser, RegulariserConfig
from search_engine.widths.resizing import resize
from search_engine.widths.scaling import largest_multiplier, scaled, uniform
from search_engine.widths.shrinking import ShrinkTraining

from .options import MorphNetConfig

if TYPE_CHECKING:
    from ..base import Context
    from ..given import GivenModel

DRAWS = 20
"""Networks drawn to find one with something to shrink: some of a space may have no normalisation, or no layer in between."""
Widths = dict[str, int]


class WidthBench:
    """Raises BadInput, before anything is trained, where the widths of no seed network can be changed."""

    def __init__(self, context: Context) -> None:
        assert context.data is not None
        self.space: ResizedSpace = context.space  # type: ignore[assignment]
        self.options: MorphNetConfig = context.options
        self.data = context.data
        self.seed, self.device, self.amp = context.seed, context.device, context.amp
        self.given = context.given
        if self.given is not None:
            self.genome, self.original = of_given(self.space, self.given), self.given.network()
            self.channels = opened(self.original, self.space.shape.input, self.options)
        else:
            self.genome, self.original, self.channels = self._drawn()
        self.widths: Widths = self.channels.widths
        """The seed network's own."""

    def _drawn(self) -> tuple[Genome, nn.Module, ChannelGroups]:
        rng, problem = random.Random(derive_seed(self.seed, "seed network")), None
        for _ in range(DRAWS):
            genome = self.space.sample(rng)
            with self._weights("seed"):
                network = build(self.space, genome, "final", TrainingConfig())
            try:
                return genome, network, opened(network, self.space.shape.input, self.options)
            except BadInput as error:
                problem = problem or error
        assert problem is not None
        raise problem

    def _weights(self, *what: object) -> AbstractContextManager[None]:
        return _seeded(derive_seed(self.seed, "weights", *what))

    # ---- widths

    def cost(self, widths: Mapping[str, int]) -> int:
        return self.channels.cost(widths, self.options.resource)

    def share(self, widths: Mapping[str, int]) -> float:
        """Of the seed network's cost."""
        return self.cost(widths) / self.cost(self.widths)

    def expanded(self, widths: Widths) -> tuple[float, Widths]:
        """ω, and the widths that it gives."""
        if not self.options.expand_to:
            return 1.0, dict(widths)
        budget = self.options.expand_to * self.cost(self.widths)
        multiplier = largest_multiplier(self.channels, widths, self.options.resource, budget)
        return multiplier, scaled(widths, multiplier)

    def uniform(self, cost: float) -> Widths:
        """The seed network's widths, all shrunk (or grown) alike to at most this cost."""
        return uniform(self.channels, self.widths, self.options.resource, cost)

    def genome_of(self, widths: Widths) -> Genome:
        """The genome of the seed network with these widths; with its own, as it was drawn or given."""
        return self.genome if widths == self.widths else self.space.genome(self.space, self.genome, widths)

    # ---- trainings

    def shrinking(self, widths: Widths, factor: float, number: int) -> ShrinkTraining:
        """The training of round `number` (from 0), which begins at `widths`; the first one is that of the seed network, with the weights
        that came with it."""
        options = self.options
        network = self._first() if number == 0 else self._fresh(widths, "shrink", number)
        training = TrainingConfig(
            epochs=options.shrink_epochs, batch_size=options.batch_size, learning_rate=options.shrink_rate, weight_decay=0.0, augment="none"
        )
        channels = ChannelGroups.of(network, self.space.shape.input)
        penalty = penalty_of(options, factor)
        return ShrinkTraining(network, channels, self.data, training, penalty, self.seed, self.device, self.amp)

    def _first(self) -> nn.Module:
        """The seed network as it was before anything was trained here."""
        if self.given is not None:
            return self.given.network()
        with self._weights("seed"):
            return build(self.space, self.genome, "final", TrainingConfig())

    def training(self, widths: Widths) -> Trainer:
        """From scratch."""
        options = self.options
        training = TrainingConfig(
            epochs=options.train_epochs, batch_size=options.batch_size, learning_rate=options.train_rate,
            final_learning_rate=options.train_rate / 100,
        )
        return Trainer(self._fresh(widths, "train"), self.data, training, self.seed, self.device, self.amp)

    def _fresh(self, widths: Widths, *what: object) -> nn.Module:
        with self._weights(*what):
            return resize(self.original, self.channels, widths)

    def steps(self, epochs: int) -> int:
        """Optimiser steps of so many epochs."""
        return epochs * -(-len(self.data.train) // self.options.batch_size)


def opened(network: nn.Module, shape: tuple[int, ...], options: MorphNetConfig) -> ChannelGroups:
    """The channels of a network that the options' regulariser can shrink. Raises BadInput, with the layer and the reason, for another."""
    channels = ChannelGroups.of(network, shape)
    Regulariser(network, channels, penalty_of(options, options.factor))
    return channels


def of_given(space: ResizedSpace, given: GivenModel) -> Genome:
    """A finished network as a genome of this space."""
    if given.space.id == space.id:
        return given.genome
    return space.genome(given.space, given.genome, {}, given.training.channels, given.training.layers)


def penalty_of(options: MorphNetConfig, factor: float) -> RegulariserConfig:
    return RegulariserConfig(
        kind=options.regulariser, resource=options.resource, factor=factor, threshold=options.threshold, floor=options.floor,
        shared=options.shared, l1=options.l1, latched=options.latched,
    )


def advanced(loop: TrainingLoop) -> Cost:
    """One optimiser step, and where it ends an epoch the whole validation; what that used."""
    before = loop.cost
    loop.advance()
    while loop.scoring:
        loop.advance()
    after = loop.cost
    return Cost(
        forward_backward=after.forward_backward - before.forward_backward, forward=after.forward - before.forward,
        flops=after.flops - before.flops,
    )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's global generator at a seed of its own, and as it was afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
