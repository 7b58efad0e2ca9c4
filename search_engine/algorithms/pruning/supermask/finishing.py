"""The end of a supermask: nothing is trained. The network under its mask is scored as it is, on the validation part and once on the test
part; where masks were drawn, so are the drawn ones, whose mean is what Zhou et al. (2019) report."""

from __future__ import annotations

from typing import Any

import torch

from search_engine.algorithms.base import Finalist
from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Part, SearchData
from search_engine.events import Cost
from search_engine.spaces.plain_network import PlainNetworkSpace
from search_engine.spaces.tasks import SCORES
from search_engine.supernets.plain_network import PlainNetwork, build
from search_engine.training.evaluation import evaluate

from ..mask_bits import unpacked
from .fixed_weights import folded_weights


def finish(
    space: PlainNetworkSpace, finalist: Finalist, data: SearchData, test: Part, seed: int, device: str
) -> tuple[PlainNetwork, dict[str, float], Cost]:
    """(network, metrics, cost). Metrics: `val_*` and `test_*` of the network that is shipped, and with drawn masks `test_sampled_mean` and
    `test_sampled_sd`. Scores are taken on the CPU, where a download repeats them bit for bit."""
    init: dict[str, Any] = finalist.init or {}
    network = build(space, finalist.genome, "final", TrainingConfig())
    network.load_state_dict(init["network"])
    network.eval()
    parts = {"val": data.validation, "test": test}
    scores = {name: evaluate(network, part, data.preprocessing, task=space.task) for name, part in parts.items()}
    metrics = {f"{name}_{key}": value for name, score in scores.items() for key, value in score.items()}
    forward = len(data.validation) + len(test)
    if "drawn" in init:
        drawn = _drawn_scores(space, network, init, data, test)
        metrics |= {"test_sampled_mean": float(drawn.mean()), "test_sampled_sd": float(drawn.std(unbiased=False))}
        forward += len(drawn) * len(test)
    return network, metrics, Cost(forward=forward)


def _drawn_scores(space: PlainNetworkSpace, network: PlainNetwork, init: dict[str, Any], data: SearchData, test: Part) -> torch.Tensor:
    """(drawn masks,) test scores."""
    found = []
    for packed in init["drawn"]:
        masks = unpacked(packed, space.layers)
        state = network.state_dict() | folded_weights(network.prefixes, init["weights"], masks, init["dynamic_scaling"])
        twin = PlainNetwork(space.config, space.shape)
        twin.load_state_dict(state)
        found.append(evaluate(twin, test, data.preprocessing, task=space.task)[SCORES[space.task]])
    return torch.tensor(found, dtype=torch.float64)
