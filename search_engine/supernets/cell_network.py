"""The network of the `cell` space: stem, stacked DARTS cells, classifier. Super-network and derived network are this one class.

Liu, Simonyan and Yang 2019, section 3; layer for layer as quark0/darts, cnn/model_search.py, with these differences: the final network
keeps the search's batch normalisation after poolings (see `primitives.modules`), and global average pooling is a mean, which has a
deterministic gradient on every device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..primitives.modules import SEARCH, TRAINED, FactorizedReduce, Style, relu_conv_norm
from ..spaces.cell import CellSpace
from ..spaces.cell_family import INPUTS
from ..spaces.cell_macro import Macro
from ..spaces.genomes import Genome
from .grouped.by_source import BySource
from .mixing import CellPlan, Chosen, EdgePlan, Mixing, PerEdge
from .transfer import copy_matching

STEM_WIDTH = 3
"""The stem has 3C channels, as in DARTS (`stem_multiplier`)."""


class Cell(nn.Module):
    """One cell: two preprocessed inputs, mixed edges, concatenated nodes.

    (B, C_before_last, H, W) and (B, C_last, H, W) -> (B, nodes * C, H', W'), halved if `reduction`. If the last cell halved the
    resolution, the older input is brought to size by a factorised reduction.
    """

    def __init__(
        self, plan: CellPlan, before_last: int, last: int, *, reduction: bool, after_reduction: bool, mixing: Mixing
    ) -> None:
        super().__init__()
        self.reduction = reduction
        # The name of its class in a downloaded model.py.
        self.source_name = "ReductionCell" if reduction else "NormalCell"
        channels, style = plan.channels, plan.style
        self.preprocess_before_last: nn.Module = (
            FactorizedReduce(before_last, channels, style) if after_reduction else relu_conv_norm(before_last, channels, 1, 1, style)
        )
        self.preprocess_last = relu_conv_norm(last, channels, 1, 1, style)
        self.mixing = mixing(plan)

    def forward(self, before_last: Tensor, last: Tensor, gamma: Tensor | None) -> Tensor:
        mixing: Any = self.mixing
        states = [mixing.layer(self.preprocess_before_last, before_last), mixing.layer(self.preprocess_last, last)]
        result: Tensor = mixing.join(mixing(states, gamma))
        return result

    def path(self, before_last: Tensor, last: Tensor, chosen: Sequence[Chosen]) -> Tensor:
        """As `forward`, with the chosen operations alone. An input that none of them reads is not computed."""
        read = {source for source, _, _ in chosen}
        # What nothing reads stands as it is: only its place in the list matters.
        states = [
            self.preprocess_before_last(before_last) if 0 in read else before_last,
            self.preprocess_last(last) if 1 in read else last,
        ]
        mixing: Any = self.mixing
        return torch.cat(mixing.path(states, chosen), dim=1)


class CellNetwork(nn.Module):
    """Inputs (B, C, H, W), or (B, C, T) of a space whose operations reach along time alone; logits (B, classes).

    With `genome` None it is the super-network: every edge has every operation and `forward(x, gamma)` takes
    `gamma = {"normal": (edges, operations), "reduction": ...}` in the order of `space.family()`. With a genome it has that genome's
    operations only and `forward(x)` takes no gamma. Structure weights are never parameters of it. `forward_path(x, genome)` computes
    one genome of a super-network alone.
    """

    def __init__(self, space: CellSpace, genome: Genome | None, macro: Macro, style: Style, mixing: Mixing = PerEdge) -> None:
        super().__init__()
        self.space, self.macro = space, macro
        style = replace(style, dims=space.dims, places=space.places)
        channels, nodes = macro.channels, space.config.nodes
        self.stem = nn.Sequential(
            self.first_layer(STEM_WIDTH * channels, style),
            # The stem and the classifier carry no structure: their normalisation keeps its weights in search, as upstream's does.
            style.norm(STEM_WIDTH * channels, affine=True),
        )
        before_last = last = STEM_WIDTH * channels
        after_reduction = False
        self.cells = nn.ModuleList()
        for place in range(macro.cells):
            reduction = place in macro.reductions
            channels *= 2 if reduction else 1
            plan = cell_plan(space, genome, "reduction" if reduction else "normal", channels, style)
            self.cells.append(Cell(plan, before_last, last, reduction=reduction, after_reduction=after_reduction, mixing=mixing))
            before_last, last, after_reduction = last, nodes * channels, reduction
        self.classifier = nn.Linear(last, space.shape.classes)

    def first_layer(self, channels: int, style: Style) -> nn.Module:
        """What turns an input into a state of so many channels."""
        return style.convolution(self.space.shape.input[0], channels, 3, padding=1)

    def forward(self, x: Tensor, gamma: dict[str, Tensor] | None = None) -> Tensor:
        before_last = last = self.stem(x)
        for cell in self.cells:
            weights = None if gamma is None else gamma["reduction" if cell.reduction else "normal"]
            before_last, last = last, cell(before_last, last, weights)
        return self._classify(last)

    def forward_path(self, x: Tensor, genome: Genome) -> Tensor:
        """The logits of one genome, its operations computed and no others. Raises BadInput(field "genome")."""
        self.space.validate(genome)
        chosen = {name: numbered(self.space, genome, name) for name in self.space.kinds}
        before_last = last = self.stem(x)
        for item in self.cells:
            cell: Any = item
            before_last, last = last, cell.path(before_last, last, chosen["reduction" if cell.reduction else "normal"])
        return self._classify(last)

    def _classify(self, last: Tensor) -> Tensor:
        logits: Tensor = self.classifier(last.mean(dim=tuple(range(2, last.dim()))))
        return logits


def cell_plan(space: CellSpace, genome: Genome | None, name: str, channels: int, style: Style) -> CellPlan:
    """The plan of one cell: all operations on all edges, or a genome's own."""
    numbers = {state: place for place, state in enumerate(space.states)}
    chosen: dict[tuple[str, str], tuple[str, ...]] = dict.fromkeys(space.edges, space.operations if genome is None else ())
    for source, target, operation in [] if genome is None else space.cell(genome, name):
        chosen[source, target] += (operation,)
    stride = 2 if name == "reduction" else 1
    edges = tuple(
        # Only the edges from the cell's inputs halve the resolution: the nodes are already small.
        EdgePlan(numbers[source], numbers[target], operations, stride if source in INPUTS else 1)
        for (source, target), operations in chosen.items()
        if operations
    )
    return CellPlan(len(INPUTS), space.config.nodes, edges, space.operations, channels, style)


def numbered(space: CellSpace, genome: Genome, name: str) -> list[Chosen]:
    """The edges of one cell of a genome with their states numbered as in the cell's plan."""
    numbers = {state: place for place, state in enumerate(space.states)}
    return [(numbers[source], numbers[target], operation) for source, target, operation in space.cell(genome, name)]


def build_supernet(space: CellSpace, mixing: Mixing = BySource, cells: int = 0) -> CellNetwork:
    """The super-network, without weights in the cells' batch normalisation and without running statistics; `cells` of them, 0 = the
    space's own choice."""
    return CellNetwork(space, None, space.macro("search", cells), SEARCH, mixing)


def build(space: CellSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> CellNetwork:
    """The untrained network of a genome; `training.layers` cells of `training.channels` channels, 0 = the space's own choice.

    Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible.
    """
    space.validate(genome)
    return CellNetwork(space, genome, space.macro(stage, training.layers, training.channels), TRAINED)


def copy_weights(supernet: CellNetwork, genome: Genome) -> dict[str, Any]:
    """The state of the genome's network at the super-network's own size (`build` with its depth and width) with the super-network's
    weights: in training mode it then computes what the super-network does under the genome's one-hot gamma."""
    return copy_matching(supernet, lambda: CellNetwork(supernet.space, genome, supernet.macro, TRAINED))
