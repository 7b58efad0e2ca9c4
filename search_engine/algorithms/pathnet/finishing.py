"""The end of a path: the plain network with the weights that the search left it."""

from __future__ import annotations

from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import SearchData
from search_engine.spaces.modular import ModularSpace
from search_engine.supernets.modular_network import PathNetwork, build

from ..base import Finalist, Finished
from ..network_scorer import scorer


def network_of(space: ModularSpace, finalist: Finalist) -> PathNetwork:
    """The finalist's network on the CPU. Its `init` holds the state that `ModularSupernet.path_state` gave."""
    network = build(space, finalist.genome, "final", TrainingConfig())
    network.load_state_dict((finalist.init or {})["state"])
    return network.eval()


def finish(space: ModularSpace, finalist: Finalist, data: SearchData, seed: int, device: str) -> Finished:
    """Nothing is trained."""
    network = network_of(space, finalist)
    return Finished(network, scorer(network, data, space.task))
