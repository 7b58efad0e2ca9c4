"""The end of a supermask: nothing is trained. The network under its mask is scored as it is; where masks were drawn, so are the drawn ones,
whose mean is what Zhou et al. (2019) report."""

from __future__ import annotations

from typing import Any

import torch

from search_engine.algorithms.base import Finalist, Finished, Split
from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Part, SearchData
from search_engine.spaces.plain_network import PlainNetworkSpace
from search_engine.spaces.tasks import SCORES
from search_engine.supernets.plain_network import PlainNetwork, build
from search_engine.training.evaluation import evaluate

from ..mask_bits import unpacked
from .fixed_weights import folded_weights


def finish(space: PlainNetworkSpace, finalist: Finalist, data: SearchData, seed: int, device: str) -> Finished:
    """Beside the scores of the network that is shipped: with drawn masks `sampled_mean` and `sampled_sd`."""
    init: dict[str, Any] = finalist.init or {}
    network = build(space, finalist.genome, "final", TrainingConfig())
    network.load_state_dict(init["network"])
    network.eval()

    def score(split: Split, part: Part) -> dict[str, float]:
        own = evaluate(network, part, data.preprocessing, task=space.task)
        if "drawn" not in init:
            return own
        drawn = _drawn_scores(space, network, init, data, part)
        return {**own, "sampled_mean": float(drawn.mean()), "sampled_sd": float(drawn.std(unbiased=False))}

    return Finished(network, score, "untrained weights under the mask", passes=1 + len(init.get("drawn", ())))


def _drawn_scores(space: PlainNetworkSpace, network: PlainNetwork, init: dict[str, Any], data: SearchData, part: Part) -> torch.Tensor:
    """(drawn masks,) scores."""
    found = []
    for packed in init["drawn"]:
        masks = unpacked(packed, space.layers)
        state = network.state_dict() | folded_weights(network.prefixes, init["weights"], masks, init["dynamic_scaling"])
        twin = PlainNetwork(space.config, space.shape)
        twin.load_state_dict(state)
        found.append(evaluate(twin, part, data.preprocessing, task=space.task)[SCORES[space.task]])
    return torch.tensor(found, dtype=torch.float64)
