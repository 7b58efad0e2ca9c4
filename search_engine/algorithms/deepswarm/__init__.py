"""DeepSwarm: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from ..base import AlgorithmEntry, Phase
from .search import DeepSwarm, DeepSwarmConfig, DeepSwarmFromScratch


def phases(config: DeepSwarmConfig) -> list[Phase]:
    return [DeepSwarm() if config.inherit else DeepSwarmFromScratch()]


ENTRY = AlgorithmEntry(
    id="deepswarm",
    title="DeepSwarm ant colony",
    family="sampling",
    summary="Ants walk through a graph of layers that grows by one column per generation; good paths gather pheromone, and a longer "
    "network takes over the trained layers of the best earlier one that begins alike.",
    source="Byla and Pang, UKCI 2019, arXiv:1905.07350",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"sample"}),
    objectives="shares",
    config=DeepSwarmConfig,
    phases=phases,
    spaces=("node_chain",),
    finale="The best path's network is trained anew from new weights, not from those that its ant inherited, as the trials trained theirs "
    "and for longer: what it scores is its own, whatever its predecessors had learned.",
    structure=("colony",),
    quick={
        "options": {"ant_count": 2, "max_depth": 2},
        "budget": {"trials": 5},
        "training": {"epochs": 1, "train_examples": 128},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128}},
    },
)
