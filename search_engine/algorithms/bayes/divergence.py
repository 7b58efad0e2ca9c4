"""KL(N(mu, diag sigma^2) || N(0, diag v)) in closed form, in nats:  1/2 sum_i ( (mu_i^2 + sigma_i^2) / v_i - 1 + log v_i - log sigma_i^2 ).

The prior is given by its *variance* v, by its *precision* 1/v, or by log v: sources mix the first two up, so the caller names what it has.
"""

from __future__ import annotations

import torch


def gaussian_kl(
    mu: torch.Tensor, log_sigma: torch.Tensor, *, variance: torch.Tensor | float | None = None,
    precision: torch.Tensor | float | None = None, log_variance: torch.Tensor | None = None,
) -> torch.Tensor:
    """The sum over all weights, a scalar; differentiable in everything. Exactly one of the three describes the prior (a number, or a
    tensor that broadcasts to mu's shape: one entry per tensor, per row, per weight). Raises ValueError for none or several."""
    return gaussian_kl_each(mu, log_sigma, variance=variance, precision=precision, log_variance=log_variance).sum()


def gaussian_kl_each(
    mu: torch.Tensor, log_sigma: torch.Tensor, *, variance: torch.Tensor | float | None = None,
    precision: torch.Tensor | float | None = None, log_variance: torch.Tensor | None = None,
) -> torch.Tensor:
    """As `gaussian_kl`, one entry per weight (mu's shape)."""
    given = [name for name, value in (("v", variance), ("p", precision), ("l", log_variance)) if value is not None]
    if len(given) != 1:
        raise ValueError("give the prior exactly once: by its variance, its precision or its log_variance")
    if variance is not None:
        log_v = torch.as_tensor(variance, dtype=mu.dtype, device=mu.device).log()
    elif precision is not None:
        log_v = -torch.as_tensor(precision, dtype=mu.dtype, device=mu.device).log()
    else:
        assert log_variance is not None
        log_v = log_variance
    log_ratio = 2 * log_sigma - log_v
    return 0.5 * (mu.square() * (-log_v).exp() + log_ratio.exp() - 1 - log_ratio)
