"""Networks of the space `resized`: built as their own space builds them, then with other widths."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from ..base.errors import BadInput
from ..base.lazy import load_object
from ..base.training_config import TrainingConfig
from ..datasets.base import SearchData
from ..events import Cost
from ..spaces.entries import builder_module, entries
from ..spaces.genomes import Genome
from ..spaces.resized import ResizedSpace
from ..widths.channels import ChannelGroups
from ..widths.resizing import resize


def build_original(space: ResizedSpace, genome: Genome) -> nn.Module:
    """The untrained network with its own space's widths, of torch's own layers. Parameters come from torch's global generator."""
    own_space, own = space.network_of(genome)
    training = TrainingConfig(channels=genome.content["channels"], layers=genome.content["layers"])
    network: nn.Module = builder_module(own_space).build(own_space, own, "final", training)
    plain = getattr(network, "for_export", None)
    return network if plain is None else plain()


def build(space: ResizedSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> nn.Module:
    """The untrained network of a genome, equally wide in both stages. Parameters come from torch's global generator.

    Raises BadInput(field "space") where its widths cannot be changed, and (field "genome") where they are not those of its layers.
    """
    space.validate(genome)
    widths = space.widths(genome)
    if not widths:
        return build_original(space, genome)
    with torch.random.fork_rng(devices=[]):
        original = build_original(space, genome)
    channels = ChannelGroups.of(original, space.shape.input)
    try:
        return resize(original, channels, widths)
    except BadInput as error:
        raise BadInput("genome", error.message, error.code) from None


def initialise(
    network: nn.Module, genome: Genome, space: ResizedSpace, data: SearchData, training: TrainingConfig, seed: int, device: str
) -> Cost | None:
    """As the network's own space prepares it, where that does."""
    own_space, own = space.network_of(genome)
    initialiser = entries()[own_space.id].initialiser
    if not initialiser:
        return None
    cost: Cost | None = load_object(initialiser)(network, own, own_space, data, training, seed, device)
    return cost
