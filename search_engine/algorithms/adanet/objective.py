"""The objective of an ensemble (Cortes et al. 2017, equation 4; Bakhteev's lecture slides of 2019 call it Q):

    F(w) = 1/m sum over i of  Phi(1 - y_i f(x_i))  +  sum over j of  (lambda r(h_j) + beta) |w_j|,       f = sum over j of  w_j h_j

Phi is a convex surrogate of the 0-1 loss: log(1 + e^u) or e^u. With more than two classes there is no y_i f(x_i); there the loss is the
softmax cross-entropy of the summed outputs, which is convex in w as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn import functional

SurrogateName = Literal["logistic", "exponential"]


def losses(outputs: torch.Tensor, labels: torch.Tensor, surrogate: SurrogateName) -> torch.Tensor:
    """The loss of each example, (B,), in nats. `outputs` f (B, 1) for two classes (labels 0 and 1), else (B, classes); labels (B,)."""
    if outputs.shape[1] > 1:
        return functional.cross_entropy(outputs, labels, reduction="none")
    slack = 1 - (2 * labels.to(outputs.dtype) - 1) * outputs[:, 0]
    return functional.softplus(slack) if surrogate == "logistic" else slack.exp()


@dataclass(frozen=True)
class Value:
    """The objective at one point and its two parts."""

    loss: float
    penalty: float

    @property
    def total(self) -> float:
        return self.loss + self.penalty


@dataclass(frozen=True)
class Objective:
    """F as a function of w alone: the subnetworks' outputs on the training part are fixed.

    `outputs` (N, m, K) float64, `labels` (m,), `penalties` (N,) float64: lambda r(h_j) + beta.
    """

    outputs: torch.Tensor
    labels: torch.Tensor
    penalties: torch.Tensor
    surrogate: SurrogateName

    def loss(self, weights: torch.Tensor) -> torch.Tensor:
        """The mean loss, differentiable in `weights` (N,)."""
        return losses(torch.einsum("n,nmk->mk", weights, self.outputs), self.labels, self.surrogate).mean()

    def value(self, weights: torch.Tensor) -> Value:
        with torch.no_grad():
            return Value(float(self.loss(weights)), float((self.penalties * weights.abs()).sum()))
