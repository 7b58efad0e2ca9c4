"""ENAS: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from ..base import AlgorithmEntry, Idle, Phase
from .random_paths import RandomPaths
from .search import Enas, EnasConfig


def _phases(options: EnasConfig) -> list[Phase]:
    return [Enas(), RandomPaths()]


ENTRY = AlgorithmEntry(
    id="enas",
    title="ENAS",
    family="sampling",
    summary="One super-network shares its weights among all architectures; a controller learns which paths through it validate best.",
    source="Pham, Guan, Zoph, Le, Dean: Efficient Neural Architecture Search via Parameter Sharing, ICML 2018 (arXiv 1802.03268)",
    needs=frozenset({"weights"}),
    space_needs=frozenset({"decisions", "paths"}),
    weighs_classes=True,
    config=EnasConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    # The paper's macro space first, then its micro space's kin.
    spaces=("macro", "cell", "nb201", "macro_1d", "cell_1d", "tabular_cell"),
    lives="simplex vertices, weights shared",
    finale="The policy's best path is trained from scratch by the house's recipe, beside the best of as many random paths trained in the "
    "same way: the claim is about what the controller chooses, and the shared weights only rank.",
    idle=(
        Idle(
            ("options.skip_target", "options.skip_weight"), "its layers have no skip connections to choose",
            ("cell", "nb201", "cell_1d", "tabular_cell"),
        ),
    ),
    structure=("policy", "family"),
    quick={
        "options": {
            "epochs": 2, "warm_up_epochs": 1, "batch_size": 512, "controller_steps": 2, "arcs": 2, "reward_batch_size": 32, "hidden": 8,
            "final_samples": 2,
        },
        "space_options": {"layers": 3, "search_channels": 2},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128, "channels": 4}},
    },
)
