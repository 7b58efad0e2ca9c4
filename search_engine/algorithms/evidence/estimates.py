"""Estimates of the log evidence log p(D | h), all in nats and all for the whole training part.

| estimate | what it is | when exact |
| --- | --- | --- |
| exact | the marginal likelihood of a linear-Gaussian model, in closed form | always |
| Laplace | log p(D, w*) + P/2 log 2 pi - 1/2 log det A (MacKay 1992) | the posterior is Gaussian |
| ELBO | E_q log p(D, w) + entropy of q <= log p(D) | q is the posterior |
| importance-weighted | E log 1/k sum_i p(D, w_i) / q(w_i) <= log p(D), rising in k (Burda et al. 2016) | k -> infinity |

q is Gaussian around w*, with covariance A^-1 or, factorised over the weights, the best of that kind for a Gaussian posterior,
diag(1 / A_ii) (Bishop 2006, section 10.1.2). The importance-weighted bound takes its draws from the mean-field q, so
that it shows what weighing gains.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch

from .level_one import log_joint, precision
from .likelihoods import GaussianLikelihood, Likelihood
from .models import LinearModel, Model

Covariance = Literal["full", "mean_field"]
CHUNK = 200
"""Draws that are evaluated at once."""
LOG_2_PI = math.log(2 * math.pi)


class Posterior(NamedTuple):
    """A Gaussian around the most probable weights `mean` (P,) with precision matrix `matrix` (P, P), of one model on one part."""

    model: Model
    likelihood: Likelihood
    seen: torch.Tensor
    mean: torch.Tensor
    matrix: torch.Tensor
    alpha: float
    beta: float

    @property
    def quadratic(self) -> bool:
        """Whether the log joint is a quadratic function of the weights."""
        return self.model.linear and isinstance(self.likelihood, GaussianLikelihood)

    def joint(self, w: torch.Tensor) -> torch.Tensor:
        return log_joint(self.model, self.likelihood, self.seen, w, self.alpha, self.beta)


def posterior_at(
    model: Model, likelihood: Likelihood, seen: torch.Tensor, w: torch.Tensor, alpha: float, beta: float, hessian: str = "gauss_newton"
) -> Posterior:
    """The Gaussian around the weights w (P,). An exact Hessian (`full`) that is not positive definite (w is not a minimum to the last
    digit, or a flat direction) gives way to its Gauss-Newton part."""
    matrix = precision(model, likelihood, seen, w, alpha, beta, hessian)
    if hessian == "full" and int(torch.linalg.cholesky_ex(matrix)[1]) != 0:
        matrix = precision(model, likelihood, seen, w, alpha, beta)
    return Posterior(model, likelihood, seen, w, matrix, alpha, beta)


class Bound(NamedTuple):
    """A bound's value and the standard error of its estimate (0 where it is in closed form)."""

    value: float
    error: float


def exact(posterior: Posterior) -> float:
    """log N(y | 0, I / beta + Phi Phi^T / alpha), summed over outputs; linear-Gaussian models only.

    By the singular values of Phi: along a left singular vector y has variance 1/beta + s^2/alpha, across them 1/beta. Independent of
    the Laplace formula on purpose: neither w* nor a Hessian is in it.
    """
    model, y = posterior.model, posterior.likelihood.targets
    if not posterior.quadratic or not isinstance(model, LinearModel):
        raise TypeError("only a linear model with Gaussian noise has its evidence in closed form")
    left, values, _ = torch.linalg.svd(posterior.seen, full_matrices=False)
    noise = 1 / posterior.beta
    along = noise + values.square() / posterior.alpha
    shares = (left.T @ y).square()
    across = y.square().sum(0) - shares.sum(0)
    count, rank = len(y), len(values)
    logs = along.log().sum() + (count - rank) * math.log(noise) + count * LOG_2_PI
    return float(-0.5 * (logs + (shares / along.unsqueeze(1)).sum(0) + across / noise).sum())


def log_determinant(matrix: torch.Tensor) -> float:
    """log det of a positive definite matrix."""
    return 2 * float(torch.linalg.cholesky(matrix).diagonal().log().sum())


def laplace(posterior: Posterior) -> float:
    """log p(D, w*) + P/2 log 2 pi - 1/2 log det A."""
    size = posterior.model.parameters
    return float(posterior.joint(posterior.mean)) + 0.5 * size * LOG_2_PI - 0.5 * log_determinant(posterior.matrix)


def occam_factor(posterior: Posterior, log_evidence: float) -> float:
    """log evidence - log p(D | w*): what the model pays for the share of its prior that the data leave it; at most 0 (MacKay 1992)."""
    return log_evidence - float(posterior.likelihood.log(posterior.model.compute(posterior.mean, posterior.seen), posterior.beta))


class _Gaussian:
    """q around w*: draws and densities."""

    def __init__(self, posterior: Posterior, covariance: Covariance) -> None:
        self.mean = posterior.mean
        self.size = len(self.mean)
        if covariance == "full":
            # A = L L^T, so w* + L^-T e has covariance A^-1.
            self.factor: torch.Tensor | None = torch.linalg.cholesky(posterior.matrix)
            self.log_scale = -float(self.factor.diagonal().log().sum())
        else:
            self.factor = None
            self.deviation = posterior.matrix.diagonal().rsqrt()
            self.log_scale = float(self.deviation.log().sum())

    @property
    def entropy(self) -> float:
        return 0.5 * self.size * (1 + LOG_2_PI) + self.log_scale

    def draw(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(count, P) weights and (count,) log q of them."""
        noise = torch.randn(count, self.size, generator=generator, dtype=self.mean.dtype)
        if self.factor is None:
            moved = noise * self.deviation
        else:
            moved = torch.linalg.solve_triangular(self.factor.T, noise.T, upper=True).T
        return self.mean + moved, -0.5 * (self.size * LOG_2_PI + noise.square().sum(-1)) - self.log_scale


def elbo(posterior: Posterior, covariance: Covariance, draws: int, generator: torch.Generator) -> Bound:
    """The evidence lower bound of q. In closed form where the log joint is quadratic (E = log p(D, w*) - 1/2 tr A S), else by `draws`."""
    q = _Gaussian(posterior, covariance)
    if posterior.quadratic:
        spread = float(q.size) if covariance == "full" else float((posterior.matrix.diagonal() * q.deviation.square()).sum())
        return Bound(float(posterior.joint(posterior.mean)) - 0.5 * spread + q.entropy, 0.0)
    values = log_weights(posterior, covariance, draws, generator)
    return Bound(float(values.mean()), float(values.std() / math.sqrt(draws)) if draws > 1 else 0.0)


def log_weights(posterior: Posterior, covariance: Covariance, draws: int, generator: torch.Generator) -> torch.Tensor:
    """(draws,) log p(D, w_i) - log q(w_i) with w_i from q."""
    q = _Gaussian(posterior, covariance)
    pieces = []
    for start in range(0, draws, CHUNK):
        w, log_q = q.draw(min(CHUNK, draws - start), generator)
        pieces.append(posterior.joint(w) - log_q)
    return torch.cat(pieces)


def importance_weighted(values: torch.Tensor, k: int) -> Bound:
    """The mean over groups of k of log 1/k sum exp `values`; what does not fill a group is left out. Raises ValueError for too few."""
    groups = len(values) // max(k, 1)
    if k < 1 or groups < 1:
        raise ValueError(f"{len(values)} draws do not make a group of {k}")
    each = values[: groups * k].view(groups, k).logsumexp(1) - math.log(k)
    return Bound(float(each.mean()), float(each.std() / math.sqrt(groups)) if groups > 1 else 0.0)
