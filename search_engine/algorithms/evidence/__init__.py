"""Two-level Bayesian inference: weights by their posterior, hyper-parameters and model by the evidence (MacKay 1992; Bishop 2006,
sections 3.4, 3.5, 4.4, 5.7 and 10.1).

A model is a function f(x, w) of a flat weight vector w with the prior p(w | h) = N(0, I / alpha) and a likelihood p(D | w, h), Gaussian of
precision beta or categorical. Level one: w* = argmax p(D | w) p(w | h) / p(D | h). Level two: h, and the model itself, by the largest
evidence p(D | h) = integral of p(D | w) p(w | h) dw. All logarithms are natural: everything is in nats.
"""

from __future__ import annotations

from search_engine.spaces.basis_expansion import BasisExpansionSpace

from ..base import AlgorithmEntry, Domains, Phase
from .search import EvidenceConfig, EvidenceSearch


def _phases(options: EvidenceConfig) -> list[Phase]:
    return [EvidenceSearch()]


def company(options: EvidenceConfig, space: BasisExpansionSpace) -> dict[str, str]:
    """What a closed form leaves nothing to do for, and what noise has that classes have not."""
    regression, linear = space.task == "regression", "tanh" not in space.config.bases
    found = {} if regression else {"initial_beta": "a regression"}
    if linear:
        found["hessian"] = "space_options.bases with tanh"
        if regression:
            found["level_one_steps"] = "space_options.bases with tanh, or classes"
    return found


ENTRY = AlgorithmEntry(
    id="evidence",
    title="Bayesian evidence",
    family="probabilistic",
    summary="Infers the weights of every model and compares the models by their evidence: the fit, less what the data leave of the prior. "
    "No validation data are needed to choose.",
    source="MacKay 1992, Bayesian Interpolation; Bishop 2006, Pattern Recognition and Machine Learning; Bakhteev, lecture slides 2019; "
    "Burda et al. 2016 (importance-weighted bound)",
    needs=frozenset({"weights"}),
    space_needs=frozenset({"enumerate"}),
    config=EvidenceConfig,
    phases=_phases,
    budgets=frozenset({"samples", "seconds"}),
    spaces=("basis_expansion",),
    no_space_for=dict.fromkeys(
        ("image", "series"),
        "It compares sums of known functions of single features; give the examples as vectors of features.",
    ),
    lives="a list of models",
    metric="log_evidence",
    finale="Nothing is trained: the model keeps its most probable weights under the hyper-parameters that the evidence chose. Another "
    "training would be another posterior.",
    structure=("charts",),
    domains=Domains(default=(("polynomial", {}),)),
    finisher="search_engine.algorithms.evidence.finishing:finish",
    company="search_engine.algorithms.evidence:company",
    quick={"space_options": {"max_degree": 2}, "options": {"importance_samples": 10, "repeats": 2, "tolerance": 0.01}},
)
