"""Automatic relevance determination of weights: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from search_engine.algorithms.base import ONE_FINALIST, AlgorithmEntry, Phase

from .search import ArdConfig, ArdSearch, FixedPrior


def _phases(options: ArdConfig) -> list[Phase]:
    return [ArdSearch(), *([FixedPrior()] if options.control else [])]


ENTRY = AlgorithmEntry(
    id="ard",
    title="Automatic relevance determination",
    family="probabilistic",
    summary="Learns for every weight how much the data need it, and removes those that are as well described by zero.",
    source="MacKay 1994; Bakhteev, lecture slides 2019 and PhD thesis 2020; Kingma, Salimans, Welling 2015 (local reparameterisation)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"masks"}),
    config=ArdConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    spaces=("plain",),
    lives="the cube",
    idle=(ONE_FINALIST,),
    structure=("mask", "charts"),
    finale="Nothing is trained: the weights keep their means, and those that zero describes as well are gone. What a weight may be removed "
    "for is measured on this posterior.",
    finisher="search_engine.algorithms.bayes.ard.pruned_network:finish",
    quick={"options": {"steps": 6, "batch_size": 32}, "space_options": {"widths": [16]}},
)
