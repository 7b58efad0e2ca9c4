"""Supermasks: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from search_engine.algorithms.base import ONE_FINALIST, AlgorithmEntry, Idle, Phase

from .controls import UntrainedMasks
from .search import SupermaskConfig, SupermaskSearch


def _phases(options: SupermaskConfig) -> list[Phase]:
    return [SupermaskSearch(), UntrainedMasks()]


ENTRY = AlgorithmEntry(
    id="supermask",
    title="Supermask (Zhou, edge-popup)",
    family="gradient",
    summary="Never trains a weight: learns only which weights of a random network to keep, by the loss of what is kept.",
    source="Zhou et al.: Deconstructing Lottery Tickets, NeurIPS 2019 (arXiv 1905.01067); Ramanujan et al., CVPR 2020 (arXiv 1911.13299)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"masks"}),
    weighs_classes=True,
    config=SupermaskConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    spaces=("plain",),
    lives="vertices of the cube",
    idle=(ONE_FINALIST, Idle(("structure_every",), "its own score_every says how often the mask is recorded")),
    structure=("mask", "charts"),
    finale="Nothing is trained: the mask is tested over the weights that it was found for, and so is a random mask of the same size. The "
    "claim is that no weight was ever trained.",
    finisher="search_engine.algorithms.pruning.supermask.finishing:finish",
    check="search_engine.algorithms.pruning.supermask.search:check",
    quick={"options": {"steps": 6, "score_every": 3, "sampled_masks": 2}, "space_options": {"widths": [16]}},
)
