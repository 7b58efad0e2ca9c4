"""Bayesian optimisation: the phases of a search and the entry. The rule stands in `search`."""

from __future__ import annotations

from ..base import NEVER_TWICE, QUICK_TRIALS, AlgorithmEntry, Phase
from .search import BayesianConfig, BayesianSearch


def phases(config: BayesianConfig) -> list[Phase]:
    return [BayesianSearch()]


ENTRY = AlgorithmEntry(
    id="bayesian",
    title="Bayesian optimisation",
    family="sampling",
    summary="A surrogate learns to predict scores from the trials so far; the next trial is where it promises most. Gaussian process, "
    "Parzen estimators, or an ensemble of networks.",
    source="Akiba et al., KDD 2019 (Optuna); Bergstra et al., NeurIPS 2011 (TPE); White et al., AAAI 2021, arXiv:1910.11858 (BANANAS)",
    needs=frozenset({"trials"}),
    space_needs=frozenset({"decisions"}),
    config=BayesianConfig,
    phases=phases,
    window=4,
    idle=(NEVER_TWICE,),
    structure=("surrogate", "plane", "marginals"),
    quick={**QUICK_TRIALS, "options": {"initial": 2, "sampler": "tpe", "window": 1}},
)
