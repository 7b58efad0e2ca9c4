"""The prior N(0, v_i) of every weight, whose *variance* v_i is learnt: automatic relevance determination (MacKay 1994)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import nn

from .conversion import posteriors
from .divergence import gaussian_kl
from .relevance import relevant_variance

VarianceRule = Literal["closed_form", "gradient", "fixed"]


class RelevancePrior(nn.Module):
    """Calling it gives KL(q || p) over all Bayesian weights of `network`, in nats.

    closed_form: v_i = mu_i^2 + sigma_i^2, the best there is for the weights of now; the divergence is then 1/2 sum log(1 + mu^2 / sigma^2).
    gradient: log v_i are parameters, learnt with the weights. fixed: v_i = `variance` for ever, so that nothing is determined.
    """

    def __init__(self, network: nn.Module, rule: VarianceRule, variance: float = 1.0) -> None:
        super().__init__()
        self.rule = rule
        self.log_variances = nn.ParameterList(
            [
                nn.Parameter(torch.full_like(item.mu.detach(), math.log(variance)), requires_grad=rule == "gradient")
                for _, item in posteriors(network)
            ]
        )

    def log_variance(self, place: int, mu: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
        """log v of the tensor number `place` in the order of `posteriors`."""
        if self.rule == "closed_form":
            return relevant_variance(mu, log_sigma).log()
        value: torch.Tensor = self.log_variances[place]
        return value

    def forward(self, network: nn.Module) -> torch.Tensor:
        total: torch.Tensor = sum(  # type: ignore[assignment]
            gaussian_kl(item.mu, item.log_sigma, log_variance=self.log_variance(place, item.mu, item.log_sigma))
            for place, (_, item) in enumerate(posteriors(network))
        )
        return total
