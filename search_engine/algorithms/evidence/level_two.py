"""Level two: hyper-parameters alpha (prior precision) and beta (noise precision) by fixed points of the evidence or of its lower bound.

`evidence`: MacKay (1992), Bishop (2006) equations 3.91, 3.92, 3.95: with gamma = sum_i lambda_i / (lambda_i + alpha), the number of weights
that the data determine, alpha = gamma / |w*|^2 and beta = (N - gamma) / sum of squared errors. Exactly where the derivatives of Laplace's
log evidence vanish (for a model that is not linear in w: with H held fixed).

`elbo_full`, `elbo_mean_field`: the M-step of expectation maximisation with the posterior N(w*, S), S = A^-1 or its mean-field optimum
diag(1 / A_ii): alpha = P / (|w*|^2 + tr S), beta = N / (sum of squared errors + tr J S J^T). With the full covariance it has the
fixed points of `evidence` and is slower; with the mean-field one it maximises a lower bound.
"""

from __future__ import annotations

import math
from typing import Literal

import torch

from .likelihoods import GaussianLikelihood, Likelihood
from .models import Model

LevelTwo = Literal["evidence", "elbo_full", "elbo_mean_field"]
SMALLEST, LARGEST = 1e-10, 1e10
"""Bounds of both precisions: a weight that the data do not determine at all drives alpha to infinity."""


def effective_parameters(matrix: torch.Tensor, alpha: float) -> float:
    """gamma = P - alpha tr A^-1 for the precision matrix A = H + alpha I."""
    eigenvalues = torch.linalg.eigvalsh(matrix)
    return float((1 - alpha / eigenvalues.clamp_min(alpha)).sum())


def update(
    rule: LevelTwo, model: Model, likelihood: Likelihood, seen: torch.Tensor, w: torch.Tensor, matrix: torch.Tensor, alpha: float,
    beta: float,
) -> tuple[float, float]:
    """New (alpha, beta) from the most probable weights and the posterior's precision matrix there. Categorical targets keep beta."""
    size = float(w.square().sum())
    gaussian = isinstance(likelihood, GaussianLikelihood)
    error = float((model.compute(w, seen) - likelihood.targets).square().sum()) if gaussian else 0.0
    count = likelihood.targets.numel()
    if rule == "evidence":
        gamma = effective_parameters(matrix, alpha)
        return _bounded(gamma, size), _bounded(count - gamma, error) if gaussian else beta
    if rule == "elbo_full":
        covariance = torch.cholesky_inverse(torch.linalg.cholesky(matrix))
    else:
        covariance = torch.diag(1 / matrix.diagonal())
    new_alpha = _bounded(model.parameters, size + float(covariance.trace()))
    if not gaussian:
        return new_alpha, beta
    jacobian = model.jacobian(w, seen).flatten(0, 1)
    spread = float(((jacobian @ covariance) * jacobian).sum())
    return new_alpha, _bounded(count, error + spread)


def _bounded(numerator: float, denominator: float) -> float:
    if denominator <= 0:
        return LARGEST
    return min(max(numerator / denominator, SMALLEST), LARGEST)


def change(before: tuple[float, float], after: tuple[float, float]) -> float:
    """The larger change of the two in their logarithms."""
    return max(abs(math.log(new / old)) for old, new in zip(before, after, strict=True))
