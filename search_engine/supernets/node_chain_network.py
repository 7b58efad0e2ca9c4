"""The network of a chain of layers: `layers.0`, `layers.1`, ... in the chain's order, then `head`, the linear classifier.

Two chains with a common beginning have the same submodules, of the same shapes, under the same names there: a later network can take
over an earlier one's first layers (DeepSwarm, Byla and Pang 2019, section 3.3).
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..spaces.genomes import Genome
from ..spaces.node_chain import NodeChainSpace
from ..spaces.node_table import POOL_SIZE, Node, pooled

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "elu": nn.ELU}


class NodeChainNetwork(nn.Module):
    """Pictures (B, C, H, W) -> logits (B, classes)."""

    def __init__(self, layers: list[nn.Module], features: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.head = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        logits: Tensor = self.head(x)
        return logits


def build(space: NodeChainSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> NodeChainNetwork:
    """The untrained network of a genome, its parameters from torch's global generator.

    A trial has exactly the genome's widths. In the final stage positive `training.channels` widens (or narrows) all convolutions in
    proportion, so that the narrowest choice of the space has so many filters. Raises BadInput for a genome that is not admissible.
    """
    space.validate(genome)
    narrowest = min(space.config.filters)
    wanted = training.channels if stage == "final" and training.channels else narrowest
    shape, layers = space.shape.input, []
    for node in space.nodes_of(genome):
        layer, shape = _layer(space, node, shape, wanted / narrowest)
        layers.append(layer)
    return NodeChainNetwork(layers, shape[0], space.shape.classes)


def _layer(space: NodeChainSpace, node: Node, shape: tuple[int, ...], widening: float) -> tuple[nn.Module, tuple[int, ...]]:
    """The layer of a node on a result of that shape, and the shape that it gives."""
    named = space.table.named(node)
    if node.type == "conv":
        filters, kernel = max(1, round(int(named["filters"]) * widening)), int(named["kernel"])
        return nn.Sequential(nn.Conv2d(shape[0], filters, kernel, padding=kernel // 2), nn.ReLU()), (filters, *shape[1:])
    if node.type == "pool":
        stride = int(named["stride"])
        pooling = nn.MaxPool2d if named["kind"] == "max" else nn.AvgPool2d
        return pooling(POOL_SIZE, stride=stride), pooled(shape, stride)
    if node.type == "dense":
        units = int(named["units"])
        return nn.Sequential(nn.Linear(shape[0], units), ACTIVATIONS[str(named["activation"])]()), (units,)
    if node.type == "flatten":
        return nn.Flatten(), (shape[0] * shape[1] * shape[2],)
    if node.type == "batch_norm":
        return nn.BatchNorm2d(shape[0]), shape
    if node.type == "batch_norm_flat":
        return nn.BatchNorm1d(shape[0]), shape
    return nn.Dropout(float(named["rate"])), shape
