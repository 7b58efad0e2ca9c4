"""How complex a class of functions is: what r(h) of the objective stands for.

`depth`: r = sqrt(depth), as in the authors' TensorFlow code. It is a habit, not an estimate of anything.

`rademacher`: the empirical Rademacher complexity on the training inputs, which the paper's bound is about,

    R(H) = 1/m E over sigma of  sup over h in H of  sum over i of  sigma_i h(x_i),          sigma uniform on {-1, 1}^m

by Monte Carlo: for each draw of sigma the supremum is sought by projected gradient ascent, all draws side by side as one batch of
networks. H are the perceptrons of one depth and width without connections, tanh units and a tanh output, every layer's weight matrix of
Frobenius norm at most B and its bias of norm at most B. What ascent finds is a lower bound of the supremum. For a class of linear
functions with norm at most B the supremum is known, B |sum sigma_i x_i|, and ascent reaches it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch

ComplexityName = Literal["depth", "rademacher"]

ASCENT_RATE = 0.2
"""Length of the first step of a matrix or bias, as a share of the norm bound."""


def depth_complexity(depth: int) -> float:
    """sqrt(depth): nothing for a linear model."""
    return math.sqrt(depth)


Parameters = list[torch.Tensor]
"""Per layer a weight (S, in, out) and, where the class has them, a bias (S, 1, out): S functions side by side."""
FunctionClass = Callable[[Parameters, torch.Tensor], torch.Tensor]
"""(parameters, inputs (m, d)) -> values (S, m)."""


def perceptrons(parameters: Parameters, inputs: torch.Tensor) -> torch.Tensor:
    """(S, m): perceptrons of tanh units with a tanh output; `parameters` alternate weights and biases."""
    values = inputs.expand(len(parameters[0]), *inputs.shape)
    for weight, bias in zip(parameters[::2], parameters[1::2], strict=True):
        values = torch.tanh(values @ weight + bias)
    return values[..., 0]


def linear(parameters: Parameters, inputs: torch.Tensor) -> torch.Tensor:
    """(S, m): h(x) = v x."""
    return (inputs @ parameters[0])[..., 0]


def random_signs(draws: int, examples: int, generator: torch.Generator) -> torch.Tensor:
    """(draws, examples) of -1 and 1."""
    return 2.0 * torch.randint(0, 2, (draws, examples), generator=generator).float() - 1.0


def project(parameters: Sequence[torch.Tensor], bound: float) -> None:
    """Shorten, in place, every matrix and every bias of each function to norm at most `bound`."""
    with torch.no_grad():
        for values in parameters:
            norms = values.flatten(1).norm(dim=1).clamp_min(bound)
            values.mul_((bound / norms).view(-1, *[1] * (values.dim() - 1)))


def suprema(
    functions: FunctionClass, parameters: Parameters, inputs: torch.Tensor, signs: torch.Tensor, bound: float, steps: int
) -> torch.Tensor:
    """(S,): the largest 1/m sum sigma_i h(x_i) that `steps` of projected ascent saw for each draw. `parameters` are the start.

    `inputs` (m, d), `signs` (S, m).
    """
    leaves = [values.clone().requires_grad_(True) for values in parameters]
    project(leaves, bound)
    best = torch.full((len(signs),), -math.inf)
    for step in range(steps + 1):
        correlations = (functions(leaves, inputs) * signs).mean(dim=1)
        best = torch.maximum(best, correlations.detach())
        # The draws share no parameter, so the gradient of the sum is each one's own.
        gradients = torch.autograd.grad(correlations.sum(), leaves)
        # Steps fall to nothing, so that the end is a point and no circling around it.
        length = ASCENT_RATE * bound * (1 - step / (steps + 1))
        with torch.no_grad():
            for values, gradient in zip(leaves, gradients, strict=True):
                # Along the gradient itself: on a ball of norms, a rule that scales coordinates (Adam) comes to rest elsewhere.
                norms = gradient.flatten(1).norm(dim=1).clamp_min(1e-12)
                values.add_(gradient * (length / norms).view(-1, *[1] * (gradient.dim() - 1)))
        project(leaves, bound)
    return best


def rademacher_perceptrons(
    inputs: torch.Tensor, depth: int, width: int, *, bound: float, draws: int, steps: int, generator: torch.Generator
) -> float:
    """R(H) of the perceptrons of that depth and width on `inputs` (m, d): the mean over `draws` of sigma."""
    signs = random_signs(draws, len(inputs), generator)
    sizes = [inputs.shape[1], *[width] * depth, 1]
    parameters: Parameters = []
    for before, after in itertools.pairwise(sizes):
        parameters.append(torch.randn(draws, before, after, generator=generator) / math.sqrt(before))
        parameters.append(torch.zeros(draws, 1, after))
    return float(suprema(perceptrons, parameters, inputs, signs, bound, steps).mean())


def rademacher_linear(inputs: torch.Tensor, *, bound: float, draws: int, steps: int, generator: torch.Generator) -> float:
    """R(H) of h(x) = v x with |v| <= bound by the same Monte Carlo and the same ascent as for perceptrons."""
    signs = random_signs(draws, len(inputs), generator)
    start = torch.randn(draws, inputs.shape[1], 1, generator=generator) / math.sqrt(inputs.shape[1])
    return float(suprema(linear, [start], inputs, signs, bound, steps).mean())
