"""The end of automatic relevance determination: the mean weights that remain, as they are."""

from __future__ import annotations

from typing import Any

import torch

from search_engine.algorithms.base import Finalist
from search_engine.datasets.base import Part, SearchData
from search_engine.events import Cost
from search_engine.spaces.plain_network import PlainNetworkSpace
from search_engine.supernets.plain_network import open_dense
from search_engine.training.evaluation import evaluate


def finish(
    space: PlainNetworkSpace, finalist: Finalist, data: SearchData, test: Part, seed: int, device: str
) -> tuple[torch.nn.Module | None, dict[str, float], Cost]:
    """Score the network of `finalist.init["network"]` (a state with masks) on the validation and the test part: score and loss of the
    task, and the share of weights that remain."""
    init: dict[str, Any] = finalist.init or {}
    with torch.random.fork_rng(devices=[]):
        network = open_dense(space)
    network.load_state_dict(init["network"])
    network.eval()
    kept = sum(int(mask.sum()) for mask in network.masks().values())
    metrics = {"weights_kept": float(kept), "share_kept": kept / space.weights}
    if init.get("noise") is not None:
        metrics["noise"] = init["noise"]
    for name, part in (("val", data.validation), ("test", test)):
        figures = evaluate(network, part, data.preprocessing, "cpu", task=space.task)
        metrics |= {f"{name}_{item}": value for item, value in figures.items()}
    return network, metrics, Cost(forward=len(data.validation) + len(test))
