"""Weight agnostic neural networks: the phases of a search and the entry.

- `search`: the rule; the genes themselves are `search_engine.spaces.neuron_genes`.
- `ranking`: non-dominated sorting with crowding distance.
- `concatenated`, `padded`, `evaluation`: population x shared weights in one go.
- `records`: a generation as a small record from which every individual can be rebuilt; `champions` draws the best.
- `fronts`: fitness against connections, over the generations.
- `four_numbers`: the finale of a weight-agnostic network; `shared_weight` draws its sweep, `controls` stand beside it.
"""

from __future__ import annotations

from ..base import AlgorithmEntry, Idle, Phase
from .search import WannConfig, WannSearch


def _phases(options: WannConfig) -> list[Phase]:
    return [WannSearch()]


ENTRY = AlgorithmEntry(
    id="wann",
    title="WANN",
    family="evolution",
    summary="Grows graphs of neurons whose edges all share one weight; a graph is ranked over several values of it, so that its structure "
    "counts. At the end the weights are tuned and trained as well.",
    source="Gaier & Ha 2019, Weight Agnostic Neural Networks, arXiv:1906.04358",
    needs=frozenset({"weights"}),
    space_needs=frozenset({"growth"}),
    config=WannConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    spaces=("neuron_graph",),
    lives="a graph that grows",
    finale="The graph is measured as it is, with random shared weights, as an ensemble over them and at the best one; only the fourth "
    "number has weights of its own, trained by the finisher's 400 steps of Adam from the best shared one. The claim is the first three.",
    idle=(Idle(("structure_every",), "every generation is recorded"),),
    structure=("growth", "charts", "population", "schemata"),
    metric_note="shared weights",
    finisher="search_engine.algorithms.wann.four_numbers:finish",
    quick={"options": {"population": 12, "generations": 4, "batch_size": 64}},
)
