"""The space of neuron graphs that grow (Gaier & Ha 2019, "Weight Agnostic Neural Networks"; genes as in NEAT, Stanley 2002).

A genome is an acyclic graph of single neurons between fixed inputs (with a bias) and fixed linear outputs. Its size has no bound. All
edges share one weight, or each has its own after training; neither belongs to the genome.

Genome content: `{"inputs": 64, "outputs": 10, "hidden": [[75, "gauss"], ...], "edges": [[innovation, source, target, 0 or 1], ...]}`;
node 0 is the bias, 1 .. inputs the inputs (images row by row, channel by channel), then the outputs, then hidden nodes. Direct
edges from inputs to outputs that were never enabled are not listed (see `neuron_genes.genes`).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from ..base.errors import BadInput
from ..base.lazy import lazy_module
from ..events import GraphData, GraphEdge, GraphNode
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import DataShape, Preprocessing
from .genomes import Genome
from .neuron_genes.activations import DIFFERENTIABLE, NAMES, NUMBERS
from .neuron_genes.canonical import normal_form, reaching_output
from .neuron_genes.features import features, input_count
from .neuron_genes.genes import Genes, initial_genes, layers
from .neuron_genes.innovation import InnovationTable
from .neuron_genes.operators import apply_mutation, choose

if TYPE_CHECKING:
    import networkx as nx
else:
    nx = lazy_module("networkx")

_ACTIVATIONS = tuple(NUMBERS[name] for name in DIFFERENTIABLE)
_INITIAL_PROBABILITY = 0.05
_ROULETTE = {"add_node": 0.25, "add_connection": 0.20, "enable": 0.05, "change_activation": 0.50}
"""Upstream's defaults, used where the space alone samples or mutates; a search has its own in its config."""


Array = np.ndarray[Any, Any]


class NeuronGraphConfig(SpaceConfig):
    """Options of the space."""

    input_size: int = Field(
        default=16,
        ge=2,
        le=64,
        title="Input size",
        description="images larger than this are shrunk to this many pixels a side by area averaging (the paper used 16 for MNIST)",
    )


class NeuronGraphSpace(SearchSpace[NeuronGraphConfig]):
    """Neuron graphs for data of one shape."""

    id: ClassVar[str] = "neuron_graph"
    offers: ClassVar[frozenset[str]] = frozenset({"growth"})

    @property
    def inputs(self) -> int:
        """Input nodes, without the bias."""
        return input_count(self.shape, self.config.input_size)

    @property
    def outputs(self) -> int:
        return self.shape.classes

    def features(self, inputs: Array, preprocessing: Preprocessing) -> Array:
        """(samples, inputs) float32: what the input nodes hold for each raw input, (samples, channels, height, width) or (samples,
        features)."""
        return features(inputs, self.shape, preprocessing, self.config.input_size)

    def validate_shape(self, shape: DataShape) -> None:
        if self.inputs > 4096:
            raise BadInput("dataset", f"{self.inputs} inputs are too many for a neuron graph; at most 4096 (use a smaller input_size)")

    # ---- genomes

    def genes(self, genome: Genome) -> Genes:
        """The genome as arrays. Raises BadInput if it is none of this space."""
        if genome.space != self.id:
            raise BadInput("genome", f"this genome belongs to the space '{genome.space}', not to '{self.id}'")
        genes = Genes.from_content(genome.content)
        if (genes.inputs, genes.outputs) != (self.inputs, self.outputs):
            raise BadInput(
                "genome",
                f"it has {genes.inputs} inputs and {genes.outputs} outputs; this data needs {self.inputs} and {self.outputs}",
            )
        return genes

    def genome(self, genes: Genes) -> Genome:
        return Genome(self.id, genes.content())

    def validate(self, genome: Genome) -> None:
        self.genes(genome)

    def sample(self, rng: random.Random) -> Genome:
        """An initial graph of the search: no hidden node, each direct edge enabled with probability 0.05."""
        return self.genome(initial_genes(self.inputs, self.outputs, _INITIAL_PROBABILITY, rng))

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """One of the four mutations. Innovation numbers go on from the genome's largest: a search that compares genomes keeps a table."""
        genes = self.genes(genome)
        table = InnovationTable(self.inputs, self.outputs)
        table.go_on_after(genes.nodes.tolist(), genes.innovation.tolist())
        mutation = choose(genes, table, rng, _ROULETTE, _ACTIVATIONS)
        if mutation is None:
            raise BadInput("genome", "nothing in this genome can be changed")
        return self.genome(apply_mutation(genes, mutation)), mutation.operator

    # ---- identity and texts

    def normal_form(self, genome: Genome) -> Any:
        """See `neuron_genes.canonical`: equal exactly for isomorphic graphs of enabled edges."""
        return normal_form(self.genes(genome))

    def to_string(self, genome: Genome) -> str:
        """Enabled edges as text, by target: `75:gauss(3,0) 65(75,12)`; outputs have no activation name."""
        genes = self.genes(genome)
        activation = dict(zip(genes.nodes.tolist(), genes.activations.tolist(), strict=True))
        before: dict[int, list[str]] = {node: [] for node in [*activation, *range(genes.first_output, genes.first_hidden)]}
        for source, target, on in zip(genes.source.tolist(), genes.target.tolist(), genes.enabled.tolist(), strict=True):
            if on:
                before[target].append(str(source))
        return " ".join(
            f"{node}:{NAMES[activation[node]]}({','.join(sources)})" if node in activation else f"{node}({','.join(sources)})"
            for node, sources in before.items()
        )

    def from_string(self, text: str) -> Genome:
        """Undo `to_string` up to disabled edges and innovation numbers."""
        hidden: list[list[Any]] = []
        edges: list[list[int]] = []
        number = (self.inputs + 1) * self.outputs
        first_hidden = self.inputs + 1 + self.outputs
        try:
            for word in text.split():
                head, _, rest = word.partition("(")
                if not rest.endswith(")"):
                    raise ValueError(f"'{word}' does not end with a list of sources in parentheses")
                node_text, _, name = head.partition(":")
                node = int(node_text)
                if name:
                    hidden.append([node, name])
                for source in [int(item) for item in rest[:-1].split(",") if item]:
                    direct = source <= self.inputs and node < first_hidden
                    edges.append([source * self.outputs + node - self.inputs - 1 if direct else number, source, node, 1])
                    number += not direct
        except ValueError as error:
            raise BadInput("genome", f"this is not the text of a neuron graph: {error}") from None
        genome = Genome(self.id, {"inputs": self.inputs, "outputs": self.outputs, "hidden": hidden, "edges": sorted(edges)})
        return self.genome(self.genes(genome))

    # ---- pictures

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Every input and output, hidden nodes, enabled edges. Node attributes: `kind`, `label`, `activation`, `layer`; edge key =
        `connection`, attribute `innovation`."""
        genes = self.genes(genome)
        layer = layers(genes)
        last = max(layer.values(), default=0) + 1
        graph: nx.MultiDiGraph = nx.MultiDiGraph(space=self.id)
        graph.add_node("0", kind="input", label="bias", layer=0)
        for number in range(1, genes.inputs + 1):
            graph.add_node(str(number), kind="input", label=self._input_label(number - 1), layer=0, **self._pixel(number - 1))
        for node, activation in zip(genes.nodes.tolist(), genes.activations.tolist(), strict=True):
            graph.add_node(str(node), kind="hidden", label=NAMES[activation], activation=NAMES[activation], layer=layer[node])
        for number in range(genes.outputs):
            graph.add_node(str(genes.first_output + number), kind="output", label=f"class {number}", activation="linear", layer=last)
        columns = (genes.innovation, genes.source, genes.target, genes.enabled)
        for innovation, source, target, on in zip(*(column.tolist() for column in columns), strict=True):
            if on:
                graph.add_edge(str(source), str(target), key="connection", innovation=innovation)
        return graph

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        """`network`: outputs, inputs in use, and hidden nodes that reach an output, with their enabled edges."""
        graph = self.to_graph(genome)
        numbers = [(int(source), int(target)) for source, target in graph.edges()]
        useful = reaching_output(numbers, self.inputs + 1, self.inputs + 1 + self.outputs)
        edges = [(a, b, data) for a, b, data in graph.edges(data=True) if int(b) in useful or graph.nodes[b]["kind"] == "output"]
        shown = {str(node) for node in useful} | {a for a, _, _ in edges}
        nodes = [
            GraphNode(
                id=name,
                label=data["label"],
                kind=data["kind"],
                aggregation="sum" if data["kind"] != "input" else None,
                attributes={key: value for key, value in data.items() if key not in ("label", "kind")},
            )
            for name, data in graph.nodes(data=True)
            if name in shown or data["kind"] == "output"
        ]
        drawn = [GraphEdge(source=a, target=b, key="connection", attributes={"innovation": data["innovation"]}) for a, b, data in edges]
        return {"network": GraphData(nodes=nodes, edges=drawn, attributes={"space": self.id, "image": self._image()})}

    def _image(self) -> list[int] | None:
        """(channels, rows, columns) of the inputs where they are pixels."""
        if not self.shape.is_image:
            return None
        channels, height, width = self.shape.input
        return [channels, min(height, self.config.input_size), min(width, self.config.input_size)]

    def _pixel(self, index: int) -> dict[str, int]:
        image = self._image()
        if image is None:
            return {}
        _, rows, columns = image
        return {"channel": index // (rows * columns), "row": index // columns % rows, "column": index % columns}

    def _input_label(self, index: int) -> str:
        pixel = self._pixel(index)
        return f"pixel {pixel['row']},{pixel['column']}" if pixel else f"feature {index}"


ENTRY = SpaceEntry(
    id="neuron_graph",
    title="Neuron graph",
    description="Single neurons with chosen activation functions, wired one edge at a time; the graph grows from almost nothing.",
    source="Gaier & Ha 2019, Weight Agnostic Neural Networks, arXiv:1906.04358",
    config=NeuronGraphConfig,
    space=NeuronGraphSpace,
    offers=NeuronGraphSpace.offers,
    inputs=frozenset({"image", "vector", "series"}),
    builder="search_engine.supernets.neuron_graph:build",
)
