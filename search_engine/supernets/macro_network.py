"""The network of the `macro` space: a chain of layers with skip connections. Super-network and derived network are this one class.

Pham et al. 2018, section 2.3; in the manner of melodyguan/enas, src/cifar10/general_child.py, with these differences: the operations are
the house's primitives (ReLU before the convolution rather than behind it, no 1x1 convolution before each branch), the super-network
doubles its width at a reduction as the final network does, and only those layers are reduced that are read later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from torch import Tensor, nn

from ..base.training_config import TrainingConfig
from ..primitives.modules import FactorizedReduce, Style, build_primitive
from ..spaces.genomes import Genome
from ..spaces.macro import Layer, MacroSpace, read_after
from .transfer import copy_matching

# One path at a time has no weights on its edges that normalisation could compete with: it keeps its own. Without running statistics
# every path is judged by those of the batch (paths share no statistics that would suit all of them).
SEARCH_STYLE = Style(running=False)
TRAINED_STYLE = Style()


class MacroLayer(nn.Module):
    """One layer: a chosen operation of the layer before, plus skipped outputs, normalised. (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, operations: Sequence[str], channels: int, style: Style) -> None:
        super().__init__()
        self.operations = nn.ModuleDict({name: build_primitive(name, channels, 1, style) for name in operations})
        self.norm = style.norm(channels)

    def forward(self, x: Tensor, skipped: Sequence[Tensor] | None = None, operation: str | None = None) -> Tensor:
        """`operation` may be left out where there is only one."""
        total: Tensor = self.operations[operation or next(iter(self.operations))](x)
        for value in skipped or ():
            total = total + value
        result: Tensor = self.norm(total)
        return result


class MacroNetwork(nn.Module):
    """Inputs (B, C, H, W), or (B, C, T) of a space whose operations reach along time alone; logits (B, classes).

    With `genome` None it is the super-network: every layer has every operation and every reduction, and `forward_path(x, genome)`
    computes one genome's alone (the gradients of all other parameters stay None). With a genome it has that genome's own, and
    `forward(x)` computes it.
    """

    def __init__(self, space: MacroSpace, genome: Genome | None, channels: int, style: Style) -> None:
        super().__init__()
        self.space, self.channels = space, channels
        style = replace(style, dims=space.dims)
        self.chosen = None if genome is None else space.layers_of(genome)
        self.stem = nn.Sequential(style.convolution(space.shape.input[0], channels, 3, padding=1), style.norm(channels))
        self.layers = nn.ModuleList()
        self.reductions = nn.ModuleDict()
        for place in range(space.layers):
            names = space.operations if self.chosen is None else (self.chosen[place].operation,)
            self.layers.append(MacroLayer(names, channels, style))
            if place in space.reductions:
                reduced = range(place + 1) if self.chosen is None else read_after(self.chosen, place)
                self.reductions[str(place)] = nn.ModuleDict(
                    {str(layer): FactorizedReduce(channels, 2 * channels, style) for layer in reduced}
                )
                channels *= 2
        self.last = nn.ReLU()
        self.classifier = nn.Linear(channels, space.shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        if self.chosen is None:
            raise ValueError("a super-network of this space computes one genome at a time: use forward_path")
        return self._along(x, self.chosen)

    def forward_path(self, x: Tensor, genome: Genome) -> Tensor:
        """The logits of one genome. Raises BadInput(field "genome"), and KeyError where this is another genome's own network."""
        return self._along(x, self.space.layers_of(genome), shared=True)

    def _along(self, x: Tensor, path: Sequence[Layer], *, shared: bool = False) -> Tensor:
        x = self.stem(x)
        outputs: dict[int, Tensor] = {}
        for place, layer in enumerate(path):
            x = self.layers[place](x, [outputs[skip] for skip in layer.skips] or None, layer.operation if shared else None)
            outputs[place] = x
            if place in self.space.reductions:
                reduce: Any = self.reductions[str(place)]
                outputs = {earlier: reduce[str(earlier)](outputs[earlier]) for earlier in read_after(path, place)}
                x = outputs[place]
        logits: Tensor = self.classifier(self.last(x).mean(dim=tuple(range(2, x.dim()))))
        return logits


def build_supernet(space: MacroSpace) -> MacroNetwork:
    """The super-network, without running statistics in its batch normalisation."""
    return MacroNetwork(space, None, space.size_of("search").channels, SEARCH_STYLE)


def build(space: MacroSpace, genome: Genome, stage: Literal["trial", "final"], training: TrainingConfig) -> MacroNetwork:
    """The untrained network of a genome, `training.channels` wide (0 = the space's own choice); its depth is the genome's.

    Parameters come from torch's global generator. Raises BadInput for a genome that is not admissible.
    """
    space.validate(genome)
    return MacroNetwork(space, genome, space.size_of(stage, training.channels).channels, TRAINED_STYLE)


def copy_weights(supernet: MacroNetwork, genome: Genome) -> dict[str, Any]:
    """The state of the genome's network at the super-network's own width (`build` with its channels) with the super-network's weights:
    in training mode it then computes what the super-network does along the genome's path."""
    return copy_matching(supernet, lambda: MacroNetwork(supernet.space, genome, supernet.channels, TRAINED_STYLE))
