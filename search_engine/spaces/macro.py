"""The macro space of ENAS (Pham et al. 2018, section 2.3), also searched by NAS with reinforcement learning (Zoph and Le 2017).

A network is a chain of layers 1 .. L. Layer l computes

    x_l = BN(op_l(x_{l-1}) + sum of x_j over its skip connections j)

where op_l is one of six branches and any earlier layer j = 1 .. l-1 may be skipped from; x_0 is the stem. After a third and after two
thirds of the layers the resolution is halved, and the width doubled, by a factorised reduction of every layer that is still read.

Genome content: `{"layer1.operation": ..., "layer2.operation": ..., "layer2.skip1": "none" or "skip_connect", ...}`: L operations and
L (L - 1) / 2 skip connections. Text form: per layer its operation and the layers that it skips from,
`nor_conv_3x3 | sep_conv_5x5 1 | max_pool_3x3 1 2`.

The skip connection of number j is the output of layer j, whose state the controller attends to. In the authors' code it is that of
layer j - 1 (the stem for j = 1), one off from the attended one, so arcs printed by it do not mean the same here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from ..base.errors import BadInput
from ..primitives.names import MACRO
from .base import SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .decision_space import DecisionSpace
from .decisions import Decision, DecisionList
from .genomes import Genome
from .input_kinds import require_images

if TYPE_CHECKING:
    import networkx as nx

Stage = Literal["search", "trial", "final"]
SKIP = ("none", "skip_connect")
"""The choices of a skip decision: an edge with a zero, or with the identity."""


@dataclass(frozen=True)
class Layer:
    """One layer of a genome. Layers count from 0 in here, from 1 in texts."""

    operation: str
    skips: tuple[int, ...]
    """Earlier layers whose outputs are added, ascending."""


@dataclass(frozen=True)
class Size:
    """How many layers there are, and the channels before the first reduction."""

    layers: int
    channels: int


# Sides up to 12 (digits), up to 28 (Fashion-MNIST), larger (CIFAR). The paper has 12 layers of 36 channels in search on CIFAR-10; the
# smaller ones make a search of one or two minutes (8x8) on one core possible.
_LAYERS = (6, 6, 12)
_CHANNELS: dict[Stage, tuple[int, int, int]] = {"search": (8, 8, 16), "trial": (8, 8, 16), "final": (16, 16, 24)}


class MacroConfig(SpaceConfig):
    """Options of the macro space. 0 leaves a size to the space, which chooses it from the input's resolution."""

    layers: int = Field(
        default=0, ge=0, le=24, title="Layers",
        description="Layers of a network, each with a choice of operation and of skip connections; 0 = from the input size (8x8: 6; "
        "32x32: 12, as in the paper). Fewer than three layers never halve the resolution.",
    )
    search_channels: int = Field(
        default=0, ge=0, le=128, title="Channels in search",
        description="Width of the super-network before its first reduction; 0 = from the input size (8x8: 8). Paper: 36.",
    )


class MacroSpace(DecisionSpace[MacroConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "macro"
    offers: ClassVar[frozenset[str]] = DecisionSpace.offers | {"paths"}
    operations: ClassVar[tuple[str, ...]] = MACRO
    dims: ClassVar[int] = 2
    """Along how many dimensions its operations' states reach beside their channels: 2 = (B, C, H, W), 1 = (B, C, T)."""

    def validate_shape(self, shape: DataShape) -> None:
        # Two reductions must leave a pixel.
        require_images(self.id, shape, least=4)

    @property
    def layers(self) -> int:
        return self.config.layers or _LAYERS[self._class]

    @property
    def reductions(self) -> tuple[int, ...]:
        """The layers (from 0) after which the resolution is halved, as in the authors' code."""
        third = self.layers // 3
        return (third - 1, 2 * third - 1) if third else ()

    def size_of(self, stage: Stage, channels: int = 0) -> Size:
        """Depth and width of a network; a positive `channels` overrides. The depth is the genome's own."""
        if stage == "search":
            channels = channels or self.config.search_channels
        return Size(self.layers, channels or _CHANNELS[stage][self._class])

    @property
    def _class(self) -> int:
        side = self._side
        return 0 if side <= 12 else 1 if side <= 28 else 2

    @property
    def _side(self) -> int:
        """What depth and width follow from."""
        return max(self.shape.input[1:])

    # ---- genomes

    @property
    def decisions(self) -> DecisionList:
        """Layer by layer: its operation, then one skip decision per earlier layer."""
        return _decisions(self.layers, self.operations)

    def genome(self, layers: Sequence[tuple[str, Sequence[int]]]) -> Genome:
        """A genome from its layers' (operation, skips; layers from 0). Raises BadInput(field "genome")."""
        content: dict[str, Any] = {}
        for place, (operation, skips) in enumerate(layers):
            content[f"layer{place + 1}.operation"] = operation
            wrong = [skip for skip in skips if not 0 <= skip < place]
            if wrong:
                raise BadInput("genome", f"layer {place + 1} cannot skip from layer {wrong[0] + 1}; it can from earlier layers, from 1")
            for earlier in range(place):
                content[f"layer{place + 1}.skip{earlier + 1}"] = SKIP[earlier in skips]
        genome = Genome(self.id, content)
        self.validate(genome)
        return genome

    def layers_of(self, genome: Genome) -> tuple[Layer, ...]:
        """The layers of an admissible genome. Raises BadInput(field "genome")."""
        self.validate(genome)
        return tuple(
            Layer(
                genome.content[f"layer{place + 1}.operation"],
                tuple(earlier for earlier in range(place) if genome.content[f"layer{place + 1}.skip{earlier + 1}"] == SKIP[1]),
            )
            for place in range(self.layers)
        )

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        layers = self.layers_of(genome)
        return " | ".join(" ".join([layer.operation, *(str(skip + 1) for skip in layer.skips)]) for layer in layers)

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        parts = [part.split() for part in text.split("|")]
        if len(parts) != self.layers or not all(part and all(word.isdecimal() for word in part[1:]) for part in parts):
            first, second, *_, last = self.operations
            expected = f"operation, then the numbers of the layers it skips from: {first} | {second} 1 | {last} 1 2"
            raise BadInput("genome", f"a macro genome here has {self.layers} parts divided by |, each an {expected}")
        return self.genome([(part[0], [int(word) - 1 for word in part[1:]]) for part in parts])

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Nodes `input`, `1` .. `L`, `output`: the chain carries the operations, chords are skip connections."""
        import networkx as nx

        layers = self.layers_of(genome)
        names = ["input", *(str(place + 1) for place in range(len(layers))), "output"]
        graph: nx.MultiDiGraph = nx.MultiDiGraph(name="network", layout=_layout(names))
        graph.add_node("input", label="input", kind="input")
        for place in range(len(layers)):
            halved = sum(reduction < place for reduction in self.reductions)
            graph.add_node(str(place + 1), label=str(place + 1), kind="hidden", aggregation="sum", resolution=f"1/{2**halved}")
        graph.add_node("output", label="output", kind="output")
        for place, layer in enumerate(layers):
            graph.add_edge(names[place], names[place + 1], key=layer.operation, operation=layer.operation)
            for skip in layer.skips:
                graph.add_edge(str(skip + 1), names[place + 1], key=SKIP[1], operation=SKIP[1])
        graph.add_edge(names[-2], "output", key="classifier", operation=None)
        return graph


def read_after(layers: Sequence[Layer], place: int) -> tuple[int, ...]:
    """The layers up to `place` that a layer behind it reads: what a reduction there has to reduce. Ascending."""
    read = {skip for layer in layers[place + 1 :] for skip in layer.skips if skip <= place}
    return tuple(sorted(read | {place}))


def _layout(names: Sequence[str]) -> dict[str, list[float]]:
    """Along a parabola: no three places on a line, so that no chord hides another."""
    last = len(names) - 1
    return {name: [round(0.05 + 0.9 * at / last, 3), round(0.88 - 3.0 * at * (last - at) / last**2, 3)] for at, name in enumerate(names)}


@lru_cache(maxsize=32)
def _decisions(layers: int, operations: tuple[str, ...]) -> DecisionList:
    decisions: list[Decision] = []
    for place in range(layers):
        name = f"layer{place + 1}"
        title = f"Layer {place + 1}"
        decisions.append(
            Decision(f"{name}.operation", f"{title}: operation", "operation", operations, anchor=name if place == 0 else None)
        )
        for earlier in range(place):
            source = f"layer{earlier + 1}"
            decisions.append(
                Decision(
                    key=f"{name}.skip{earlier + 1}",
                    title=f"{title}: skip from layer {earlier + 1}",
                    kind="skip",
                    choices=SKIP,
                    selects=((), (source,)),
                    anchor=name if earlier == place - 1 else None,
                    row=place,
                    column=earlier,
                )
            )
    return DecisionList(decisions)


ENTRY = SpaceEntry(
    id="macro",
    title="Layered network with skips",
    description="A chain of layers: each chooses one of six operations, and from which earlier layers it also reads. Depth follows from "
    "the input size; the resolution is halved twice.",
    source="Pham et al.: Efficient Neural Architecture Search via Parameter Sharing. ICML 2018, arXiv 1802.03268, section 2.3",
    config=MacroConfig,
    space=MacroSpace,
    offers=MacroSpace.offers,
    idle={"layers": "the depth of a network is its genome's"},
    supernet_options=("search_channels",),
    builder="search_engine.supernets.macro_network:build",
)
