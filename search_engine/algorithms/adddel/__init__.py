"""AddDel: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from ..base import ONE_FINALIST, AlgorithmEntry, Domains, Phase
from .controls import CONTROLS
from .search import AddDelConfig, AddDelSearch


def _phases(options: AddDelConfig) -> list[Phase]:
    names = [name for name in dict.fromkeys(options.controls) if not (name == "add_only" and options.unit == "weight")]
    # From no weights at all no gradient says which one to add: addition alone would lose to anything.
    return [AddDelSearch(), *(CONTROLS[name]() for name in names)]


ENTRY = AlgorithmEntry(
    id="adddel",
    title="AddDel",
    family="growth",
    summary="Adds features, neurons or weights beyond the best set, then removes from there what has become superfluous, and repeats.",
    source="Popova & Strijov 2015, Systems and Means of Informatics 25(3); Informatics and Applications 9(1)",
    needs=frozenset({"weights"}),
    space_needs=frozenset({"active_set"}),
    config=AddDelConfig,
    phases=_phases,
    budgets=frozenset({"samples", "seconds"}),
    spaces=("active_set",),
    no_space_for=dict.fromkeys(("image", "series"), "It adds and deletes single features; give the examples as vectors of features."),
    lives="a set that grows and shrinks",
    idle=(ONE_FINALIST,),
    structure=("growth", "family", "charts"),
    domains=Domains(default=(("linear_gaussian", {}),)),
    finisher="search_engine.algorithms.adddel.finishing:finish",
    finale="Nothing is trained: the set keeps the weights of its last refit, on which its criterion was computed.",
    check="search_engine.algorithms.adddel.search:check",
    company="search_engine.algorithms.adddel.search:company",
    quick={"options": {"controls": ["add_only"], "bootstrap": 2, "cycles": 1, "overshoot": 1}, "dataset_options": [{"features": 5}]},
)
