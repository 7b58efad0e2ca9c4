"""AdaNet: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from typing import Any

from search_engine.base.errors import BadInput
from search_engine.spaces.base import SearchSpace

from ..base import ONE_FINALIST, AlgorithmEntry, Idle, Phase
from .controls import CONTROLS
from .search import AdaNet, AdaNetConfig


def _phases(options: AdaNetConfig) -> list[Phase]:
    if options.initial_depth > options.deepest:
        message = f"the first depth, {options.initial_depth}, exceeds the deepest subnetwork, {options.deepest}"
        raise BadInput("options.initial_depth", message)
    if len(set(options.controls)) != len(options.controls):
        raise BadInput("options.controls", "a control is named twice")
    return [AdaNet(), *(CONTROLS[name]() for name in options.controls)]


def company(options: AdaNetConfig, space: SearchSpace[Any]) -> dict[str, str]:
    """Whether the surrogate does anything: it stands for a margin, which only two classes have; with more the loss is the cross-entropy."""
    return {} if space.shape.classes <= 2 else {"surrogate": "data of two classes"}


ENTRY = AlgorithmEntry(
    id="adanet",
    title="AdaNet",
    family="growth",
    summary="Grows an ensemble of small networks: each iteration weighs one as deep as the last against one a layer deeper, and stops when "
    "neither is worth its complexity.",
    source="Cortes, Gonzalvo, Kuznetsov, Mohri, Yang: AdaNet: Adaptive Structural Learning of Artificial Neural Networks, ICML 2017 "
    "(arXiv 1607.01097)",
    needs=frozenset({"weights"}),
    space_needs=frozenset({"ensemble"}),
    config=AdaNetConfig,
    phases=_phases,
    budgets=frozenset({"samples", "seconds"}),
    spaces=("ensemble",),
    lives="a set that grows",
    finale="Nothing is trained: the ensemble keeps its subnetworks and mixture weights. Its objective was lowered for these weights, and "
    "retraining them together would be another method.",
    idle=(
        ONE_FINALIST,
        Idle(("structure_every",), "every subnetwork that it considers is recorded"),
        Idle(
            ("space_options.most_subnetworks", "space_options.deepest", "space_options.width"),
            "how many subnetworks it grows, how deep and how wide is said by its own options",
        ),
    ),
    company="search_engine.algorithms.adanet:company",
    structure=("growth", "charts"),
    finisher="search_engine.algorithms.adanet.finishing:finish",
    quick={"options": {"iterations": 2, "width": 8, "epochs": 1, "batch_size": 256, "mixture_steps": 50}},
)
