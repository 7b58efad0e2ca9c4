"""The network of an ensemble: bounded subnetworks side by side, added up with one weight each (see `spaces.ensemble`)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..spaces.ensemble import EnsembleSpace, Subnet
from ..spaces.genomes import Genome


class Subnetwork(nn.Module):
    """Hidden layers of tanh units and an output in [-1, 1], tanh of a linear layer.

    The output is bounded because the ensemble's weights would mean nothing against a complexity r(h) otherwise: scaling h up and its
    weight down would lower the penalty and change nothing else.
    """

    def __init__(self, member: Subnet, layer_inputs: list[int], outputs: int) -> None:
        super().__init__()
        self.connections = member.connections
        self.hidden = nn.ModuleList(nn.Linear(size, member.width) for size in layer_inputs[:-1])
        self.readout = nn.Linear(layer_inputs[-1], outputs)

    def forward(self, x: Tensor, earlier: list[list[Tensor]] | None = None) -> list[Tensor]:
        """x (B, inputs) -> its hidden layers (B, width) in order, and its output (B, outputs) last.

        `earlier` has what this method gave for every earlier subnetwork; it is read by connected subnetworks only.
        """
        layers: list[Tensor] = []
        seen = x
        for layer, linear in enumerate(self.hidden, start=1):
            layers.append(torch.tanh(linear(seen)))
            seen = self._joined(layers[-1], layer, earlier)
        return [*layers, self.bound(self.readout(seen))]

    def bound(self, values: Tensor) -> Tensor:
        """Into [-1, 1]."""
        return torch.tanh(values)

    def _joined(self, own: Tensor, layer: int, earlier: list[list[Tensor]] | None) -> Tensor:
        """Layer `layer` of this subnetwork, beside that of each one it is connected to (their last entry is the output)."""
        read = [earlier[other][layer - 1] for other in self.connections if layer < len(earlier[other])] if earlier else []
        return torch.cat([own, *read], dim=1) if read else own


class EnsembleNetwork(nn.Module):
    """Inputs (B, ...), flattened -> logits (B, classes). For two classes they are (0, f): the probability of the second is
    sigmoid(f), and its sign decides."""

    def __init__(self, subnetworks: list[Subnetwork], weights: tuple[float, ...], outputs: int) -> None:
        super().__init__()
        self.binary = outputs == 1
        self.flatten = nn.Flatten()
        self.subnetworks = nn.ModuleList(subnetworks)
        self.mixture = nn.Parameter(torch.tensor(weights, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        x = self.flatten(x)
        layers: list[list[Tensor]] = []
        for subnetwork in self.subnetworks:
            connected = bool(subnetwork.connections)
            layers.append(subnetwork(x, layers) if connected else subnetwork(x))
        total = self.mixture[0] * layers[0][-1]
        for place in range(1, len(layers)):
            total = total + self.mixture[place] * layers[place][-1]
        return torch.cat([torch.zeros_like(total), total], dim=1) if self.binary else total


def build_subnetwork(space: EnsembleSpace, members: list[Subnet] | tuple[Subnet, ...], place: int) -> Subnetwork:
    """Subnetwork `place`, untrained; parameters come from torch's global generator."""
    return Subnetwork(members[place], space.layer_inputs(members, place), space.outputs)


def build(space: EnsembleSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> EnsembleNetwork:
    """The untrained network of a genome: all subnetworks and the mixture weights are trained together, these from the genome's values.

    Sizes of convolutional networks mean nothing here. Raises BadInput for a genome that is not admissible.
    """
    space.validate(genome)
    members = space.subnetworks_of(genome)
    subnetworks = [build_subnetwork(space, members, place) for place in range(len(members))]
    return EnsembleNetwork(subnetworks, space.weights_of(genome), space.outputs)
