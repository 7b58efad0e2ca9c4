"""p(D | w, h) as a function of a model's outputs: its logarithm, gradient and curvature. Sums over examples, in nats."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch.nn import functional as F


class Likelihood(ABC):
    """`targets` are (N, K) float64 or (N,) int64."""

    def __init__(self, targets: torch.Tensor) -> None:
        self.targets = targets

    @abstractmethod
    def log(self, outputs: torch.Tensor, beta: float) -> torch.Tensor:
        """Outputs (..., N, K) -> (...)."""

    @abstractmethod
    def gradient(self, outputs: torch.Tensor, beta: float) -> torch.Tensor:
        """(N, K): d log p / d outputs."""

    @abstractmethod
    def curvature(self, outputs: torch.Tensor, jacobian: torch.Tensor, beta: float) -> torch.Tensor:
        """(P, P): the Gauss-Newton matrix of -log p, the sum over examples of J^T (-d^2 log p / d outputs^2) J."""


class GaussianLikelihood(Likelihood):
    """y = f + e / sqrt(beta): noise of precision beta, the same for all outputs."""

    def log(self, outputs: torch.Tensor, beta: float) -> torch.Tensor:
        error = (outputs - self.targets).square().sum(dim=(-2, -1))
        return 0.5 * (self.targets.numel() * math.log(beta / (2 * math.pi)) - beta * error)

    def gradient(self, outputs: torch.Tensor, beta: float) -> torch.Tensor:
        return beta * (self.targets - outputs)

    def curvature(self, outputs: torch.Tensor, jacobian: torch.Tensor, beta: float) -> torch.Tensor:
        flat = jacobian.flatten(0, 1)
        return beta * (flat.T @ flat)


class CategoricalLikelihood(Likelihood):
    """Outputs are logits; there is no noise precision."""

    def log(self, outputs: torch.Tensor, beta: float) -> torch.Tensor:
        chosen = outputs.log_softmax(-1).gather(-1, self.targets.expand(outputs.shape[:-1]).unsqueeze(-1))
        return chosen.sum(dim=(-2, -1))

    def gradient(self, outputs: torch.Tensor, beta: float) -> torch.Tensor:
        return F.one_hot(self.targets, outputs.shape[-1]).to(outputs.dtype) - outputs.softmax(-1)

    def curvature(self, outputs: torch.Tensor, jacobian: torch.Tensor, beta: float) -> torch.Tensor:
        # J^T (diag p - p p^T) J = J^T diag(p) J - (p J)^T (p J) over outputs, example by example.
        share = outputs.softmax(-1)
        centred = jacobian - torch.einsum("nk,nkp->np", share, jacobian).unsqueeze(1)
        flat = (centred * share.sqrt().unsqueeze(-1)).flatten(0, 1)
        return flat.T @ flat
