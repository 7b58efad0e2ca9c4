"""Which weights matter: the density ratio, and automatic relevance determination (MacKay 1994; Bakhteev, lecture slides 2019).

rho_i = q(w_i = 0) / q(w_i = mu_i) = exp(-mu_i^2 / (2 sigma_i^2)) with sigma the *standard deviation* of q: near 1 where zero is as likely
as the mean (the weight says nothing), near 0 where zero is far away. A weight is pruned where rho is *above* a threshold t, which is
|mu / sigma| < sqrt(-2 ln t): 3.03 for t = 0.01, 2.45 for 0.05, 1.18 for 0.5.
"""

from __future__ import annotations

import torch


def density_ratio(mu: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
    """rho per weight, in [0, 1]; `log_sigma` is the logarithm of the standard deviation."""
    return (-0.5 * mu.square() * (-2 * log_sigma).exp()).exp()


def relevant_variance(mu: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
    """The prior variance v_i = mu_i^2 + sigma_i^2 that makes KL(q || N(0, diag v)) least, each weight having its own."""
    return mu.square() + (2 * log_sigma).exp()


def kept(mu: torch.Tensor, log_sigma: torch.Tensor, threshold: float) -> torch.Tensor:
    """Bool per weight: whether rho is at most `threshold`."""
    return density_ratio(mu, log_sigma) <= threshold
