"""The network of the `hierarchical` space: a stem, the same cell at three resolutions with weights of its own at each, a classifier.

Liu et al. 2018 (arXiv:1711.00436), section 4.1 and figure 2: between the cells a separable 3x3 convolution halves the resolution and
doubles the width; global average pooling and a linear classifier end it. Convolutions are the house's primitives (ReLU, convolution, batch
normalisation; the paper has the ReLU behind). A node at which several values arrive concatenates them and goes back to the cell's width by
a 1x1 convolution with batch normalisation; where one value arrives, the node is that value, so that a cell of identities is the identity.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..primitives.modules import TRAINED, Style, build_primitive, depthwise_separable
from ..primitives.names import MOTIFS
from ..spaces.genomes import Genome
from ..spaces.hierarchical import IDENTITY, REDUCTION_KERNEL, STEM_KERNEL, HierarchicalSpace, Stage
from ..spaces.motifs.flattening import Flat


class MotifCell(nn.Module):
    """A contracted cell (`HierarchicalSpace.computed`): (B, C, H, W) -> (B, C, H, W). Zeros where no path leads to its output."""

    def __init__(self, flat: Flat, channels: int, style: Style = TRAINED) -> None:
        super().__init__()
        self.flat = flat
        self.arriving: dict[str, list[tuple[str, int]]] = {node: [] for node in flat.nodes}
        for place, edge in enumerate(flat.edges):
            self.arriving[edge.target].append((edge.source, place))
        # An identity is no module: it has no name that a checkpoint would hold.
        self.operations = nn.ModuleDict(
            {
                str(place): build_primitive(MOTIFS[edge.operation or 0], channels, 1, style)
                for place, edge in enumerate(flat.edges)
                if edge.operation != IDENTITY
            }
        )
        self.merges = nn.ModuleDict(
            {
                str(number): nn.Sequential(nn.Conv2d(len(self.arriving[node]) * channels, channels, 1, bias=False), style.norm(channels))
                for number, node in enumerate(flat.nodes)
                if len(self.arriving[node]) > 1
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        values = {self.flat.input: x}
        for number, node in enumerate(self.flat.nodes):
            if node == self.flat.input:
                continue
            arrived = [
                self.operations[str(place)](values[source]) if str(place) in self.operations else values[source]
                for source, place in self.arriving[node]
            ]
            if not arrived:
                values[node] = torch.zeros_like(x)
            else:
                values[node] = arrived[0] if len(arrived) == 1 else self.merges[str(number)](torch.cat(arrived, dim=1))
        return values[self.flat.output]


class HierarchicalNetwork(nn.Module):
    """Images (B, C, H, W) -> logits (B, classes)."""

    def __init__(self, space: HierarchicalSpace, genome: Genome, cells: int, channels: int, style: Style = TRAINED) -> None:
        super().__init__()
        flat = space.computed(genome)
        pad = STEM_KERNEL // 2
        self.stem = nn.Sequential(
            nn.Conv2d(space.shape.input[0], channels, STEM_KERNEL, padding=pad, bias=False), style.norm(channels)
        )
        self.blocks = nn.ModuleList()
        for cell in range(cells):
            if cell in space.reductions(cells):
                self.blocks.append(depthwise_separable(channels, REDUCTION_KERNEL, 2, 1, style, channels_out=2 * channels))
                channels *= 2
            self.blocks.append(MotifCell(flat, channels, style))
        self.last = nn.ReLU()
        self.classifier = nn.Linear(channels, space.shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.classifier(self.last(x).mean(dim=(2, 3)))
        return logits


def build(space: HierarchicalSpace, genome: Genome, stage: Stage, training: TrainingConfig) -> HierarchicalNetwork:
    """The untrained network of a genome: `training.layers` cells, `training.channels` wide at first; 0 = the space's own choice.

    Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible.
    """
    space.validate(genome)
    cells, channels = space.size_of(stage, training.layers, training.channels)
    return HierarchicalNetwork(space, genome, cells, channels)
