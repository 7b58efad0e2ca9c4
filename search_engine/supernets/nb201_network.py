"""The official NAS-Bench-201 network around a cell: super-network and derived network in one class.

Dong and Yang 2020, section 2.1, figure 1: a 3x3 convolution, three stages of N cells at C, 2C and 4C channels with a residual block of
stride 2 before the second and the third, global average pooling, a linear classifier. N = 5 and C = 16 on CIFAR; then the number of
parameters is the benchmark's own (xautodl, models/cell_infers/tiny_network.py).
"""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..primitives.modules import Style, relu_conv_norm
from ..spaces.genomes import Genome
from ..spaces.nb201 import EDGES, GROUP, NB201Space
from .grouped.by_source import BySource
from .mixing import CellPlan, EdgePlan, Mixing, PerEdge
from .transfer import copy_matching

SEARCH_STYLE = Style(affine=False, running=False, pool_norm=False)
TRAINED_STYLE = Style(pool_norm=False)
STAGES = 3


class ResidualBlock(nn.Module):
    """(B, C, H, W) -> (B, 2C, ceil(H / 2), ceil(W / 2)): two 3x3 convolutions beside an average pooling with a 1x1 convolution."""

    def __init__(self, channels: int, style: Style) -> None:
        super().__init__()
        self.first = relu_conv_norm(channels, 2 * channels, 3, 2, style)
        self.second = relu_conv_norm(2 * channels, 2 * channels, 3, 1, style)
        # ceil_mode changes nothing on even sizes; on odd ones it keeps the shortcut as large as the convolutions' result.
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, stride=2, ceil_mode=True), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.shortcut(x) + self.second(self.first(x))
        return result


class NB201Network(nn.Module):
    """Inputs (B, C, H, W), logits (B, classes).

    With `genome` None it is the super-network and `forward(x, gamma)` takes `gamma = {"cell": (6 edges, 5 operations)}`; with a genome
    it has that genome's operations only and takes no gamma. `forward_path(x, genome)` computes one genome of a super-network alone.
    """

    def __init__(self, space: NB201Space, genome: Genome | None, cells: int, channels: int, style: Style, mixing: Mixing = PerEdge) -> None:
        super().__init__()
        self.space, self.cells_per_stage, self.channels = space, cells, channels
        # Outside the cell nothing is chosen: normalisation keeps its weights there, also in search.
        outer = Style(affine=True, running=style.running, pool_norm=False)
        self.stem = nn.Sequential(nn.Conv2d(space.shape.input[0], channels, 3, padding=1, bias=False), outer.norm(channels))
        self.blocks = nn.ModuleList()
        for stage in range(STAGES):
            if stage:
                self.blocks.append(ResidualBlock(channels, outer))
                channels *= 2
            self.blocks.extend(mixing(cell_plan(space, genome, channels, style)) for _ in range(cells))
        self.last = nn.Sequential(outer.norm(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, space.shape.classes)

    def forward(self, x: Tensor, gamma: dict[str, Tensor] | None = None) -> Tensor:
        weights = None if gamma is None else gamma[GROUP]
        x = self.stem(x)
        for block in self.blocks:
            # A cell's result is its last node.
            x = block(x) if isinstance(block, ResidualBlock) else block([x], weights)[-1]
        return self._classify(x)

    def forward_path(self, x: Tensor, genome: Genome) -> Tensor:
        """The logits of one genome, its operations computed and no others. Raises BadInput(field "genome")."""
        self.space.validate(genome)
        chosen = [(*edge, name) for edge, name in zip(EDGES, self.space.operations_of(genome), strict=True)]
        x = self.stem(x)
        for item in self.blocks:
            block: Any = item
            x = block(x) if isinstance(block, ResidualBlock) else block.path([x], chosen)[-1]
        return self._classify(x)

    def _classify(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.last(x).mean(dim=(2, 3)))
        return logits


def cell_plan(space: NB201Space, genome: Genome | None, channels: int, style: Style) -> CellPlan:
    """The plan of the cell: all operations on all edges, or a genome's one per edge."""
    names = [space.operations] * len(EDGES) if genome is None else [(name,) for name in space.operations_of(genome)]
    edges = tuple(EdgePlan(source, target, operations) for (source, target), operations in zip(EDGES, names, strict=True))
    return CellPlan(1, 3, edges, space.operations, channels, style)


def build_supernet(space: NB201Space, mixing: Mixing = BySource, cells: int = 0) -> NB201Network:
    """The super-network, without weights in the cells' batch normalisation and without running statistics; `cells` per stage, 0 = the
    space's own choice."""
    cells, channels = space.macro("search", cells)
    return NB201Network(space, None, cells, channels, SEARCH_STYLE, mixing)


def build(space: NB201Space, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> NB201Network:
    """The untrained network of a genome; `training.layers` cells per stage, `training.channels` channels, 0 = the space's own choice.

    Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible.
    """
    space.validate(genome)
    cells, channels = space.macro(stage, training.layers, training.channels)
    return NB201Network(space, genome, cells, channels, TRAINED_STYLE)


def copy_weights(supernet: NB201Network, genome: Genome) -> dict[str, Any]:
    """The state of the genome's network at the super-network's own size with the super-network's weights: in training mode it then
    computes what the super-network does under the genome's one-hot gamma."""
    return copy_matching(
        supernet, lambda: NB201Network(supernet.space, genome, supernet.cells_per_stage, supernet.channels, TRAINED_STYLE)
    )
