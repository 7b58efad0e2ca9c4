"""Networks of another space with widths of their own.

Most genomes say how a network is wired, and its widths follow from options or from a rule. Here a genome is such a network together with
how many channels each of its blocks has (see `widths.channels`): what a method that only changes widths finds, in whatever space it began.

Genome content:

    {"of": "blueprint", "options": {...}, "genome": {...}, "channels": 0, "layers": 0, "widths": {"steps.0.0": 12, ...}}

`of`, `options` and `genome` are the network as its own space writes it, `channels` and `layers` what it was built with (0: that space's own
choice). `widths` names the layers by their paths in the module tree; empty, they are the network's own. Whether the names are those of the
network is known only where it is built: spaces know no torch.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, ValidationError

from ..base.errors import BadInput
from ..base.quoting import shown
from ..base.works_with import WorksWith, one_of
from ..events import GraphData, GraphEdge, GraphNode
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .genomes import Genome, canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx

AUTO = "auto"
BY_LAYERS = ("cell", "nb201", "hierarchical")
BY_CHANNELS = (*BY_LAYERS, "macro", "node_chain", "block_network")
"""Spaces whose networks take a depth, and a width, from outside."""
KNOWN = (AUTO, "blueprint", "plain", "mlp", "modular", *BY_CHANNELS)
"""What the form offers: spaces of the house whose networks can be followed."""
SMALL_CNN: dict[str, Any] = {"network": "cnn", "channels": [16, 24], "widths": [64], "batch_norm": True}
SMALL_PERCEPTRON: dict[str, Any] = {"widths": [128, 64], "batch_norm": True}
"""The networks of `auto`."""
LARGEST_WIDTH = 1_000_000


class ResizedConfig(SpaceConfig):
    """Which networks it begins with."""

    works_with: ClassVar[WorksWith] = {
        "channels": {"of": one_of(*BY_CHANNELS)},
        "layers": {"of": one_of(*BY_LAYERS)},
        "options": {"of": one_of(*(name for name in KNOWN if name != AUTO))},
    }

    of: str = Field(
        default=AUTO, min_length=1, max_length=100, title="Networks of", json_schema_extra={"enum": list(KNOWN)},
        description="The space that the network is drawn from. auto: of plain, with batch normalisation, a small convolutional network for "
        "images and a perceptron for vectors. A space of an installed package can be named too; one whose networks cannot be followed is "
        "refused, with the layer and the reason. A search that begins with a finished model draws none.",
    )
    options: dict[str, Any] = Field(
        default={}, title="Options of that space",
        description='By name, for example {"network": "cnn", "batch_norm": true} of plain; empty = its defaults.',
    )
    channels: int = Field(
        default=0, ge=0, le=512, title="Channels", description="Of the network before widths change; 0 = that space's own choice."
    )
    layers: int = Field(default=0, ge=0, le=64, title="Layers", description="Depth (cells) of the network; 0 = that space's own choice.")


class ResizedSpace(SearchSpace[ResizedConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "resized"
    offers: ClassVar[frozenset[str]] = frozenset({"widths"})

    def validate_shape(self, shape: DataShape) -> None:
        self._own(shape)

    def validate_training(self, layers: int, channels: int) -> None:
        """Depth and width are the genome's."""

    def _own(self, shape: DataShape) -> SearchSpace[Any]:
        """The space that networks are drawn from."""
        name, options = self.config.of, self.config.options
        if name == AUTO:
            name, options = "plain", SMALL_CNN if shape.is_image else SMALL_PERCEPTRON
        return _space(name, options, shape, "space_options.of")

    # ---- genomes

    def genome(
        self, space: SearchSpace[Any], genome: Genome, widths: Mapping[str, int], channels: int = 0, layers: int = 0
    ) -> Genome:
        """The network of `genome` with these widths. A genome of this space gets others. Raises BadInput(field "genome")."""
        if genome.space == self.id:
            content = {**genome.content, "widths": dict(widths)}
        else:
            content = {
                "of": space.id, "options": space.config.model_dump(mode="json"), "genome": genome.content, "channels": channels,
                "layers": layers, "widths": dict(widths),
            }
        made = Genome(self.id, content)
        self.validate(made)
        return made

    def network_of(self, genome: Genome) -> tuple[SearchSpace[Any], Genome]:
        """The network in its own space, before its widths changed."""
        content = genome.content
        space = _space(content["of"], content["options"], self.shape, "genome")
        return space, Genome(space.id, content["genome"])

    def widths(self, genome: Genome) -> dict[str, int]:
        return dict(genome.content["widths"])

    def validate(self, genome: Genome) -> None:
        content = genome.content
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        names = {"of", "options", "genome", "channels", "layers", "widths"}
        if not isinstance(content, dict) or set(content) != names:
            raise BadInput("genome", f"a network with widths has {', '.join(sorted(names))}")
        if not isinstance(content["widths"], dict) or not isinstance(content["options"], dict) or not isinstance(content["genome"], dict):
            raise BadInput("genome", "widths, options and genome are written by name")
        for name in ("channels", "layers"):
            if type(content[name]) is not int or content[name] < 0:
                raise BadInput("genome", f"{name} is a whole number, 0 for the space's own choice, not {shown(content[name])}")
        for name, width in content["widths"].items():
            if type(width) is not int or not 1 <= width <= LARGEST_WIDTH:
                raise BadInput("genome", f"the width of '{name}' is a whole number from 1 to {LARGEST_WIDTH:,}, not {shown(width)}")
        if content["of"] == self.id:
            raise BadInput("genome", "the network is of another space")
        space, own = self.network_of(genome)
        space.validate(own)
        if "masks" in space.offers and own != space.dense():  # type: ignore[attr-defined]
            raise BadInput("genome", "single weights of this network are removed, and would come back with other widths")

    def sample(self, rng: random.Random) -> Genome:
        """A random network of the other space (of one whose weights can be masked, the whole one) with its own widths."""
        space = self._own(self.shape)
        drawn = space.dense() if "masks" in space.offers else space.sample(rng)  # type: ignore[attr-defined]
        return self.genome(space, drawn, {}, self.config.channels, self.config.layers)

    def training_of(self, genome: Genome) -> dict[str, Any]:
        space, own = self.network_of(genome)
        return space.training_of(own)

    # ---- identity, texts and pictures

    def normal_form(self, genome: Genome) -> Any:
        """As the other space has it where widths are its own; else as it is written, for widths name its layers."""
        content = genome.content
        if content["widths"]:
            return content
        space, own = self.network_of(genome)
        return {**content, "genome": space.normal_form(own)}

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        space, own = self.network_of(genome)
        graph = space.normal_graph(own)
        said = canonical_json({name: value for name, value in genome.content.items() if name != "genome" or genome.content["widths"]})
        for _, data in graph.nodes(data=True):
            if data.get("kind") == "output":
                data["match"] = f"{data.get('match', 'output')} {said}"
        return graph

    def to_string(self, genome: Genome) -> str:
        """Its content as compact JSON."""
        self.validate(genome)
        return canonical_json(genome.content)

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        try:
            content = json.loads(text)
        except ValueError as error:
            raise BadInput("genome", f'this is no JSON ({error}); a network here is written as {{"of": ..., "widths": ...}}') from None
        genome = Genome(self.id, content)
        self.validate(genome)
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        space, own = self.network_of(genome)
        return space.to_graph(own)

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        """Those of the other space, and the widths as a chain in the order of computation."""
        space, own = self.network_of(genome)
        found = space.drawings(own)
        return {**found, "widths": _chain(self.widths(genome))} if genome.content["widths"] else found


def _space(name: str, options: Mapping[str, Any], shape: DataShape, field: str) -> SearchSpace[Any]:
    """The other space on these data. Raises BadInput(field)."""
    from .entries import entries

    known = entries()
    entry = known.get(name)
    if entry is None or not entry.builder or name == ResizedSpace.id:
        able = ", ".join(item for item, other in known.items() if other.builder and item != ResizedSpace.id)
        raise BadInput(field, f"there is no space {shown(name)} with networks; choose one of: {able}", code="unknown_id")
    if shape.task not in entry.tasks:
        raise BadInput(field, f"networks of '{name}' do {' or '.join(sorted(entry.tasks))}, and these data are for {shape.task}",
                       code="incompatible")
    try:
        config = entry.config.model_validate(dict(options))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise BadInput("space_options.options" if field != "genome" else field, f"{place}: {problem['msg']}") from None
    made: SearchSpace[Any] = entry.space(config, shape, (shape,))
    if made.task != shape.task:
        raise BadInput(field, f"networks of '{name}' do {made.task}, and these data are for {shape.task}", code="incompatible")
    return made


def _chain(widths: Mapping[str, int]) -> GraphData:
    nodes = [GraphNode(id="input", label="input", kind="input")]
    edges = []
    for number, (name, width) in enumerate(widths.items(), start=1):
        nodes.append(GraphNode(id=str(number), label=f"{name}: {width}", kind="hidden"))
        edges.append(GraphEdge(source=nodes[-2].id, target=str(number), operation=None, key=str(number)))
    nodes.append(GraphNode(id="output", label="output", kind="output"))
    edges.append(GraphEdge(source=nodes[-2].id, target="output", operation=None, key="output"))
    return GraphData(nodes=nodes, edges=edges, attributes={"name": "widths"})


ENTRY = SpaceEntry(
    id="resized",
    title="Widths of a network",
    description="A network of another space, and how many channels each of its layers has. Any network can be taken whose channels can be "
    "followed through its computation.",
    source="Gordon, Eban, Nachum, Chen, Wu, Yang, Choi: MorphNet: Fast & Simple Resource-Constrained Structure Learning of Deep Networks, "
    "CVPR 2018 (arXiv 1711.06798)",
    config=ResizedConfig,
    space=ResizedSpace,
    offers=ResizedSpace.offers,
    inputs=frozenset({"image", "vector", "series"}),
    tasks=frozenset({"classification", "regression"}),
    idle=dict.fromkeys(("channels", "layers"), "how wide and how deep a network is stands in its genome"),
    builder="search_engine.supernets.resized_network:build",
    initialiser="search_engine.supernets.resized_network:initialise",
)
