"""What inference sees of a data set, in float64, and the model that a genome of the space of basis expansions stands for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch

from search_engine.datasets.base import Part, SearchData
from search_engine.supernets.basis_network import expand
from search_engine.training.batches import Normaliser

from .likelihoods import CategoricalLikelihood, GaussianLikelihood, Likelihood
from .models import LinearModel, Model, TanhModel

if TYPE_CHECKING:
    from search_engine.spaces.basis_expansion import BasisExpansionSpace
    from search_engine.spaces.genomes import Genome


class Examples(NamedTuple):
    """Network inputs (N, d) float64 and targets, (N, K) float64 or (N,) int64."""

    inputs: torch.Tensor
    targets: torch.Tensor

    @property
    def likelihood(self) -> Likelihood:
        return GaussianLikelihood(self.targets) if self.targets.is_floating_point() else CategoricalLikelihood(self.targets)

    def score(self, outputs: torch.Tensor) -> tuple[float, float]:
        """(loss, score) of outputs (N, K) as `spaces.tasks` defines them: cross-entropy and accuracy, or squared error and r2."""
        if not self.targets.is_floating_point():
            loss = -float(CategoricalLikelihood(self.targets).log(outputs, 1.0)) / len(self.targets)
            return loss, float((outputs.argmax(1) == self.targets).double().mean())
        loss = float((outputs - self.targets).square().mean())
        spread = float((self.targets - self.targets.mean(0)).square().mean())
        return loss, 1 - loss / spread if spread > 0 else 0.0


def examples(data: SearchData, part: Part) -> Examples:
    """A part as networks see it. Inputs are normalised in float32, as everywhere, and only then widened."""
    inputs = Normaliser(data.preprocessing, part.inputs.ndim, "cpu")(torch.from_numpy(part.inputs)).flatten(1).double()
    targets = torch.from_numpy(part.labels)
    return Examples(inputs, targets.double() if targets.is_floating_point() else targets.long())


def model_of(space: BasisExpansionSpace, genome: Genome) -> Model:
    """The genome's network as a function of its weights."""
    basis, degree, outputs = space.basis(genome), space.degree(genome), space.shape.classes
    if degree == 0:
        return LinearModel(1, outputs, _constant)
    if basis == "tanh":
        return ScaledTanh(space.shape.input[0], degree, outputs, space.config.range)
    return LinearModel(space.functions(basis, degree), outputs, partial(_functions, basis, degree, space.config.range))


class ScaledTanh(TanhModel):
    """A hidden layer that sees x / range, as the network does."""

    def __init__(self, inputs: int, hidden: int, outputs: int, scale: float) -> None:
        super().__init__(inputs, hidden, outputs)
        self.scale = scale

    def see(self, x: torch.Tensor) -> torch.Tensor:
        return x / self.scale


def _constant(x: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(x[:, :1])


def _functions(basis: str, degree: int, scale: float, x: torch.Tensor) -> torch.Tensor:
    """(N, d) -> (N, M), the constant first."""
    return torch.cat([torch.ones_like(x[:, :1]), expand(basis, degree, scale, x)], dim=1)
