"""The weights of a finished network under the names of a growing one."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...spaces.base import SearchSpace
from ...spaces.genomes import Genome
from ...spaces.growing_convnet.adoption import Adopted, adopted
from ...spaces.growing_convnet.space import GrowingConvnetSpace


def adopt(space: GrowingConvnetSpace, given: SearchSpace[Any], genome: Genome, network: nn.Module) -> tuple[Genome, dict[str, Tensor]]:
    """`network`, which is that of `genome` in `given`, as a network of `space`: its genome and its state, which compute the same function.

    Raises BadInput(field "model") for one that cannot be grown.
    """
    found = adopted(given, genome)
    return space.genome(found.network), state_of(found, network)


def state_of(found: Adopted, network: nn.Module) -> dict[str, Tensor]:
    """A bias in front of a batch normalisation becomes part of its running mean: in training the batch's own mean takes it away anyway."""
    state = network.state_dict()
    if found.places is None:
        return dict(state)
    made: dict[str, Tensor] = {}
    for number, place in found.places.items():
        own = f"nodes.{number}"
        made[f"{own}.weights.weight"] = state[f"{place.weights}.weight"].clone()
        bias = state.get(f"{place.weights}.bias")
        if not place.norm:
            assert bias is not None
            made[f"{own}.weights.bias"] = bias.clone()
            continue
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            made[f"{own}.norm.{name}"] = state[f"{place.norm}.{name}"].clone()
        if bias is not None:
            made[f"{own}.norm.running_mean"] -= bias
    return made
