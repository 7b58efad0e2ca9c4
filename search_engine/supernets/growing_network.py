"""The network of a growing graph: a module for every node that computes with weights, named by the node's number."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..base.errors import TrialFailure
from ..base.training_config import TrainingConfig
from ..spaces.genomes import Genome
from ..spaces.growing_convnet.network import IMAGE, POOL, WEIGHTED, Network, Node
from ..spaces.growing_convnet.space import GrowingConvnetSpace


class Layer(nn.Module):
    """Convolution or linear layer, batch normalisation if the node has one, ReLU unless it is the output."""

    def __init__(self, node: Node, inputs: int, classes: int) -> None:
        super().__init__()
        width = classes if node.op == "output" else node.width
        if node.op == "conv":
            # torch pads an even kernel on the right and below.
            self.weights: nn.Conv2d | nn.Linear = nn.Conv2d(inputs, width, node.kernel, padding="same", bias=not node.norm)
        else:
            self.weights = nn.Linear(inputs, width, bias=not node.norm)
        self.norm: nn.BatchNorm2d | nn.BatchNorm1d | None = None
        if node.norm:
            self.norm = nn.BatchNorm2d(width) if node.op == "conv" else nn.BatchNorm1d(width)
        self.rectifies = node.op != "output"

    def forward(self, x: Tensor) -> Tensor:
        x = self.weights(x)
        if self.norm is not None:
            x = self.norm(x)
        return functional.relu(x) if self.rectifies else x


class WeightedSum(nn.Module):
    """λ f + (1 - λ) h; λ is trained and begins as 1."""

    def __init__(self) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.ones(1))

    def forward(self, f: Tensor, h: Tensor) -> Tensor:
        return self.share * f + (1 - self.share) * h


class GrowingNetwork(nn.Module):
    """Images (B, C, H, W) -> logits (B, classes)."""

    def __init__(self, graph: Network) -> None:
        super().__init__()
        self.graph = graph
        self.nodes = nn.ModuleDict()
        for node in graph.nodes:
            if node.op in WEIGHTED:
                self.nodes[str(node.id)] = Layer(node, graph.layer_inputs(node), graph.classes)
            elif node.op == "add":
                self.nodes[str(node.id)] = WeightedSum()
            elif node.op == "dropout":
                self.nodes[str(node.id)] = nn.Dropout(node.rate)

    def forward(self, x: Tensor) -> Tensor:
        values = self.values(x)
        return values[self.graph.output.id]

    def values(self, x: Tensor, until: int | None = None) -> dict[int, Tensor]:
        """What every node gives, in computing order; `until` = the last one that is computed."""
        values = {IMAGE: x}
        for node in self.graph.nodes:
            values[node.id] = self._value(node, [values[source] for source in node.inputs])
            if node.id == until:
                break
        return values

    def _value(self, node: Node, given: list[Tensor]) -> Tensor:
        if node.op == "pool":
            return functional.max_pool2d(given[0], POOL)
        if node.op == "concat":
            return torch.cat(given, dim=1)
        if node.op == "flatten":
            return torch.flatten(given[0], 1)
        value: Tensor = self.nodes[str(node.id)](*given)
        return value


def build(space: GrowingConvnetSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> GrowingNetwork:
    """The untrained network of a genome, its parameters from torch's global generator; equally large in both stages.

    Raises BadInput for a genome that is not admissible, TrialFailure for one beyond the space's bounds of size, before anything is built.
    """
    problem = space.too_large(genome)
    if problem:
        raise TrialFailure(problem)
    return GrowingNetwork(space.network(genome))
