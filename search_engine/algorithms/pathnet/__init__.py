"""PathNet: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from ..base import ONE_FINALIST, AlgorithmEntry, Domains, Phase
from .controls import CONTROLS
from .search import PathNetConfig, PathNetTask


def _phases(options: PathNetConfig, count: int) -> list[Phase]:
    """The tasks in order, then the controls of each later one."""
    tasks: list[Phase] = [PathNetTask(task) for task in range(count)]
    return tasks + [CONTROLS[name](task) for task in range(1, count) for name in options.controls]


ENTRY = AlgorithmEntry(
    id="pathnet",
    title="PathNet",
    family="evolution",
    summary="Evolves paths through a network of modules for one task after the other. The modules on a task's best path are frozen and may "
    "be used by the next; all others begin anew.",
    source="Fernando et al. 2017, PathNet: Evolution Channels Gradient Descent in Super Neural Networks, arXiv 1701.08734",
    needs=frozenset({"weights"}),
    space_needs=frozenset({"paths", "domains"}),
    weighs_classes=True,
    config=PathNetConfig,
    phases=_phases,
    budgets=frozenset({"samples", "flops", "seconds"}),
    spaces=("modular",),
    lives="vertices of the cube",
    finale="Nothing is trained: every task's path keeps the weights that its own task left it, those of earlier tasks frozen. What a path "
    "is worth, beside training from scratch and an untrained frozen path, lies in these weights.",
    idle=(ONE_FINALIST,),
    structure=("pathways", "schemata"),
    domains=Domains(
        least=2,
        most=8,
        default=(("digits", {"labels": [0, 1, 2, 3, 4]}), ("digits", {"labels": [5, 6, 7, 8, 9]})),
        one_finalist_each=True,
    ),
    finisher="search_engine.algorithms.pathnet.finishing:finish",
    quick={"options": {"population": 6, "generations": 4, "minibatches": 5, "threshold": 0.0}},
)
