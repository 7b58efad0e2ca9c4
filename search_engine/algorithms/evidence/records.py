"""What is known of a model whose inference has ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from search_engine.spaces.genomes import Genome

from .estimates import Bound, Posterior, elbo, exact, importance_weighted, laplace, log_weights, occam_factor
from .inference import Inference, largest_log_likelihood
from .level_two import effective_parameters
from .problem import Examples

ESTIMATES: dict[str, str] = {
    "exact": "exact", "laplace": "Laplace", "elbo_full": "ELBO, full covariance", "importance_weighted": "importance-weighted",
    "elbo_mean_field": "ELBO, mean field",
}
"""Names and titles, from the tightest to the loosest."""
BOUND_POINTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass
class Record:
    """A fitted model. All logarithms in nats over the whole training part; `weights` are w*, in the order of `evidence.models`."""

    genome: dict[str, Any]
    basis: str
    degree: int
    parameters: int
    weights: torch.Tensor
    alpha: float
    beta: float
    gamma: float
    """How many weights the data determine."""
    log_evidence: float
    """By the estimate that ranks."""
    log_likelihood: float
    """log p(D | w*, beta): the fit."""
    largest_log_likelihood: float
    occam: float
    train_loss: float
    train_score: float
    val_loss: float
    val_score: float
    estimates: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    """Standard errors of the estimates that were drawn."""
    bound_k: list[int] = field(default_factory=list)
    bound: list[float] = field(default_factory=list)
    """The importance-weighted bound with k draws, for each k."""
    trace: list[list[float]] = field(default_factory=list)
    """alpha, beta, Laplace's log evidence before each update of the hyper-parameters."""

    def state(self) -> dict[str, Any]:
        """A checkpoint tree."""
        return {**{key: value for key, value in asdict(self).items() if key != "weights"}, "weights": self.weights}

    @staticmethod
    def from_state(state: dict[str, Any]) -> Record:
        return Record(**state)


def best_of(estimates: dict[str, float], wanted: str) -> float:
    """The estimate that ranks; `auto` = the closed form where there is one, else Laplace."""
    if wanted == "auto":
        wanted = "exact" if "exact" in estimates else "laplace"
    return estimates[wanted]


def estimate_all(
    posterior: Posterior, k: int, repeats: int, generator: torch.Generator
) -> tuple[dict[str, Bound], list[int], list[float]]:
    """Every estimate that applies, and the importance-weighted bound against k from the same draws.

    Each speaks of one mode; where symmetries repeat it, the log of their number is added to all.
    """
    modes = posterior.model.log_modes
    draws = k * repeats
    found = {"laplace": Bound(laplace(posterior), 0.0)}
    if posterior.quadratic:
        found["exact"] = Bound(exact(posterior), 0.0)
    found["elbo_full"] = elbo(posterior, "full", draws, generator)
    found["elbo_mean_field"] = elbo(posterior, "mean_field", draws, generator)
    values = log_weights(posterior, "mean_field", draws, generator)
    found["importance_weighted"] = importance_weighted(values, k)
    sizes = sorted({size for size in BOUND_POINTS if size < k} | {k})
    curve = [importance_weighted(values, size).value + modes for size in sizes]
    return {name: Bound(bound.value + modes, bound.error) for name, bound in found.items()}, sizes, curve


def record(
    inference: Inference, genome: Genome, basis: str, degree: int, wanted: str, k: int, repeats: int, validation: Examples,
    train: Examples, generator: torch.Generator,
) -> Record:
    """The record of an inference that has ended."""
    posterior = inference.posterior()
    found, sizes, curve = estimate_all(posterior, k, repeats, generator)
    estimates = {name: bound.value for name, bound in found.items()}
    log_evidence = best_of(estimates, wanted)
    model, weights = inference.model, inference.weights
    train_loss, train_score = train.score(model.compute(weights, inference.seen))
    val_loss, val_score = validation.score(model.compute(weights, model.see(validation.inputs)))
    return Record(
        genome=genome.to_json(), basis=basis, degree=degree, parameters=model.parameters, weights=weights,
        alpha=inference.alpha, beta=inference.beta, gamma=effective_parameters(posterior.matrix, inference.alpha),
        log_evidence=log_evidence, log_likelihood=inference.log_likelihood, largest_log_likelihood=largest_log_likelihood(inference),
        occam=occam_factor(posterior, log_evidence), train_loss=train_loss, train_score=train_score, val_loss=val_loss,
        val_score=val_score, estimates=estimates, errors={name: bound.error for name, bound in found.items() if bound.error > 0},
        bound_k=sizes, bound=curve, trace=[list(item) for item in inference.trace],
    )
