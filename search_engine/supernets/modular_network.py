"""Columns of modules as torch modules: the super-network that all paths and tasks share, and the plain network of one path.

A module is a linear layer (or a 3x3 convolution) followed by ReLU; a layer's output is the sum of its active modules' outputs. The plain
network of a path computes the same numbers in the same order as the super-network along that path.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from ..spaces.genomes import Genome

if TYPE_CHECKING:
    from ..base.training_config import TrainingConfig
    from ..spaces.modular import ModularSpace, Path

SMALLEST_HALVED = 8
"""Images whose smaller side is at least this are halved behind a layer of convolutions."""


class LayerSizes:
    """What the layers see: `inputs[l]` features or channels go into layer l, `sides[l]` is the resolution there (empty for linear
    modules), `halved[l]` says whether the resolution is halved behind it, `readout` counts the features that the readout sees."""

    def __init__(self, space: ModularSpace) -> None:
        units, layers = space.config.units, space.config.layers
        self.linear = space.config.kind == "linear"
        first = math.prod(space.shape.input) if self.linear else space.shape.input[0]
        self.inputs = [first, *[units] * (layers - 1)]
        self.sides: list[tuple[int, int]] = []
        self.halved = [False] * layers
        self.readout = units
        if not self.linear:
            height, width = space.shape.input[1:]
            for layer in range(layers):
                self.sides.append((height, width))
                self.halved[layer] = min(height, width) >= SMALLEST_HALVED
                if self.halved[layer]:
                    height, width = height // 2, width // 2
            self.readout = units * height * width
        self.units = units

    def module(self, layer: int) -> nn.Module:
        """A fresh module of that layer."""
        if self.linear:
            return nn.Linear(self.inputs[layer], self.units)
        return nn.Conv2d(self.inputs[layer], self.units, 3, padding=1)

    def flops(self, layer: int) -> int:
        """FLOPs (2 x MACs) of one module's forward pass on one example."""
        if self.linear:
            return 2 * self.inputs[layer] * self.units
        return 2 * 9 * self.inputs[layer] * self.units * math.prod(self.sides[layer])


def module_sum(modules: Sequence[nn.Module], x: Tensor) -> Tensor:
    """The sum of the modules' ReLU outputs, in their order."""
    total = F.relu(modules[0](x))
    for module in modules[1:]:
        total = total + F.relu(module(x))
    return total


class ModularSupernet(nn.Module):
    """All modules and one readout per task. `columns[l][m]` is module m of layer l."""

    def __init__(self, space: ModularSpace) -> None:
        super().__init__()
        self.space = space
        self.sizes = LayerSizes(space)
        self.columns = nn.ModuleList(
            nn.ModuleList(self.sizes.module(layer) for _ in range(space.config.modules)) for layer in range(space.config.layers)
        )
        self.readouts = nn.ModuleList(nn.Linear(self.sizes.readout, domain.classes) for domain in space.domains)

    def forward_path(self, x: Tensor, genome: Genome) -> Tensor:
        """Logits (B, classes of the genome's domain) of inputs (B, ...): only the genome's modules and its readout compute."""
        return self.along(x, self.space.modules_of(genome), self.space.domain_of(genome))

    def along(self, x: Tensor, modules: Path, domain: int) -> Tensor:
        """As `forward_path`, from the active modules of each layer."""
        if self.sizes.linear:
            x = x.flatten(1)
        for layer, active in enumerate(modules):
            x = module_sum([self.columns[layer][number] for number in active], x)  # type: ignore[index]
            if self.sizes.halved[layer]:
                x = F.max_pool2d(x, 2)
        logits: Tensor = self.readouts[domain](x.flatten(1))
        return logits

    def flops(self, modules: Path, domain: int) -> int:
        """FLOPs (2 x MACs) of one example's forward pass along a path."""
        own = sum(len(active) * self.sizes.flops(layer) for layer, active in enumerate(modules))
        return own + 2 * self.sizes.readout * self.space.domains[domain].classes

    def path_state(self, genome: Genome) -> dict[str, Tensor]:
        """The state of the plain network of `genome` (`PathNetwork`), copied from here to the CPU."""
        state = {}
        for layer, active in enumerate(self.space.modules_of(genome)):
            for place, number in enumerate(active):
                for name, tensor in self.columns[layer][number].state_dict().items():  # type: ignore[index]
                    state[f"layers.{layer}.branches.{place}.{name}"] = tensor
        for name, tensor in self.readouts[self.space.domain_of(genome)].state_dict().items():
            state[f"readout.{name}"] = tensor
        return {name: tensor.detach().to("cpu", copy=True) for name, tensor in state.items()}


class ModuleSum(nn.Module):
    """The sum of the ReLU outputs of a layer's active modules."""

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return module_sum(list(self.branches), x)


class PathNetwork(nn.Module):
    """The network of one path: logits (B, classes) from inputs (B, ...)."""

    def __init__(self, sizes: LayerSizes, modules: Path, classes: int) -> None:
        super().__init__()
        self.flat = sizes.linear
        self.halved = sizes.halved
        self.layers = nn.ModuleList(ModuleSum([sizes.module(layer) for _ in active]) for layer, active in enumerate(modules))
        self.readout = nn.Linear(sizes.readout, classes)

    def forward(self, x: Tensor) -> Tensor:
        if self.flat:
            x = x.flatten(1)
        for layer, halved in zip(self.layers, self.halved, strict=True):
            x = layer(x)
            if halved:
                x = F.max_pool2d(x, 2)
        logits: Tensor = self.readout(x.flatten(1))
        return logits


def build_supernet(space: ModularSpace) -> ModularSupernet:
    """The untrained super-network."""
    return ModularSupernet(space)


def build(space: ModularSpace, genome: Genome, stage: str, training: TrainingConfig) -> PathNetwork:
    """The untrained network of a genome: its path with the modules that are always active, and its domain's readout. Its size is the
    space's, whatever `training` says of channels and layers."""
    return PathNetwork(LayerSizes(space), space.modules_of(genome), space.domains[space.domain_of(genome)].classes)
