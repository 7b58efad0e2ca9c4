"""Networks of the space of basis expansions: fixed functions of the inputs, or one hidden layer, and a linear sum of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..spaces.genomes import Genome

if TYPE_CHECKING:
    from ..spaces.basis_expansion import BasisExpansionSpace


def expand(basis: str, degree: int, scale: float, x: Tensor) -> Tensor:
    """(N, d) -> (N, functions without the constant): per degree the functions of all features side by side. `degree` >= 1."""
    x = x / scale
    if basis == "legendre":
        return torch.cat(_legendre(x, degree), dim=1)
    if basis == "powers":
        return torch.cat([x**power for power in range(1, degree + 1)], dim=1)
    if basis == "fourier":
        waves = [wave(0.5 * math.pi * number * x) for number in range(1, degree + 1) for wave in (torch.sin, torch.cos)]
        return torch.cat(waves, dim=1)
    distance = 2 / max(degree - 1, 1)
    centres = [-1 + distance * number for number in range(degree)] if degree > 1 else [0.0]
    return torch.cat([torch.exp(-0.5 * ((x - centre) / distance) ** 2) for centre in centres], dim=1)


def _legendre(x: Tensor, degree: int) -> list[Tensor]:
    """P_1 .. P_degree by Bonnet's recursion (m + 1) P_(m+1) = (2 m + 1) x P_m - m P_(m-1)."""
    values = [x]
    for m in range(1, degree):
        before = values[-2] if m > 1 else torch.ones_like(x)
        values.append(((2 * m + 1) * x * values[-1] - m * before) / (m + 1))
    return values


class BasisNetwork(nn.Module):
    """Fixed functions and one linear layer, whose bias is the constant's weight."""

    def __init__(self, basis: str, degree: int, scale: float, functions: int, outputs: int) -> None:
        super().__init__()
        self.basis, self.degree, self.scale = basis, degree, scale
        self.linear = nn.Linear(functions - 1, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, d) -> (N, outputs)."""
        result: Tensor = self.linear(expand(self.basis, self.degree, self.scale, x))
        return result


class HiddenLayerNetwork(nn.Module):
    """One layer of tanh neurons and a linear one."""

    def __init__(self, inputs: int, hidden: int, scale: float, outputs: int) -> None:
        super().__init__()
        self.scale = scale
        self.hidden = nn.Linear(inputs, hidden)
        self.linear = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear(torch.tanh(self.hidden(x / self.scale)))
        return result


class ConstantNetwork(nn.Module):
    """The same outputs whatever the inputs."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x[:, :1]) + self.bias


def build(space: BasisExpansionSpace, genome: Genome, stage: str, training: TrainingConfig) -> nn.Module:
    """The untrained network of a genome."""
    basis, degree, outputs = space.basis(genome), space.degree(genome), space.shape.classes
    if degree == 0:
        return ConstantNetwork(outputs)
    if basis == "tanh":
        return HiddenLayerNetwork(space.shape.input[0], degree, space.config.range, outputs)
    return BasisNetwork(basis, degree, space.config.range, space.functions(basis, degree), outputs)
