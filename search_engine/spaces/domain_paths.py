"""Paths of several data sets (domains) through one grid of shared modules, as in multi-path NAS (Wang et al. 2021).

The super-network has `layers` columns of the same `modules`; every data set has a stem, batch normalisations and a classifier of its own
and takes one module per layer. A module on the paths of two data sets is shared: they train its weights together. Data sets may differ
in their channels, sizes and classes: modules see only the stem's width, and the network ends in a mean over all pixels.

Genome content: `{"paths": [[label per layer] per data set]}`. A primitive that is named twice among the modules gives two modules with
weights of their own, labelled `nor_conv_3x3` and `nor_conv_3x3#2`: two data sets can then agree on an operation and yet not share it.
Which copy a path takes matters only in comparison with the others' paths, so the normal form numbers the copies of a layer in order of
their first use.

With one data set this is a chain of `layers` free choices, and its `decisions` are those. With several, `decisions` describe one data
set's path (each has its own controller); `genome_of` then gives the genome in which all data sets take that path.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from ..base.errors import BadInput
from ..primitives.names import PRIMITIVES
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .decisions import Choices, Decision, DecisionList
from .genomes import Genome
from .input_kinds import require_images

if TYPE_CHECKING:
    import networkx as nx

Stage = Literal["search", "trial", "final"]
Module = Literal[
    "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
    "dil_conv_5x5",
]
LEAST_SIDE = 4
"""Two layers halve the resolution."""
STEM_SIDE = 16
"""The stem halves larger images until their side is at most this, so that large and small images cost alike."""
_CHANNELS: dict[Stage, int] = {"search": 16, "trial": 16, "final": 24}
"""Width of the stem where neither the space nor the training says otherwise."""


class DomainPathsConfig(SpaceConfig):
    """Options of the space of domain paths."""

    layers: int = Field(
        default=4, ge=1, le=24, title="Layers",
        description="Modules on each path. The layers at a third and at two thirds of the depth halve the resolution and double the width.",
    )
    modules: Annotated[tuple[Module, ...], Field(min_length=2, max_length=12)] = Field(
        default=("nor_conv_3x3", "nor_conv_3x3", "sep_conv_3x3", "max_pool_3x3", "skip_connect"), title="Modules",
        description="The modules of every layer. One that is named twice is there twice, with weights of its own: so two data sets can use "
        "the same operation without sharing it.",
    )
    channels: int = Field(
        default=0, ge=0, le=256, title="Channels",
        description="Width of the stem, doubled twice on the way; 0 = 16 in the search and 24 in the final training.",
    )


class DomainPathsSpace(SearchSpace[DomainPathsConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "domain_paths"
    offers: ClassVar[frozenset[str]] = frozenset(
        {"sample", "mutate", "crossover", "enumerate", "encode", "paths", "decisions", "domains"}
    )

    def validate_shape(self, shape: DataShape) -> None:
        if len(self.domains) == 1:
            require_images(self.id, shape, LEAST_SIDE)

    def validate_training(self, layers: int, channels: int) -> None:
        if layers not in (0, self.config.layers):
            raise BadInput("layers", f"the paths of this space have {self.config.layers} layers: set space_options.layers instead")

    def validate_domains(self) -> None:
        """Every data set must give images; channels, sizes and classes may differ."""
        for number, shape in enumerate(self.domains, start=1):
            if shape.is_image and min(shape.input[1:]) >= LEAST_SIDE:
                continue
            given = "x".join(map(str, shape.input)) + " images" if shape.is_image else f"vectors of {shape.input[0]} features"
            raise BadInput(
                "datasets",
                f"data set {number} gives {given}; the space '{self.id}' needs images (channels, height, width) of at least "
                f"{LEAST_SIDE}x{LEAST_SIDE} pixels from every data set",
                code="incompatible",
            )

    # ---- the grid

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """Labels of the modules of a layer. Copies only make sense beside another data set."""
        names = self.config.modules if len(self.domains) > 1 else tuple(dict.fromkeys(self.config.modules))
        seen: dict[str, int] = {}
        labels = []
        for name in names:
            seen[name] = seen.get(name, 0) + 1
            labels.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
        return tuple(labels)

    @property
    def reductions(self) -> frozenset[int]:
        """Layers (from 0) that halve the resolution and double the width."""
        return frozenset({self.config.layers // 3, 2 * self.config.layers // 3})

    def width(self, stage: Stage, channels: int = 0) -> int:
        """Channels of the stem; a positive argument overrides, then the space's own option."""
        return channels or self.config.channels or _CHANNELS[stage]

    # ---- admissible genomes

    def genome(self, paths: Sequence[Sequence[str]]) -> Genome:
        """A genome from every data set's labels. Raises BadInput(field "genome")."""
        genome = Genome(self.id, {"paths": [list(path) for path in paths]})
        self.validate(genome)
        return genome

    def paths(self, genome: Genome) -> list[list[str]]:
        """Per data set the label of each layer's module."""
        return [list(path) for path in genome.content["paths"]]

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        paths = genome.content.get("paths") if isinstance(genome.content, dict) else None
        if not isinstance(paths, list) or len(paths) != len(self.domains) or len(genome.content) != 1:
            raise BadInput("genome", f"a {self.id} genome is {{'paths': [...]}} with one path for each of {len(self.domains)} data sets")
        for path in paths:
            if not isinstance(path, list) or len(path) != self.config.layers:
                raise BadInput("genome", f"a path names one module for each of {self.config.layers} layers")
            for label in path:
                if label not in self.modules:
                    raise BadInput("genome", f"there is no module {label!r}; choose one of: {', '.join(self.modules)}")

    def sample(self, rng: random.Random) -> Genome:
        return self.genome([[rng.choice(self.modules) for _ in range(self.config.layers)] for _ in self.domains])

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """One layer of one data set's path takes another module."""
        paths = self.paths(genome)
        path, layer = rng.choice(paths), rng.randrange(self.config.layers)
        path[layer] = rng.choice([label for label in self.modules if label != path[layer]])
        return self.genome(paths), "module_mutation"

    def mutation_rates(self, genome: Genome) -> list[float]:
        return self.most_mutation_rates

    @property
    def most_mutation_rates(self) -> list[float]:
        return [1 / len(self.decisions)] * len(self.decisions)

    @property
    def crossover_blocks(self) -> list[int] | None:
        return list(range(len(self.decisions)))

    def crossover(self, first: Genome, second: Genome, rng: random.Random) -> Genome:
        """Uniform crossover: each layer of each path from one of the parents."""
        pairs = zip(self.paths(first), self.paths(second), strict=True)
        return self.genome([[pair[rng.randrange(2)] for pair in zip(one, other, strict=True)] for one, other in pairs])

    def enumerate(self) -> Iterator[Genome]:
        """Every choice of labels once, the last layer of the last data set varying fastest."""
        layers = self.config.layers
        for labels in itertools.product(self.modules, repeat=layers * len(self.domains)):
            yield self.genome([labels[place : place + layers] for place in range(0, len(labels), layers)])

    def size(self) -> int:
        return int(len(self.modules) ** (self.config.layers * len(self.domains)))

    def encode(self, genome: Genome) -> list[float]:
        """One-hot labels, layer by layer, data set by data set."""
        return [float(label == module) for path in self.paths(genome) for label in path for module in self.modules]

    # ---- one data set's path as decisions

    @cached_property
    def decisions(self) -> DecisionList:
        """One decision per layer of one data set's path."""
        return DecisionList(
            [Decision(f"layer{layer}", f"Layer {layer + 1}", "module", self.modules) for layer in range(self.config.layers)]
        )

    def path_of(self, choices: Sequence[int | None]) -> list[str]:
        """The labels that a choice list stands for. Raises BadInput(field "genome")."""
        self.decisions.validate(choices)
        return [self.modules[choice] for choice in choices if choice is not None]

    def genome_of(self, choices: Sequence[int | None]) -> Genome:
        """The genome in which every data set takes this path. Raises BadInput(field "genome")."""
        return self.genome_of_paths([choices] * len(self.domains))

    def genome_of_paths(self, choices: Sequence[Sequence[int | None]]) -> Genome:
        """The genome of one choice list per data set. Raises BadInput(field "genome")."""
        return self.genome([self.path_of(item) for item in choices])

    def choices_of(self, genome: Genome) -> Choices:
        """Undo `genome_of`. Raises BadInput(field "genome") where the data sets take different paths."""
        self.validate(genome)
        paths = self.paths(genome)
        if any(path != paths[0] for path in paths):
            raise BadInput("genome", "the data sets take different paths: there is no one list of choices for them")
        return tuple(self.modules.index(label) for label in paths[0])

    # ---- identity

    def normal_form(self, genome: Genome) -> list[list[str]]:
        """The paths, copies of a primitive numbered per layer in order of their first use."""
        paths = self.paths(genome)
        for layer in range(self.config.layers):
            numbers: dict[str, dict[str, int]] = {}
            for path in paths:
                name = primitive_of(path[layer])
                own = numbers.setdefault(name, {})
                path[layer] = f"{name}#{own.setdefault(path[layer], len(own) + 1)}"
        return paths

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """Paths separated by ` | `, layers by ` > `."""
        return " | ".join(" > ".join(path) for path in self.paths(genome))

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        return self.genome([[label.strip() for label in path.split(">")] for path in text.split("|")])

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """One graph of all paths: an input and an output per data set, a node per module that is used; an edge into a module carries its
        primitive. Attribute `domains`: the data sets (from 0) that go through a node or along an edge."""
        import networkx as nx

        layout: dict[str, list[float]] = {}
        graph: nx.MultiDiGraph = nx.MultiDiGraph(name="network", layout=layout)
        layers, count = self.config.layers, len(self.domains)
        for domain in range(count):
            # Alone, a data set needs no number.
            number = "" if count == 1 else f" {domain + 1}"
            for kind, label, column in (("input", "input", 0), ("output", "output", layers + 1)):
                node = f"{kind}{domain}"
                graph.add_node(node, label=label + number, kind=kind, match=node, domains=[domain])
                layout[node] = _place(column, layers, domain, count)
        for domain, path in enumerate(self.paths(genome)):
            before = f"input{domain}"
            for layer, label in enumerate(path):
                node, name = f"{layer}/{label}", primitive_of(label)
                if node not in graph:
                    short = PRIMITIVES[name].short + (" /2" if layer in self.reductions else "")
                    graph.add_node(node, label=short, kind="operation", match="module", layer=layer, module=label, domains=[])
                    layout[node] = _place(layer + 1, layers, self.modules.index(label), len(self.modules))
                graph.nodes[node]["domains"].append(domain)
                _join(graph, before, node, name, name, domain)
                before = node
            _join(graph, before, f"output{domain}", "classifier", None, domain)
        for _, _, data in graph.edges(data=True):
            data["match"] = f"{data['operation']} {data['domains']}"
        return graph


def primitive_of(label: str) -> str:
    """The primitive of a module's label: `nor_conv_3x3#2` is a `nor_conv_3x3`."""
    return label.partition("#")[0]


def _join(graph: nx.MultiDiGraph, source: str, target: str, key: str, operation: str | None, domain: int) -> None:
    if not graph.has_edge(source, target, key=key):
        graph.add_edge(source, target, key=key, operation=operation, domains=[])
    graph.edges[source, target, key]["domains"].append(domain)


def _place(column: int, layers: int, row: int, rows: int) -> list[float]:
    return [round(0.05 + 0.9 * column / (layers + 1), 4), round((row + 0.5) / rows, 4)]


ENTRY = SpaceEntry(
    id="domain_paths",
    title="Paths through shared modules",
    description="Layers of modules shared by one or more image data sets; each data set has its own stem, batch normalisation and "
    "classifier and takes one module per layer. Made for searching several data sets at once.",
    source="Wang, Ke, ..., Go et al.: Multi-path Neural Networks for On-device Multi-domain Visual Classification. WACV 2021, "
    "arXiv 2010.04904",
    config=DomainPathsConfig,
    space=DomainPathsSpace,
    offers=DomainPathsSpace.offers,
    builder="search_engine.supernets.domain_paths_network:build",
    idle={"layers": "its paths have as many layers as the space's own option says"},
)
