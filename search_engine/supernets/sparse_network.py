"""Networks of the space of active sets: only the inputs and neurons that are used; single weights that are not active are 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..spaces.genomes import Genome
from .basis_network import ConstantNetwork

if TYPE_CHECKING:
    from ..spaces.active_set import ActiveSetSpace


class SparseLinear(nn.Module):
    """A linear function of some of the inputs."""

    def __init__(self, inputs: list[int], outputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.linear = nn.Linear(len(inputs), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, d) -> (N, outputs)."""
        result: Tensor = self.linear(x[:, self.inputs])
        return result


class SparseHidden(nn.Module):
    """A layer of tanh neurons on some of the inputs, and a linear one."""

    def __init__(self, inputs: list[int], neurons: list[int], outputs: int) -> None:
        super().__init__()
        self.inputs, self.neurons = inputs, neurons
        self.hidden = nn.Linear(len(inputs), len(neurons))
        self.linear = nn.Linear(len(neurons), outputs)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear(torch.tanh(self.hidden(x[:, self.inputs])))
        return result


def build(space: ActiveSetSpace, genome: Genome, stage: str, training: TrainingConfig) -> nn.Module:
    """The untrained network of a genome; what is not an edge of it is 0."""
    edges, outputs = space.edges(genome), space.shape.classes
    alive = {source for source, target in edges if target[0] == "y"}
    if not alive:
        return ConstantNetwork(outputs)
    used = {source for source, target in edges if source[0] == "x" and (target in alive or target[0] == "y")}
    inputs = sorted(int(name[1:]) for name in used)
    if not genome.content["hidden"]:
        network: nn.Module = SparseLinear(inputs, outputs)
        _clear(network.linear, [(f"x{i}", inputs.index(i)) for i in inputs], [f"y{o}" for o in range(outputs)], edges)  # type: ignore[arg-type]
        return network
    neurons = sorted(int(name[1:]) for name in alive)
    # A neuron may be left with its bias alone: one input keeps the layer's shape.
    sources = inputs or [0]
    network = SparseHidden(sources, neurons, outputs)
    _clear(network.hidden, [(f"x{i}", place) for place, i in enumerate(sources)], [f"h{h}" for h in neurons], edges)
    _clear(network.linear, [(f"h{h}", place) for place, h in enumerate(neurons)], [f"y{o}" for o in range(outputs)], edges)
    return network


def _clear(layer: nn.Linear, sources: list[tuple[str, int]], targets: list[str], edges: list[tuple[str, str]]) -> None:
    """Weights that are no edges become 0."""
    there = set(edges)
    with torch.no_grad():
        for row, target in enumerate(targets):
            for source, column in sources:
                if (source, target) not in there:
                    layer.weight[row, column] = 0.0
