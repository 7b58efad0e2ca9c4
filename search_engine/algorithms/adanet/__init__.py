"""AdaNet: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from search_engine.base.errors import BadInput

from ..base import AlgorithmEntry, Phase
from .controls import CONTROLS
from .search import AdaNet, AdaNetConfig


def _phases(options: AdaNetConfig) -> list[Phase]:
    if options.initial_depth > options.deepest:
        message = f"the first depth, {options.initial_depth}, exceeds the deepest subnetwork, {options.deepest}"
        raise BadInput("options.initial_depth", message)
    if len(set(options.controls)) != len(options.controls):
        raise BadInput("options.controls", "a control is named twice")
    return [AdaNet(), *(CONTROLS[name]() for name in options.controls)]


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
    structure=("growth", "charts"),
    finisher="search_engine.algorithms.adanet.finishing:finish",
    quick={"options": {"iterations": 2, "width": 8, "epochs": 1, "batch_size": 256, "mixture_steps": 50}},
)
