"""Two-level Bayesian inference: weights by their posterior, hyper-parameters and model by the evidence (MacKay 1992; Bishop 2006,
sections 3.4, 3.5, 4.4, 5.7 and 10.1).

A model is a function f(x, w) of a flat weight vector w with the prior p(w | h) = N(0, I / alpha) and a likelihood p(D | w, h), Gaussian of
precision beta or categorical. Level one: w* = argmax p(D | w) p(w | h) / p(D | h). Level two: h, and the model itself, by the largest
evidence p(D | h) = integral of p(D | w) p(w | h) dw. All logarithms are natural: everything is in nats.
"""

from __future__ import annotations

from ..base import AlgorithmEntry, Domains, Phase
from .search import EvidenceConfig, EvidenceSearch


def _phases(options: EvidenceConfig) -> list[Phase]:
    return [EvidenceSearch()]


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
    lives="a list of models",
    metric="log_evidence",
    structure=("charts",),
    domains=Domains(default=(("polynomial", {}),)),
    finisher="search_engine.algorithms.evidence.finishing:finish",
    quick={"space_options": {"max_degree": 2}, "options": {"importance_samples": 10, "repeats": 2, "tolerance": 0.01}},
)
