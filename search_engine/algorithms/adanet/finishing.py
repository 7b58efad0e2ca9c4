"""The end of a grown ensemble: its network with the weights that the search left it, scored on the validation and on the test part."""

from __future__ import annotations

from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Part, SearchData
from search_engine.events import Cost
from search_engine.spaces.ensemble import EnsembleSpace
from search_engine.supernets.ensemble_network import EnsembleNetwork, build
from search_engine.training.evaluation import evaluate

from ..base import Finalist


def finish(
    space: EnsembleSpace, finalist: Finalist, data: SearchData, test: Part, seed: int, device: str
) -> tuple[EnsembleNetwork, dict[str, float], Cost]:
    """(network, metrics, cost). Nothing is trained. Scores are taken on the CPU, where a download repeats them bit for bit."""
    network = build(space, finalist.genome, "final", TrainingConfig())
    network.load_state_dict((finalist.init or {})["network"])
    network.eval()
    parts = (("val", data.validation), ("test", test))
    scores = {name: evaluate(network, part, data.preprocessing, task=space.task) for name, part in parts}
    metrics = {f"{name}_{key}": value for name, score in scores.items() for key, value in score.items()}
    return network, metrics, Cost(forward=len(data.validation) + len(test))
