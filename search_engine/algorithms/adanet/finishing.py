"""The end of a grown ensemble: its network with the weights that the search left it."""

from __future__ import annotations

from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import SearchData
from search_engine.spaces.ensemble import EnsembleSpace
from search_engine.supernets.ensemble_network import build

from ..base import Finalist, Finished
from ..network_scorer import scorer


def finish(space: EnsembleSpace, finalist: Finalist, data: SearchData, seed: int, device: str) -> Finished:
    """Nothing is trained."""
    network = build(space, finalist.genome, "final", TrainingConfig())
    network.load_state_dict((finalist.init or {})["network"])
    network.eval()
    return Finished(network, scorer(network, data, space.task))
