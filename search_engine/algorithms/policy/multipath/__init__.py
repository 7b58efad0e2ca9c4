"""Multi-path NAS: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from search_engine.algorithms.base import ONE_FINALIST, AlgorithmEntry, Domains, Idle, Phase
from search_engine.base.errors import BadInput

from .search import CommonControllerControl, MultiPathConfig, MultiPathSearch


def _phases(options: MultiPathConfig, count: int) -> list[Phase]:
    """Raises BadInput(field "options.targets")."""
    if options.targets and (len(options.targets) != count or not all(0 < target <= 1 for target in options.targets)):
        raise BadInput("options.targets", f"give one accuracy in (0, 1] for each of {count} data sets, or none")
    return [MultiPathSearch(), CommonControllerControl()] if options.control else [MultiPathSearch()]


ENTRY = AlgorithmEntry(
    id="multipath",
    title="Multi-path NAS",
    family="sampling",
    summary="Searches one network for several data sets at once: each has a controller that picks its path through shared modules.",
    source="Wang, Ke, ..., Go et al.: Multi-path Neural Networks for On-device Multi-domain Visual Classification, WACV 2021 "
    "(arXiv 2010.04904)",
    needs=frozenset({"gradients"}),
    space_needs=frozenset({"paths", "decisions", "domains"}),
    config=MultiPathConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    spaces=("domain_paths",),
    no_space_for=dict.fromkeys(
        ("vector", "series"),
        "Its data sets share convolutions over images; each brings a stem of its own and takes a module per layer.",
    ),
    lives="simplex vertices, one path per data set",
    finale="All paths are trained together from scratch by the house's recipe, one batch of every data set in a step with equal weights: "
    "the claim is which modules the data sets should share, and the search's weights were shared with every other path.",
    idle=(ONE_FINALIST, Idle(("finale.redundancy",), "what can be removed is not measured of a network of several data sets")),
    structure=("domains",),
    domains=Domains(
        least=2, most=8, default=(("digits", {"labels": [0, 1, 2, 3, 4]}), ("digits", {"labels": [5, 6, 7, 8, 9]})),
    ),
    quick={
        "options": {"steps": 4, "warm_up": 2, "batch_size": 16, "reward_batch_size": 16},
        "space_options": {"layers": 3, "modules": ["nor_conv_1x1", "nor_conv_1x1", "skip_connect"], "channels": 2},
        "finale": {"baselines": 1, "training": {"epochs": 1, "train_examples": 128}},
    },
)
