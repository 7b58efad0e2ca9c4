"""Auto-encoders: a perceptron that codes an example by a few latent variables, a perceptron that gives the example back.

The family has one edge per latent variable, from the latent to the decoder, with a weight in [0, 1]: the latent takes part or it does
not. A genome is the set of latents that do, with the sizes of both perceptrons. Labels of the data are not used: the task is
reconstruction. Images are flattened.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from ..base.errors import BadInput
from ..events import FamilyGroup, GraphNode
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .genomes import Genome
from .tasks import TaskName

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np

GROUP = "latents"
KEEPS_FROM = 0.5
"""A latent whose edge weighs at least this much takes part in the derived genome."""
LARGEST_INPUT = 16_384


class AutoencoderConfig(SpaceConfig):
    """Options of the auto-encoder space."""

    latents: int = Field(
        default=20, ge=1, le=64, title="Latent variables", description="How many there are to begin with; the search decides which remain."
    )
    encoder: tuple[int, ...] = Field(
        default=(128,), min_length=1, max_length=4, title="Encoder widths", description="Hidden layers from the input to the code."
    )
    decoder: tuple[int, ...] = Field(
        default=(128,), min_length=1, max_length=4, title="Decoder widths", description="Hidden layers from the code to the reconstruction."
    )
    activation: Literal["relu", "tanh"] = Field(default="relu", title="Activation", description="Of all hidden layers.")

    @field_validator("encoder", "decoder")
    @classmethod
    def _widths(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= width <= 4096 for width in value):
            raise ValueError("a hidden layer has 1 to 4096 units")
        return value


class AutoencoderSpace(SearchSpace[AutoencoderConfig]):
    """See the module's docstring. Content: `{"kept": [numbers of latents, from 0], "latents": how many there were, "encoder": widths,
    "decoder": widths, "activation": name}`."""

    id: ClassVar[str] = "autoencoder"
    offers: ClassVar[frozenset[str]] = frozenset({"latents"})

    @property
    def task(self) -> TaskName:
        """Its networks give their own inputs back, whatever the data set's labels are for."""
        return "reconstruction"

    def validate_shape(self, shape: Any) -> None:
        size = 1
        for side in shape.input:
            size *= side
        if size > LARGEST_INPUT:
            raise BadInput("dataset", f"examples of {size} numbers are too large for a perceptron; at most {LARGEST_INPUT}")

    # ---- genomes

    def genome(self, kept: list[int]) -> Genome:
        """The genome of those latents, with this space's sizes."""
        own = self.config
        return Genome(
            self.id,
            {
                "kept": sorted(kept), "latents": own.latents, "encoder": list(own.encoder), "decoder": list(own.decoder),
                "activation": own.activation,
            },
        )

    def kept(self, genome: Genome) -> list[int]:
        """Numbers of its latents, in order."""
        return [int(number) for number in genome.content["kept"]]

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"this genome belongs to the space '{genome.space}', not to '{self.id}'")
        kept = genome.content.get("kept")
        if not isinstance(kept, list) or not kept or not all(isinstance(item, int) and 0 <= item < self.config.latents for item in kept):
            raise BadInput("genome", f"`kept` lists one or more numbers of latents from 0 to {self.config.latents - 1}")
        if genome != self.genome(kept) or len(set(kept)) != len(kept):
            raise BadInput("genome", "each latent is listed once, in order, and the sizes are those of the space's options")

    def sample(self, rng: random.Random) -> Genome:
        """Each latent with probability one half, at least one."""
        chosen = [number for number in range(self.config.latents) if rng.random() < 0.5]
        return self.genome(chosen or [rng.randrange(self.config.latents)])

    def enumerate(self) -> Iterator[Genome]:
        for bits in range(1, 2**self.config.latents):
            yield self.genome([number for number in range(self.config.latents) if bits >> number & 1])

    def size(self) -> int:
        return int(2**self.config.latents) - 1

    def normal_form(self, genome: Genome) -> Any:
        """Latents are interchangeable: their number and the sizes say everything."""
        content = genome.content
        return [len(content["kept"]), content["encoder"], content["decoder"], content["activation"]]

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """`encoder=128 latents=0,3,7/20 decoder=128 activation=relu`: those kept of how many."""
        content = genome.content
        kept = ",".join(map(str, content["kept"]))
        widths = {name: "-".join(map(str, content[name])) for name in ("encoder", "decoder")}
        return (
            f"encoder={widths['encoder']} latents={kept}/{content['latents']} decoder={widths['decoder']} "
            f"activation={content['activation']}"
        )

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The chain of the encoder, its latents side by side, the chain of the decoder."""
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph()
        graph.add_node("input", label=" x ".join(map(str, self.shape.input)), kind="input")
        before = _chain(graph, "input", "encoder", genome)
        after = _chain(graph, "", "decoder", genome)
        graph.add_node("output", label="reconstruction", kind="output")
        graph.add_edge(after, "output", key="linear", operation="linear")
        for number in self.kept(genome):
            node = f"z{number}"
            graph.add_node(node, label=f"latent {number}", kind="hidden")
            graph.add_edge(before, node, key="linear", operation="linear")
            graph.add_edge(node, "decoder1", key="linear", operation="linear")
        return graph

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Latents without their numbers."""
        graph = self.to_graph(genome)
        for node, data in graph.nodes(data=True):
            data["match"] = "latent" if node.startswith("z") else f"{data['kind']} {data['label']}"
        return graph

    def family(self) -> list[FamilyGroup]:
        """One group: an edge from every latent to the decoder, with one operation, that it takes part."""
        numbers = range(self.config.latents)
        nodes = [GraphNode(id="encoder", label="encoder", kind="input")]
        nodes += [GraphNode(id=f"z{number}", label=f"z{number}", kind="hidden") for number in numbers]
        nodes.append(GraphNode(id="decoder", label="decoder", kind="output"))
        return [
            FamilyGroup(
                name=GROUP, title="Latent variables", nodes=nodes, edges=[(f"z{number}", "decoder") for number in numbers],
                operations=["latent"], fixed=[("encoder", f"z{number}") for number in numbers], constraint="cube", weight="1 − ρ",
            )
        ]

    def derive(self, weights: dict[str, np.ndarray[Any, Any]]) -> Genome:
        """The latents whose edges weigh at least one half, or the heaviest one where none does: an empty code codes nothing."""
        values = [float(row[0]) for row in weights[GROUP]]
        return self.genome([number for number, value in enumerate(values) if value >= KEEPS_FROM] or [values.index(max(values))])


def _chain(graph: nx.MultiDiGraph, before: str, side: str, genome: Genome) -> str:
    """Add the hidden layers of one side behind `before` ('' = behind nothing yet); returns the last one."""
    for layer, width in enumerate(genome.content[side], start=1):
        node = f"{side}{layer}"
        graph.add_node(node, label=f"{width} {genome.content['activation']}", kind="hidden")
        if before:
            graph.add_edge(before, node, key="linear", operation="linear")
        before = node
    return before


ENTRY = SpaceEntry(
    id="autoencoder",
    title="Auto-encoder with latent variables",
    description="A perceptron codes an example by a few latent variables, another gives it back; which latents remain is searched. Labels "
    "are not used.",
    source="Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014 (arXiv 1312.6114); Bakhteev, lecture slides 2019",
    config=AutoencoderConfig,
    space=AutoencoderSpace,
    offers=AutoencoderSpace.offers,
    inputs=frozenset({"image", "vector", "series"}),
    builder="search_engine.supernets.autoencoder:build",
    tasks=frozenset({"classification", "regression"}),
)
