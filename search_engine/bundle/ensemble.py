"""Several networks as one: the mean of what they answer.

Of classes it is the mean of the probabilities, as in L. K. Hansen and P. Salamon, "Neural Network Ensembles", IEEE TPAMI 1990, and with
networks that differ by their seeds alone as in B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and Scalable Predictive Uncertainty
Estimation using Deep Ensembles", NeurIPS 2017.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from ..spaces.tasks import TaskName
from .source import as_network


class Ensemble(nn.Module):
    """`members` (each inputs -> (B, outputs)) as one network of the same form.

    Of a classification its outputs are the logarithms of the mean probabilities, whose softmax gives them back; of a regression the mean.

    >>> halves = [nn.Linear(1, 2, bias=False) for _ in range(2)]
    >>> with torch.no_grad():
    ...     _ = halves[0].weight.copy_(torch.tensor([[0.0], [math.log(3.0)]]))
    ...     _ = halves[1].weight.zero_()
    >>> [round(value, 4) for value in Ensemble(halves, "classification")(torch.ones(1, 1)).softmax(1)[0].tolist()]
    [0.375, 0.625]
    """

    def __init__(self, members: Sequence[nn.Module], task: TaskName) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.task = task

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of what the members answer."""
        if self.task == "classification":
            logarithms = torch.stack([member(x).log_softmax(1) for member in self.members])
            return logarithms.logsumexp(0) - math.log(len(self.members))
        return torch.stack([member(x) for member in self.members]).mean(0)

    def for_export(self) -> Ensemble:
        """With each member as it is written down itself."""
        return Ensemble([as_network(member) for member in self.members], self.task).train(self.training)
