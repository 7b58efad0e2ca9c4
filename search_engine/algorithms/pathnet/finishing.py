"""The end of a path: the plain network with the weights that the search left it, scored on the validation and on the test part."""

from __future__ import annotations

from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Part, SearchData
from search_engine.events import Cost
from search_engine.spaces.modular import ModularSpace
from search_engine.supernets.modular_network import PathNetwork, build
from search_engine.training.evaluation import evaluate

from ..base import Finalist


def network_of(space: ModularSpace, finalist: Finalist) -> PathNetwork:
    """The finalist's network on the CPU. Its `init` holds the state that `ModularSupernet.path_state` gave."""
    network = build(space, finalist.genome, "final", TrainingConfig())
    network.load_state_dict((finalist.init or {})["state"])
    return network.eval()


def finish(
    space: ModularSpace, finalist: Finalist, data: SearchData, test: Part, seed: int, device: str
) -> tuple[PathNetwork, dict[str, float], Cost]:
    """(network, metrics, cost). Nothing is trained. Scores are taken on the CPU, where a download repeats them bit for bit."""
    network = network_of(space, finalist)
    scores = {name: evaluate(network, part, data.preprocessing) for name, part in (("val", data.validation), ("test", test))}
    metrics = {f"{name}_{key}": value for name, score in scores.items() for key, value in score.items()}
    return network, metrics, Cost(forward=len(data.validation) + len(test))
