"""Which weights go first: the three orders of removal.

magnitude: the smallest |w| first (Han et al., NIPS 2015). ARD ratio: the largest density ratio at zero first,
rho = exp(-w^2 / (2 sigma^2)) with sigma the posterior's standard deviation (Graves, NIPS 2011, section 5), that is the smallest
|w| / sigma. Random: the control.

The posterior of a network that was trained for one point is the diagonal Laplace approximation around it,
sigma_i^2 = 1 / (m F_i + 1 / v): F the diagonal of the Fisher information (labels drawn from the network's own prediction), m the size of
the training part, v the mean square of the weights of the same tensor as the prior's variance (MacKay, Neural Computation 1992).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from ..base.generators import derive_seed
from ..datasets.base import SearchData
from ..spaces.tasks import TaskName
from ..training.batches import DevicePart

FISHER_EXAMPLES = 64
"""Examples whose gradients estimate the Fisher information: the order of the weights settles with few."""

Weights = dict[str, torch.Tensor]


def removable(network: nn.Module) -> Weights:
    """Detached copies of the parameters whose entries may be removed, by name: matrices and kernels; where there are none (a graph of
    neurons keeps one weight per edge), all parameters."""
    found = {name: value.detach().clone() for name, value in network.named_parameters() if value.dim() >= 2}
    return found or {name: value.detach().clone() for name, value in network.named_parameters()}


def remaining(weights: Mapping[str, torch.Tensor]) -> int:
    """How many weights are not zero."""
    return sum(int((value != 0).sum()) for value in weights.values())


def magnitude_scores(weights: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """(n,): |w| of all weights one behind the other. Small scores go first."""
    return torch.cat([value.abs().flatten() for value in weights.values()])


def random_scores(weights: Mapping[str, torch.Tensor], *seed: object) -> torch.Tensor:
    """(n,): an order by chance."""
    generator = torch.Generator().manual_seed(derive_seed("redundancy", *seed))
    return torch.rand(sum(value.numel() for value in weights.values()), generator=generator)


def ard_scores(weights: Mapping[str, torch.Tensor], fisher: Mapping[str, torch.Tensor], examples: int) -> torch.Tensor:
    """(n,): |w| / sigma. `fisher` is per example and of the weights' shapes, `examples` the size of the training part."""
    scores = []
    for name, value in weights.items():
        prior = value.square().mean().clamp_min(1e-12).reciprocal()
        scores.append((value.abs() * (examples * fisher[name] + prior).sqrt()).flatten())
    return torch.cat(scores)


def fisher_diagonal(network: nn.Module, data: SearchData, task: TaskName, names: list[str], *seed: object) -> Weights:
    """Mean squared gradient of the log-likelihood of one example, per weight; `network` is in evaluation mode and lies on the CPU.

    Labels are drawn from the prediction; a regression's likelihood is Gaussian with the variance of its residuals, and its targets are
    drawn around the prediction.
    """
    part = DevicePart(data.train, data.preprocessing, "cpu", FISHER_EXAMPLES)
    generator = torch.Generator().manual_seed(derive_seed("fisher", *seed))
    inputs, labels = part.take(torch.arange(len(part)))
    parameters = dict(network.named_parameters())
    totals = {name: torch.zeros_like(parameters[name]) for name in names}
    with torch.no_grad():
        outputs = network(inputs).float().flatten(1)
    targets = inputs.flatten(1) if task == "reconstruction" else labels
    variance = 1.0 if task == "classification" else float((outputs - targets).square().mean().clamp_min(1e-12))
    for place in range(len(part)):
        given = network(inputs[place : place + 1]).float().flatten(1)
        if task == "classification":
            drawn = torch.multinomial(given.detach().softmax(1), 1, generator=generator)
            log_likelihood = given.log_softmax(1).gather(1, drawn).sum()
        else:
            noise = variance**0.5 * torch.randn(given.shape, generator=generator)
            log_likelihood = -(given - given.detach() - noise).square().sum() / (2 * variance)
        gradients = torch.autograd.grad(log_likelihood, [parameters[name] for name in names], allow_unused=True)
        for name, gradient in zip(names, gradients, strict=True):
            if gradient is not None:
                totals[name] += gradient.square()
    return {name: total / len(part) for name, total in totals.items()}


def without(weights: Mapping[str, torch.Tensor], scores: torch.Tensor, share: float) -> Weights:
    """The weights with the given share of those that are not zero already (removed by a mask) set to zero, the smallest scores first
    (ties: the earlier entry)."""
    gone = torch.cat([value.flatten() == 0 for value in weights.values()])
    count = int(gone.sum()) + round(share * remaining(weights))
    kept = torch.ones_like(scores)
    kept[scores.masked_fill(gone, -torch.inf).argsort(stable=True)[:count]] = 0
    sizes = [value.numel() for value in weights.values()]
    parts = kept.split(sizes)
    return {name: value * part.view_as(value) for (name, value), part in zip(weights.items(), parts, strict=True)}
