"""The network of a sum of primitive functions: super-network and derived network in one class.

Every function is a linear layer with something around it, so that whatever exchanges linear layers (mean-field weights, masks) works
here as in any other super-network.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..spaces.genomes import Genome
from ..spaces.primitives_sum import GROUP, PrimitivesSumSpace


class Constant(nn.Module):
    """c: (B, features) -> (B, values). c is the weight of a linear layer that reads a one."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.linear = nn.Linear(1, values, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear(torch.ones_like(x[:, :1]))
        return result


class Affine(nn.Module):
    """w x + b: (B, features) -> (B, values)."""

    def __init__(self, features: int, values: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, values)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear(x)
        return result


class TanhFirst(nn.Module):
    """tanh(w x0 + b) of the first feature alone: (B, features) -> (B, values)."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.linear = nn.Linear(1, values)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.linear(x[:, :1]))


class TanhAll(nn.Module):
    """tanh(w x + b): (B, features) -> (B, values)."""

    def __init__(self, features: int, values: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, values)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.linear(x))


class Sine(nn.Module):
    """sin(w x): (B, features) -> (B, values); every frequency starts at `start`."""

    def __init__(self, features: int, values: int, start: float) -> None:
        super().__init__()
        self.linear = _frequencies(features, values, start)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(self.linear(x))


class Cosine(nn.Module):
    """cos(w x): (B, features) -> (B, values); every frequency starts at `start`."""

    def __init__(self, features: int, values: int, start: float) -> None:
        super().__init__()
        self.linear = _frequencies(features, values, start)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cos(self.linear(x))


def _frequencies(features: int, values: int, start: float) -> nn.Linear:
    layer = nn.Linear(features, values, bias=False)
    nn.init.constant_(layer.weight, start)
    return layer


def _function(name: str, space: PrimitivesSumSpace) -> nn.Module:
    features, values = space.features, space.shape.classes
    match name:
        case "constant":
            return Constant(values)
        case "linear":
            return Affine(features, values)
        case "tanh_first":
            return TanhFirst(values)
        case "tanh_all":
            return TanhAll(features, values)
        case "sine":
            return Sine(features, values, space.config.sine_start)
        case "cosine":
            return Cosine(features, values, space.config.cosine_start)
    raise KeyError(name)


class PrimitivesSumNetwork(nn.Module):
    """Inputs (B, features), outputs (B, values).

    With `genome` None it is the super-network and `forward(x, gamma)` takes `gamma = {"sum": (1, functions)}`. A derived network has its
    genome's functions; where weights are real numbers it has a coefficient for each (first 1), on the simplex its one function stands
    alone.
    """

    def __init__(self, space: PrimitivesSumSpace, genome: Genome | None) -> None:
        super().__init__()
        names = list(space.functions) if genome is None else space.functions_of(genome)
        self.functions = nn.ModuleDict({name: _function(name, space) for name in names})
        self.coefficients: nn.Linear | None = None
        if genome is not None and space.real:
            self.coefficients = nn.Linear(len(names), 1, bias=False)
            nn.init.ones_(self.coefficients.weight)

    def forward(self, x: Tensor, gamma: dict[str, Tensor] | None = None) -> Tensor:
        values = [function(x) for function in self.functions.values()]
        if self.coefficients is not None:
            weighted: Tensor = self.coefficients(torch.stack(values, dim=2))
            return weighted[:, :, 0]
        if gamma is None:
            alone: Tensor = values[0]
            return alone
        mixed: Tensor = torch.stack(values, dim=2) @ gamma[GROUP][0]
        return mixed

    def operation_places(self) -> dict[str, tuple[str, int, int]]:
        """Module name of each function -> (group, edge, operation) of the weight that stands before it."""
        return {f"functions.{name}": (GROUP, 0, column) for column, name in enumerate(self.functions)}


def build_supernet(space: PrimitivesSumSpace) -> PrimitivesSumNetwork:
    """The super-network with all functions of the space."""
    return PrimitivesSumNetwork(space, None)


def build(
    space: PrimitivesSumSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig
) -> PrimitivesSumNetwork:
    """The untrained network of a genome, the same in both stages. Parameters come from torch's global generator.

    Raises BadInput for a genome that is not admissible.
    """
    space.validate(genome)
    return PrimitivesSumNetwork(space, genome)


def kept_weights(space: PrimitivesSumSpace, supernet: nn.Module, genome: Genome, weights: dict[str, Any]) -> dict[str, Tensor]:
    """The state of the genome's network that computes what the (plain) super-network does with the other functions' weights at zero:
    its functions' parameters, and as coefficients their weights. `weights["sum"]`: array (1, functions)."""
    names = space.functions_of(genome)
    state = {
        name: value.detach().cpu().clone()
        for name, value in supernet.state_dict().items()
        if name.split(".")[1] in names
    }
    if space.real:
        row = torch.as_tensor(weights[GROUP], dtype=torch.float32).reshape(-1)
        state["coefficients.weight"] = row[[space.functions.index(name) for name in names]].reshape(1, -1).clone()
    return state
