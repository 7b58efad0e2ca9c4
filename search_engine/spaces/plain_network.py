"""A plain network whose weights can be removed one by one: the structure is which weights remain.

The network itself is given by the space's options: a perceptron (by default 300 and 100 hidden neurons: LeNet-300-100, LeCun et al. 1998,
the network of Frankle & Carbin 2019 and Zhou et al. 2019) or a small convolutional network (two convolutions, a pooling, dense layers:
their Conv-2). A genome says which of its weights are kept: every layer has a mask over its weight matrix. Biases are never removed.

Genome content:

    {"network": "perceptron", "activation": "relu", "batch_norm": false, "removed": "zero",
     "layers": [{"name": "dense1", "shape": [300, 64], "kept": 1405, "mask": "9f3c..."}, ...], "drawn": 17}

`mask` is the digest of the layer's mask (see `masks.digest_of`); '' = everything is kept. The masks themselves, and the weights, travel as
arrays beside the genome (a network's state holds both). Where they are few they also stand in the layer as `bits`, so that the surviving
neurons can be drawn; a genome that says `drawn` has random masks of its counts, drawn from that number, and can be built from itself
alone. `removed` says what a removed weight computes with: 0, or a constant of its own (Zhou et al., section 4.2: its first value).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from ..base.errors import BadInput
from ..base.lazy import lazy_module
from ..base.works_with import WorksWith, each, one_of
from ..events import GraphData, GraphEdge, GraphNode
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .genomes import Genome
from .input_kinds import require_images
from .plain_masks import Mask, bits_of, digest_of, drawn_mask, mask_of_bits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx
else:
    nx = lazy_module("networkx")

MOST_WEIGHTS = 2_000_000
"""Of a whole network: masks, first weights and optimiser state are kept for each."""
INLINE_WEIGHTS = 4096
"""A layer with at most so many weights has its mask written in the genome (512 bytes)."""
LEAST_SHARE = 0.03
"""A sampled genome keeps between this share of the weights and all of them."""
Removed = Literal["zero", "constant"]
MOST_DRAWN = 400
"""Surviving weights of a picture: more are a carpet, not a graph."""


class PlainNetworkConfig(SpaceConfig):
    """Options of the plain network."""

    works_with: ClassVar[WorksWith] = each(("channels", "kernel"), {"network": one_of("cnn")})

    network: Literal["perceptron", "cnn"] = Field(
        default="perceptron", title="Network",
        description="perceptron: dense layers, images are flattened. cnn: two convolutions, max pooling, then dense layers; images only.",
    )
    widths: tuple[int, ...] = Field(
        default=(300, 100), max_length=6, title="Hidden widths",
        description="Neurons of the hidden dense layers, first to last; of a cnn those behind the pooling. 300, 100 is LeNet-300-100; none "
        "is a linear model.",
    )
    channels: tuple[int, int] = Field(
        default=(16, 16), title="Channels", description="Filters of a cnn's two convolutions (Conv-2 of Frankle & Carbin: 64, 64)."
    )
    kernel: int = Field(
        default=3, ge=1, le=7, title="Kernel", description="Width and height of a cnn's filters in pixels, odd; borders are padded."
    )
    activation: Literal["relu", "tanh"] = Field(default="relu", title="Activation", description="Behind every layer but the last.")
    batch_norm: bool = Field(
        default=False, title="Batch normalisation", description="Between a hidden layer and its activation. The papers' networks have none."
    )

    @field_validator("widths", "channels")
    @classmethod
    def _sensible(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= width <= 4096 for width in value):
            raise ValueError("every layer needs between 1 and 4096 neurons or filters")
        return value

    @field_validator("kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("the kernel must be odd (1, 3, 5 or 7), so that the padded image keeps its size")
        return value


@dataclass(frozen=True)
class Layer:
    """A layer of the network whose weights may be removed."""

    name: str
    title: str
    shape: tuple[int, ...]
    """Of its weights: (out, in), or (out, in, height, width) of a convolution."""

    @property
    def is_convolution(self) -> bool:
        return len(self.shape) == 4

    @property
    def total(self) -> int:
        return math.prod(self.shape)

    @property
    def rows(self) -> int:
        return self.shape[0]

    @property
    def columns(self) -> int:
        return self.total // self.rows


class PlainNetworkSpace(SearchSpace[PlainNetworkConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "plain"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "masks"})

    def validate_shape(self, shape: DataShape) -> None:
        if self.config.network == "cnn":
            require_images(self.id, shape, least=4)
        weights = sum(layer.total for layer in layers_of(self.config, shape))
        if weights > MOST_WEIGHTS:
            field = "space_options.widths" if self.config.network == "perceptron" else "space_options"
            raise BadInput(field, f"this network would have {weights:,} weights, at most {MOST_WEIGHTS:,} are possible: make it narrower")

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers whose weights may be removed, in the order of computation: conv1, conv2, dense1, ..., output."""
        return layers_of(self.config, self.shape)

    @property
    def weights(self) -> int:
        """How many weights the dense network has (without biases)."""
        return sum(layer.total for layer in self.layers)

    # ---- genomes

    def dense(self) -> Genome:
        """The genome that keeps every weight."""
        return self.genome({layer.name: None for layer in self.layers})

    def genome(self, masks: Mapping[str, Mask | None], removed: Removed = "zero") -> Genome:
        """The genome with these masks: bool arrays of the layers' shapes by layer name; None = everything is kept."""
        entries = []
        for layer in self.layers:
            mask = masks[layer.name]
            kept = layer.total if mask is None else int(mask.sum())
            entry: dict[str, Any] = {"name": layer.name, "shape": list(layer.shape), "kept": kept, "mask": ""}
            if mask is not None and kept < layer.total:
                entry["mask"] = digest_of(mask)
                if layer.total <= INLINE_WEIGHTS:
                    entry["bits"] = bits_of(mask)
            entries.append(entry)
        return Genome(self.id, {**self._head, "removed": removed, "layers": entries})

    def drawn(self, kept: Mapping[str, int], number: int) -> Genome:
        """The genome whose masks keep so many weights of each layer, at random places drawn from `number`."""
        genome = self.genome({layer.name: drawn_mask(layer.shape, kept[layer.name], number, layer.name) for layer in self.layers})
        return Genome(self.id, {**genome.content, "drawn": number})

    def masks(self, genome: Genome) -> dict[str, Mask | None]:
        """The masks that the genome itself tells: where it keeps everything, has the bits, or has drawn them; None where the mask is
        known by its digest only."""
        found: dict[str, Mask | None] = {}
        for layer, entry in zip(self.layers, genome.content["layers"], strict=True):
            if not entry["mask"]:
                found[layer.name] = drawn_mask(layer.shape, layer.total, 0, layer.name)
            elif "bits" in entry:
                found[layer.name] = mask_of_bits(entry["bits"], layer.shape)
            elif "drawn" in genome.content:
                found[layer.name] = drawn_mask(layer.shape, entry["kept"], genome.content["drawn"], layer.name)
            else:
                found[layer.name] = None
        return found

    @property
    def _head(self) -> dict[str, Any]:
        config = self.config
        return {"network": config.network, "activation": config.activation, "batch_norm": config.batch_norm}

    def validate(self, genome: Genome) -> None:
        """Raises BadInput(field "genome") for a genome of another network, or one whose masks contradict themselves."""
        content = genome.content
        if genome.space != self.id:
            raise BadInput("genome", f"this genome belongs to the space '{genome.space}', not to '{self.id}'")
        if {name: content.get(name) for name in self._head} != self._head:
            raise BadInput("genome", f"it describes another network than the space's options: {self._head}")
        if content.get("removed") not in ("zero", "constant"):
            raise BadInput("genome", "`removed` must be zero or constant")
        wanted = [(layer.name, list(layer.shape)) for layer in self.layers]
        if [(entry.get("name"), entry.get("shape")) for entry in content.get("layers", [])] != wanted:
            raise BadInput("genome", f"its layers must be {wanted}")
        for layer, entry in zip(self.layers, content["layers"], strict=True):
            kept, mask = entry.get("kept"), entry.get("mask")
            if not isinstance(kept, int) or not 0 <= kept <= layer.total:
                raise BadInput("genome", f"layer {layer.name} keeps 0 to {layer.total} weights, not {kept!r}")
            if not isinstance(mask, str) or (mask == "") != (kept == layer.total):
                raise BadInput("genome", f"layer {layer.name} needs the digest of its mask exactly where weights were removed")
        masks = self.masks(genome)
        for layer, entry in zip(self.layers, content["layers"], strict=True):
            known = masks[layer.name]
            if known is not None and entry["mask"] and (int(known.sum()), digest_of(known)) != (entry["kept"], entry["mask"]):
                raise BadInput("genome", f"the mask of layer {layer.name} is not the one that its digest names")

    def sample(self, rng: random.Random) -> Genome:
        """Random masks: a share of kept weights, log-uniform between 3 % and everything, the same for every layer."""
        return self._drawn(math.exp(rng.uniform(math.log(LEAST_SHARE), 0.0)), rng)

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """A fifth fewer or a fifth more of the weights (at most all), at new random places. Returns the child and `sparser` or
        `denser`."""
        share = sum(entry["kept"] for entry in genome.content["layers"]) / self.weights
        sparser = share >= 1 or rng.random() < 0.5
        changed = min(max(share * (0.8 if sparser else 1.25), LEAST_SHARE), 1.0)
        return self._drawn(changed, rng), "sparser" if sparser else "denser"

    def _drawn(self, share: float, rng: random.Random) -> Genome:
        kept = {layer.name: max(1, round(share * layer.total)) for layer in self.layers}
        return self.drawn(kept, rng.randrange(2**31))

    # ---- identity and texts

    def normal_form(self, genome: Genome) -> Any:
        """Layers with the digests of their masks: how a mask came to be, and whether its bits are written down, changes nothing."""
        content = genome.content
        head = [content["network"], content["activation"], content["batch_norm"], content["removed"]]
        return [*head, [[entry["name"], entry["shape"], entry["kept"], entry["mask"]] for entry in content["layers"]]]

    def to_string(self, genome: Genome) -> str:
        """`perceptron relu dense1:1405/19200#9f3c... dense2:...`: kept of all weights, and the mask's digest where some are gone."""
        content = genome.content
        words = [content["network"], content["activation"], *(["batch_norm"] if content["batch_norm"] else [])]
        words += ["removed=constant"] if content["removed"] == "constant" else []
        words += [f"drawn={content['drawn']}"] if "drawn" in content else []
        for layer, entry in zip(self.layers, content["layers"], strict=True):
            words.append(f"{layer.name}:{entry['kept']}/{layer.total}" + (f"#{entry['mask']}" if entry["mask"] else ""))
        return " ".join(words)

    # ---- pictures

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The chain of layers; an edge's attributes say how many of its layer's weights are kept."""
        return _chain(self, genome)

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        """`network`: the chain of layers. `neurons`: the surviving neurons and weights of the last dense layers, as many layers as fit
        into a picture, where their masks are known."""
        found = super().drawings(genome)
        neurons = _neurons(self, genome)
        return found if neurons is None else {**found, "neurons": neurons}


def layers_of(config: PlainNetworkConfig, shape: DataShape) -> tuple[Layer, ...]:
    """The layers of the network for data of that shape."""
    found: list[Layer] = []
    inputs = math.prod(shape.input)
    if config.network == "cnn":
        channels = shape.input[0]
        for number, width in enumerate(config.channels, start=1):
            found.append(Layer(f"conv{number}", f"Convolution {number}", (width, channels, config.kernel, config.kernel)))
            channels = width
        inputs = channels * (shape.input[1] // 2) * (shape.input[2] // 2)
    for number, width in enumerate(config.widths, start=1):
        found.append(Layer(f"dense{number}", f"Dense layer {number}", (width, inputs)))
        inputs = width
    return (*found, Layer("output", "Output layer", (shape.classes, inputs)))


def _chain(space: PlainNetworkSpace, genome: Genome) -> nx.MultiDiGraph:
    """Input, layers, classes. An edge is a layer's weights: `share`, `kept`, `total` and the mask's digest are its attributes."""
    content = genome.content
    graph: nx.MultiDiGraph = nx.MultiDiGraph(space=space.id, removed=content["removed"])
    graph.add_node("input", label=" x ".join(map(str, space.shape.input)), kind="input")
    before, norm = "input", ", norm" if content["batch_norm"] else ""
    for layer, entry in zip(space.layers, content["layers"], strict=True):
        if content["network"] == "cnn" and not layer.is_convolution and "pooling" not in graph:
            graph.add_node("pooling", label="max pooling 2 x 2", kind="operation")
            graph.add_edge(before, "pooling", key="max_pool_2x2", operation="max_pool_2x2")
            before = "pooling"
        last = layer.name == "output"
        name = "classes" if last else layer.name
        unit = "filters" if layer.is_convolution else "neurons"
        label = f"{layer.rows} outputs" if last else f"{layer.rows} {unit}, {content['activation']}{norm}"
        share = entry["kept"] / layer.total
        graph.add_node(name, label=label, kind="output" if last else "hidden", match=f"{layer.name} {layer.rows} {label}")
        kernel = f"conv_{layer.shape[2]}x{layer.shape[3]}" if layer.is_convolution else "linear"
        graph.add_edge(
            before, name, key=kernel, operation=f"{kernel}, {share:.1%} kept", share=share, kept=entry["kept"], total=layer.total,
            mask=entry["mask"], match=f"{kernel} {entry['kept']} {entry['mask']} {content['removed']}",
        )  # fmt: skip
        before = name
    return graph


def _neurons(space: PlainNetworkSpace, genome: Genome) -> GraphData | None:
    """The last dense layers, as many as have known masks and together at most 400 surviving weights; None where not even the output layer
    can be drawn. Neurons without a surviving weight on either side are left out, outputs never."""
    masks = space.masks(genome)
    shown: list[tuple[Layer, Mask]] = []
    weights = 0
    for layer in reversed(space.layers):
        mask = masks[layer.name]
        if layer.is_convolution or mask is None or weights + int(mask.sum()) > MOST_DRAWN:
            break
        weights += int(mask.sum())
        shown.insert(0, (layer, mask))
    if not shown:
        return None
    first = shown[0][0]
    whole = first is space.layers[0]
    names = ["input" if whole else space.layers[space.layers.index(first) - 1].name, *(layer.name for layer, _ in shown)]
    live = [_used(shown, place) for place in range(len(names))]
    nodes = [
        GraphNode(
            id=f"{name}.{unit}", label=str(unit), kind="input" if place == 0 else "output" if place == len(shown) else "hidden",
            aggregation=None if place == 0 else "sum", attributes={"layer": place, "of": name},
        )
        for place, name in enumerate(names)
        for unit in live[place]
    ]  # fmt: skip
    edges = [
        GraphEdge(source=f"{names[place]}.{column}", target=f"{names[place + 1]}.{row}", key="weight")
        for place, (_, mask) in enumerate(shown)
        for row, column in np.argwhere(mask).tolist()
    ]
    return GraphData(nodes=nodes, edges=edges, attributes={"space": space.id, "image": _image(space, whole)})


def _used(shown: list[tuple[Any, Mask]], place: int) -> list[int]:
    """Units between layer `place - 1` and layer `place` of those shown that have a weight; all outputs."""
    if place == len(shown):
        return list(range(shown[-1][1].shape[0]))
    used = shown[place][1].any(axis=0)
    if place:
        used = used | shown[place - 1][1].any(axis=1)
    return [int(unit) for unit in np.flatnonzero(used)]


def _image(space: PlainNetworkSpace, whole: bool) -> list[int] | None:
    """(channels, rows, columns) of the inputs where they are pixels and shown."""
    return list(space.shape.input) if whole and space.shape.is_image else None


ENTRY = SpaceEntry(
    id="plain",
    title="Plain network, weight by weight",
    description="A perceptron or a small convolutional network of fixed layers; what is searched is which of its weights remain.",
    source="Frankle & Carbin 2019, arXiv:1803.03635 (LeNet-300-100, Conv-2); Zhou et al. 2019, arXiv:1905.01067",
    config=PlainNetworkConfig,
    space=PlainNetworkSpace,
    offers=PlainNetworkSpace.offers,
    inputs=frozenset({"image", "vector", "series"}),
    idle=dict.fromkeys(("channels", "layers"), "its networks are as wide and as deep as the space's options and the genome say"),
    builder="search_engine.supernets.plain_network:build",
    tasks=frozenset({"classification", "regression"}),
)
