"""The likelihood of a network's outputs: what each task's data are worth in nats."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from search_engine.spaces.tasks import TaskName

from .layers import floored

NOISE_FLOOR = -4.0
"""Least log standard deviation of Gaussian noise: data without noise would let it fall for ever."""


def gaussian_log_likelihood(values: torch.Tensor, targets: torch.Tensor, log_noise: torch.Tensor) -> torch.Tensor:
    """(B,) log N(targets; values, exp(log_noise)^2 I), summed over what an example has; `values` and `targets` are (B, ...)."""
    squares = ((targets - values) * (-log_noise).exp()).flatten(1).square()
    return -0.5 * squares.sum(1) - squares.shape[1] * (log_noise + 0.5 * math.log(2 * math.pi))


class TaskLikelihood(nn.Module):
    """(outputs, targets) -> (B,) log-likelihood in nats: of the right class, or of real targets under Gaussian noise of a level that is
    learnt with the weights."""

    def __init__(self, task: TaskName) -> None:
        super().__init__()
        self.task = task
        self.log_noise = nn.Parameter(torch.zeros(())) if task != "classification" else None

    @property
    def noise(self) -> torch.Tensor | None:
        """log of the noise's standard deviation, in the targets' units; None for classes."""
        return None if self.log_noise is None else floored(self.log_noise, NOISE_FLOOR)

    def forward(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.noise is None:
            return -F.cross_entropy(outputs, targets, reduction="none")
        return gaussian_log_likelihood(outputs, targets, self.noise)
