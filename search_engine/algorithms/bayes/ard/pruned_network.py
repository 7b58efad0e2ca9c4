"""The end of automatic relevance determination: the mean weights that remain, as they are."""

from __future__ import annotations

from typing import Any

import torch

from search_engine.algorithms.base import Finalist, Finished
from search_engine.algorithms.network_scorer import scorer
from search_engine.datasets.base import SearchData
from search_engine.spaces.plain_network import PlainNetworkSpace
from search_engine.supernets.plain_network import open_dense


def finish(space: PlainNetworkSpace, finalist: Finalist, data: SearchData, seed: int, device: str) -> Finished:
    """The network of `finalist.init["network"]` (a state with masks), and the share of weights that remain."""
    init: dict[str, Any] = finalist.init or {}
    with torch.random.fork_rng(devices=[]):
        network = open_dense(space)
    network.load_state_dict(init["network"])
    network.eval()
    kept = sum(int(mask.sum()) for mask in network.masks().values())
    figures = {"weights_kept": float(kept), "share_kept": kept / space.weights}
    if init.get("noise") is not None:
        figures["noise"] = init["noise"]
    return Finished(network, scorer(network, data, space.task), figures=figures)
