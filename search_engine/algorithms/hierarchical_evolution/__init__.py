"""Hierarchical evolution: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from ..base import QUICK_TRIALS, AlgorithmEntry, Phase
from .search import HierarchicalEvolution, HierarchicalEvolutionConfig


def phases(config: HierarchicalEvolutionConfig) -> list[Phase]:
    return [HierarchicalEvolution()]


ENTRY = AlgorithmEntry(
    id="hierarchical_evolution",
    title="Hierarchical evolution",
    family="evolution",
    summary="A population of motifs of motifs from which nobody is ever removed: the best of a twentieth of it, drawn at random, has a "
    "child in which one edge of one motif is another. On digits it was not seen to find better ones than as many random genomes (30 trials "
    "of 3 epochs on 400 examples, motifs of three nodes; n = 3: seeds 0, 1 and 3).",
    source="Liu, Simonyan, Vinyals, Fernando, Kavukcuoglu, ICLR 2018, arXiv:1711.00436, section 3",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"motifs"}),
    no_space_for=dict.fromkeys(
        ("vector", "series"), "Its motifs are small graphs of operations over images, stacked at three resolutions."
    ),
    config=HierarchicalEvolutionConfig,
    phases=phases,
    window=4,
    structure=("motifs", "population", "schemata"),
    advice="search_engine.algorithms.hierarchical_evolution.search:advise",
    quick={**QUICK_TRIALS, "options": {"initial": 2}, "budget": {"trials": 4}},
)
