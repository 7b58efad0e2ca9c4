"""Level one: the most probable weights w* = argmax log p(D | w) + log p(w | alpha), by damped Gauss-Newton steps.

Levenberg (1944) and Marquardt (1963): w + (H + mu I)^-1 g with the Gauss-Newton matrix H and the gradient g of the log posterior; mu
falls after a step that raises it and rises until one does. For a model that is linear in w the matrix is the exact Hessian: with Gaussian
noise the first step is the solution, with categorical targets this is Newton's method on a concave function.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .likelihoods import Likelihood
from .models import Model

TOLERANCE = 1e-10
"""Nats that the next step still promises when w counts as the most probable weights."""
TRIES = 30
"""Dampings per step, each ten times the one before."""


@dataclass(frozen=True)
class Progress:
    """Weights (P,) after a step, the damping for the next one, and whether w is the mode. `tries` counts evaluations of the posterior."""

    weights: torch.Tensor
    damping: float
    converged: bool
    tries: int


def log_joint(model: Model, likelihood: Likelihood, seen: torch.Tensor, w: torch.Tensor, alpha: float, beta: float) -> torch.Tensor:
    """log p(D | w) + log p(w | alpha) of weights (..., P) -> (...), with the prior's normaliser, in nats."""
    prior = 0.5 * (model.parameters * (torch.tensor(alpha, dtype=w.dtype) / (2 * torch.pi)).log() - alpha * w.square().sum(-1))
    return likelihood.log(model.compute(w, seen), beta) + prior


def precision(
    model: Model, likelihood: Likelihood, seen: torch.Tensor, w: torch.Tensor, alpha: float, beta: float, hessian: str = "gauss_newton"
) -> torch.Tensor:
    """(P, P): minus the second derivative of the log joint at w, exact (`full`) or its Gauss-Newton part (equal for linear models)."""
    if hessian == "full" and not model.linear:
        second: torch.Tensor = torch.autograd.functional.hessian(  # type: ignore[no-untyped-call]
            lambda v: -log_joint(model, likelihood, seen, v, alpha, beta), w
        )
        return second
    curvature = likelihood.curvature(model.compute(w, seen), model.jacobian(w, seen), beta)
    return curvature + alpha * torch.eye(model.parameters, dtype=w.dtype)


def step(
    model: Model, likelihood: Likelihood, seen: torch.Tensor, w: torch.Tensor, alpha: float, beta: float, damping: float
) -> Progress:
    """One damped step; where it promises next to nothing, w counts as converged."""
    outputs, jacobian = model.compute(w, seen), model.jacobian(w, seen)
    gradient = torch.einsum("nkp,nk->p", jacobian, likelihood.gradient(outputs, beta)) - alpha * w
    matrix = likelihood.curvature(outputs, jacobian, beta)
    matrix.diagonal().add_(alpha)
    before = float(log_joint(model, likelihood, seen, w, alpha, beta))
    identity = torch.eye(model.parameters, dtype=w.dtype)
    for tries in range(1, TRIES + 1):
        factor, info = torch.linalg.cholesky_ex(matrix + damping * identity)
        if int(info) == 0:
            move = torch.cholesky_solve(gradient.unsqueeze(1), factor).squeeze(1)
            promised = 0.5 * float(gradient @ move)
            if promised < TOLERANCE:
                # So close to the mode the step is right to more digits than the log joint can show.
                return Progress(w + move, damping, True, tries)
            after = float(log_joint(model, likelihood, seen, w + move, alpha, beta))
            if after > before:
                return Progress(w + move, damping / 10 if damping > 1e-9 else 0.0, False, tries)
        damping = max(10 * damping, 1e-6)
    # No step of any length gains anything that float64 can tell.
    return Progress(w, 0.0, True, TRIES)
