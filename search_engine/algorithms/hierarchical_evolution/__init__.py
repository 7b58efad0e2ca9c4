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
    "child in which one edge of one motif is another.",
    source="Liu, Simonyan, Vinyals, Fernando, Kavukcuoglu, ICLR 2018, arXiv:1711.00436, section 3",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"motifs"}),
    config=HierarchicalEvolutionConfig,
    phases=phases,
    window=4,
    structure=("motifs", "population"),
    finale="The best genome of the search is trained anew, beside random ones of about its size. On digits no advantage over as many random "
    "genomes was seen: 30 trials of 3 epochs on 400 examples with 6 random individuals, on three motifs of three nodes and a cell of four, "
    "seeds 0, 1 and 3 (n = 3); the best validation accuracy was lower in all three pairs, the test accuracy higher in two.",
    advice="search_engine.algorithms.hierarchical_evolution.search:advise",
    quick={**QUICK_TRIALS, "options": {"initial": 2}, "budget": {"trials": 4}},
)
