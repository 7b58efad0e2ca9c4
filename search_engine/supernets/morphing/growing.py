"""A list of morphs done to the weights of an earlier network (`SpaceEntry.morpher` of the growing convolution networks)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from ...base.errors import TrialFailure
from ...spaces.genomes import Genome
from ...spaces.growing_convnet.morphs import Morph, describe_all
from ...spaces.growing_convnet.space import GrowingConvnetSpace
from ..growing_network import GrowingNetwork
from .operators import morph


def grow(
    space: GrowingConvnetSpace, genome: Genome, before: Genome, weights: Mapping[str, Tensor], morphs: Sequence[Morph], inputs: Tensor
) -> dict[str, Tensor]:
    """The state of `genome`'s network, which becomes of `before`, whose state is `weights`, by `morphs`. A `wider` with `noise` has that
    much of it (`operators.morph`). Raises TrialFailure where that gives another network."""
    network = GrowingNetwork(space.network(before))
    network.load_state_dict(dict(weights))
    for change in morphs:
        network = morph(network, change, inputs, change.get("noise", 0.0))
    if network.graph.nodes != space.network(genome).nodes:
        raise TrialFailure(f"the network that it starts from does not become this one by its morphs ({describe_all(morphs)})")
    return network.state_dict()
