"""The network of the `tabular_cell` space: the cells of `cell_network` on tokens of columns instead of pixels."""

from __future__ import annotations

from typing import Any, Literal

from torch import nn

from ..base.training_config import TrainingConfig
from ..primitives.modules import SEARCH, TRAINED, Style
from ..primitives.tabular import Tokens
from ..spaces.genomes import Genome
from ..spaces.tabular_cell import TabularCellSpace
from .cell_network import CellNetwork
from .mixing import Mixing, PerEdge
from .transfer import copy_matching


class TabularNetwork(CellNetwork):
    """Inputs (B, features), logits (B, classes); else as `CellNetwork`."""

    def first_layer(self, channels: int, style: Style) -> nn.Module:
        return Tokens(self.space.shape.widths, channels)


def build_supernet(space: TabularCellSpace, mixing: Mixing = PerEdge, cells: int = 0) -> TabularNetwork:
    """The super-network, without weights in the cells' batch normalisation and without running statistics; `cells` of them, 0 = the
    space's own choice."""
    return TabularNetwork(space, None, space.macro("search", cells), SEARCH, mixing)


def build(space: TabularCellSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> TabularNetwork:
    """The untrained network of a genome; `training.layers` cells of `training.channels` channels, 0 = the space's own choice.

    Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible.
    """
    space.validate(genome)
    return TabularNetwork(space, genome, space.macro(stage, training.layers, training.channels), TRAINED)


def copy_weights(supernet: TabularNetwork, genome: Genome) -> dict[str, Any]:
    """As `cell_network.copy_weights`."""
    return copy_matching(supernet, lambda: TabularNetwork(supernet.space, genome, supernet.macro, TRAINED))
