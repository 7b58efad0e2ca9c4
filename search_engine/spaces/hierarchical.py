"""Motifs of motifs: the space of hierarchical representations (Liu, Simonyan, Vinyals, Fernando, Kavukcuoglu, ICLR 2018, arXiv:1711.00436).

A cell is assembled level by level. Level 1 are seven primitives, none included; a motif of level 2 is a small graph whose edges are
primitives; the cell is a graph whose edges are motifs of level 2. The value of a node is all that arrives there, concatenated along the
channels and brought back to their number by a 1x1 convolution; where one value arrives, the node is that value. The same motif at two
places has the same structure and weights of its own at each. Flat variant (two levels): the edges of one larger cell are primitives.

`motifs/` has the entries, the step from a genome to its neighbour and the flattened graph; this file makes a space of them.

Genome content: an entry per pair of nodes, by name: `{"motif 1: 1-2": "skip_connect", ..., "cell: 4-5": "motif_3"}`. Text form: the motifs
of each level divided by |, the levels by /, without what is none: `1-2 skip_connect, 2-4 dw_conv_3x3 | ... / 1-2 motif_1, 2-5 motif_2`.

A random genome is, as in the paper, a chain of identities in every motif, then a thousand random steps. Lists of decisions (controllers,
grids) can name cells through which no path leads; a random genome never is one, nor is what comes of it by mutation or crossover. They are
all the same architecture, which answers one thing to everything.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator

from ..base.errors import BadInput
from ..base.quoting import shown
from ..base.works_with import WorksWith, each, one_of
from ..events import GraphData, GraphEdge, GraphNode
from ..primitives.names import MOTIFS, PRIMITIVES
from . import graphs
from .base import SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .decision_space import DecisionSpace
from .decisions import Decision, DecisionList
from .genomes import Genome
from .input_kinds import require_images
from .motifs.flattening import Flat, contracted, flatten, live
from .motifs.hierarchy import NONE, Entries, Hierarchy, Level, Slot
from .motifs.steps import Walk, change_rates

if TYPE_CHECKING:
    import networkx as nx

Stage = Literal["trial", "final"]
IDENTITY = MOTIFS.index("skip_connect")
NETWORK, CELL = "network", "Motif of motifs"
"""Names of the drawings: the flattened cell, and the cell of motifs."""
STEM_KERNEL, REDUCTION_KERNEL = 3, 3
# Sides up to 12 (digits), up to 28 (Fashion-MNIST), larger (CIFAR, where the paper searches with 16 channels).
_CHANNELS: dict[Stage, tuple[int, int, int]] = {"trial": (8, 8, 16), "final": (16, 16, 24)}
_CELLS = 3
_NODES, _FLAT_NODES = 5, 11
_TRIES = 100


class HierarchicalConfig(SpaceConfig):
    """Options of the motifs. The defaults are the paper's: six motifs of four nodes, a cell of five; flat, a cell of eleven."""

    works_with: ClassVar[WorksWith] = each(("motifs", "motif_nodes"), {"levels": one_of(3)})

    levels: Literal[2, 3] = Field(
        default=3, title="Levels",
        description="3: operations, motifs of operations, a cell of motifs. 2: the flat variant, a cell of operations.",
    )
    motifs: int = Field(
        default=6, ge=1, le=12, title="Motifs",
        description="How many motifs of level 2 there are, from which the cell is assembled. Paper: 6.",
    )
    motif_nodes: int = Field(default=4, ge=2, le=6, title="Nodes of a motif", description="Input and output included. Paper: 4.")
    nodes: int = Field(
        default=0, ge=0, le=12, title="Nodes of the cell",
        description=f"Input and output included, 2 at least; 0 = as in the paper: {_NODES}, and {_FLAT_NODES} in the flat variant.",
    )
    initial_steps: int = Field(
        default=1000, ge=0, le=20_000, title="Steps to a random genome",
        description="A random genome is a chain of identities in every motif after so many random changes of one entry. Paper: 1000.",
    )

    @field_validator("nodes")
    @classmethod
    def _has_both_ends(cls, nodes: int) -> int:
        if nodes == 1:
            raise ValueError("a cell has an input and an output: 2 nodes at least, or 0 for the paper's number")
        return nodes

    def hierarchy(self) -> Hierarchy:
        """The levels of these options."""
        if self.levels == 2:
            return Hierarchy((Level(1, self.nodes or _FLAT_NODES),))
        return Hierarchy((Level(self.motifs, self.motif_nodes), Level(1, self.nodes or _NODES)))


@dataclass(frozen=True)
class Mutation:
    """One entry of a genome changed, in words: `old` and `new` name operations, or motifs of the level below."""

    slot: Slot
    old: str
    new: str
    rejected: int
    """Steps drawn before it that would have left no path through the cell."""

    @property
    def text(self) -> str:
        """`level 2, motif 3, 1 → 4: none → max_pool_3x3`."""
        slot = self.slot
        return f"level {slot.level}, motif {slot.motif}, {slot.predecessor} → {slot.successor}: {self.old} → {self.new}"


class HierarchicalSpace(DecisionSpace[HierarchicalConfig]):
    """See the module's docstring.

    >>> space = HierarchicalSpace(HierarchicalConfig(motifs=1, motif_nodes=2, nodes=3), DataShape((1, 8, 8), 10))
    >>> genome = space.from_string("1-2 dw_conv_3x3 / 1-2 motif_1, 2-3 motif_1")
    >>> child, mutation = space.mutation(genome, random.Random(7))
    >>> mutation.text, space.to_string(child)
    ('level 3, motif 1, 1 → 3: none → motif_1', '1-2 dw_conv_3x3 / 1-2 motif_1, 1-3 motif_1, 2-3 motif_1')
    """

    id: ClassVar[str] = "hierarchical"
    offers: ClassVar[frozenset[str]] = DecisionSpace.offers | {"motifs"}
    operations: ClassVar[tuple[str, ...]] = MOTIFS

    def __init__(self, config: HierarchicalConfig, shape: DataShape, domains: tuple[DataShape, ...] = ()) -> None:
        super().__init__(config, shape, domains)
        self.hierarchy = config.hierarchy()

    def validate_shape(self, shape: DataShape) -> None:
        # Two reductions must leave a pixel.
        require_images(self.id, shape, least=4)

    # ---- sizes

    def size_of(self, stage: Stage, cells: int = 0, channels: int = 0) -> tuple[int, int]:
        """(cells, channels of the first ones); positive arguments override."""
        side = max(self.shape.input[1:])
        return cells or _CELLS, channels or _CHANNELS[stage][0 if side <= 12 else 1 if side <= 28 else 2]

    @staticmethod
    def reductions(cells: int) -> tuple[int, ...]:
        """The cells (from 0) before which the resolution is halved and the width doubled: after a third and two thirds of them.

        >>> [HierarchicalSpace.reductions(cells) for cells in (1, 2, 3, 6)]
        [(), (1,), (1, 2), (2, 4)]
        """
        return tuple(sorted({-(-cells * third // 3) for third in (1, 2)} - {cells}))

    # ---- genomes

    @property
    def decisions(self) -> DecisionList:
        """One per entry, in order: an operation on level 2, a motif of the level below on the others."""
        return _decisions(self.hierarchy)

    def choices_at(self, level: int) -> tuple[str, ...]:
        """What an entry of a level can name, none first."""
        return _labels(self.hierarchy, level)

    def entries_of(self, genome: Genome) -> tuple[int, ...]:
        """Raises BadInput(field "genome")."""
        return tuple(choice for choice in self.choices_of(genome) if choice is not None)

    def has_path(self, genome: Genome) -> bool:
        """Whether its output depends on its input."""
        return self.hierarchy.carries(self.entries_of(genome))

    def chain(self) -> Genome:
        """The trivial genome: every motif a chain of identities."""
        return self.genome_of(self.hierarchy.chain(IDENTITY))

    def sample(self, rng: random.Random) -> Genome:
        """The chain of identities after `initial_steps` random steps."""
        walk = Walk(self.hierarchy, self.hierarchy.chain(IDENTITY), len(MOTIFS))
        for _ in range(self.config.initial_steps):
            walk.step(rng)
        return self.genome_of(walk.entries)

    def mutation(self, genome: Genome, rng: random.Random) -> tuple[Genome, Mutation]:
        """A child that differs in exactly one entry, and which (`motifs.steps`)."""
        walk = Walk(self.hierarchy, self.entries_of(genome), len(MOTIFS))
        step = walk.step(rng)
        labels = self.choices_at(step.slot.level)
        return self.genome_of(walk.entries), Mutation(step.slot, labels[step.old], labels[step.new], step.rejected)

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """`mutation`, named by the level that it changes."""
        child, mutation = self.mutation(genome, rng)
        return child, _kind(mutation.slot.level) + "_mutation"

    def mutation_rates(self, genome: Genome) -> list[float]:
        return change_rates(self.hierarchy, self.entries_of(genome), len(MOTIFS))

    @property
    def most_mutation_rates(self) -> list[float]:
        """Of a genome in which every other step is rejected."""
        return [1.0] * len(self.decisions)

    @property
    def crossover_blocks(self) -> list[int] | None:
        """It draws until a path leads through, so nothing is sure of a child."""
        return None

    def crossover(self, first: Genome, second: Genome, rng: random.Random) -> Genome:
        """Uniform crossover of the entries; the first parent alone where a hundred draws leave no path."""
        for _ in range(_TRIES):
            child = super().crossover(first, second, rng)
            if self.has_path(child):
                return child
        return first

    # ---- what it computes

    def flat(self, genome: Genome) -> Flat:
        """The flattened cell, what is on no path left out."""
        return live(flatten(self.hierarchy, self.entries_of(genome)))

    def computed(self, genome: Genome) -> Flat:
        """What the network computes: the flattened cell, nodes that are another node's value folded into that."""
        return contracted(self.flat(genome), IDENTITY)

    def parameters(self, genome: Genome, cells: int = _CELLS, channels: int = 8) -> int:
        """Trainable parameters of the network with so many cells and channels, in closed form."""
        flat = self.computed(genome)
        merged = [len(flat.into(node)) for node in flat.nodes if len(flat.into(node)) > 1]
        count = self.shape.input[0] * STEM_KERNEL**2 * channels + 2 * channels
        for cell in range(cells):
            if cell in self.reductions(cells):
                count += REDUCTION_KERNEL**2 * channels + 2 * channels * channels + 2 * (2 * channels)
                channels *= 2
            count += sum(PRIMITIVES[MOTIFS[edge.operation or 0]].parameters(channels) for edge in flat.edges)
            count += sum(arriving * channels * channels + 2 * channels for arriving in merged)
        return count + (channels + 1) * self.shape.classes

    # ---- identity

    def normal_form(self, genome: Genome) -> Any:
        """Of what the network computes, without the names of its nodes: equal exactly for genomes whose computed graphs are isomorphic."""
        return _normal_form(self.hierarchy, self.entries_of(genome))

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph()
        labels, edges = _labelled(self.computed(genome))
        for place, label in enumerate(labels):
            graph.add_node(place, match=label)
        for source, target, label in edges:
            graph.add_edge(source, target, match=label)
        return graph

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        entries, hierarchy = self.entries_of(genome), self.hierarchy
        levels = [
            " | ".join(
                ", ".join(f"{source}-{target} {name}" for source, target, name in self.wiring(entries, number, motif)) or "nothing"
                for motif in range(1, level.motifs + 1)
            )
            for number, level in enumerate(hierarchy.levels, start=2)
        ]
        return " / ".join(levels)

    def wiring(self, entries: Entries, level: int, motif: int) -> list[tuple[int, int, str]]:
        """The edges of a motif: predecessor, successor, what lies between them."""
        labels, nodes = self.choices_at(level), self.hierarchy.levels[level - 2].nodes
        pairs = [(predecessor, successor) for successor in range(2, nodes + 1) for predecessor in range(1, successor)]
        found = [(source, target, self.hierarchy.entry(entries, level, motif, target, source)) for source, target in pairs]
        return [(source, target, labels[entry]) for source, target, entry in found if entry != NONE]

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        parts = [[motif.strip() for motif in level.split("|")] for level in text.split("/")]
        wanted = [level.motifs for level in self.hierarchy.levels]
        if [len(level) for level in parts] != wanted:
            counts = " and ".join(str(count) for count in wanted)
            raise BadInput(
                "genome", f"a genome here has {len(wanted)} levels divided by / with {counts} motifs divided by |, each a list of edges "
                "like 1-2 skip_connect, 2-3 dw_conv_3x3, or the word nothing",
            )
        entries = [NONE] * len(self.hierarchy.slots)
        for number, level in enumerate(parts, start=2):
            for motif, edges in enumerate(level, start=1):
                for edge in edges.split(",") if edges != "nothing" else ():
                    place, entry = self._read(edge.strip(), number, motif)
                    if entries[place] != NONE:
                        raise BadInput("genome", f"level {number}, motif {motif} has the edge of {shown(edge.strip())} twice")
                    entries[place] = entry
        return self.genome_of(entries)

    def _read(self, edge: str, level: int, motif: int) -> tuple[int, int]:
        """The place and the value of an edge's entry."""
        ends, _, name = edge.partition(" ")
        labels, nodes = self.choices_at(level)[1:], self.hierarchy.levels[level - 2].nodes
        pair = ends.split("-")
        if len(pair) != 2 or not all(end.isdecimal() for end in pair) or not 1 <= int(pair[0]) < int(pair[1]) <= nodes:
            message = f"{shown(edge)} is no edge of level {level}: it leads from a node to a later one of 1 to {nodes}, like 1-2"
            raise BadInput("genome", message)
        if name not in labels:
            message = f"{shown(edge)} names nothing that can lie on an edge of level {level}; choose one of {', '.join(labels)}"
            raise BadInput("genome", message)
        return self.hierarchy.place(level, motif, int(pair[1]), int(pair[0])), labels.index(name) + 1

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The flattened cell; its wires have no operation."""
        import networkx as nx

        flat = self.flat(genome)
        kinds = {flat.input: "input", flat.output: "output"}
        graph: nx.MultiDiGraph = nx.MultiDiGraph(name=NETWORK)
        for node in flat.nodes:
            merged = {"aggregation": "concat"} if len(flat.into(node)) > 1 else {}
            graph.add_node(node, label=kinds.get(node, node), kind=kinds.get(node, "hidden"), **merged)
        for edge in flat.edges:
            name = None if edge.operation is None else MOTIFS[edge.operation]
            graph.add_edge(edge.source, edge.target, key=name or "wire", operation=name)
        return graph

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        """The cell of motifs, every motif that is in it, and the flattened cell. Flat: the cell alone."""
        flat = graphs.to_node_link(self.to_graph(genome))
        if self.hierarchy.top == 2:
            return {NETWORK: flat}
        entries = self.entries_of(genome)
        used = [motif for motif, times in enumerate(self.hierarchy.uses(entries)[0], start=1) if times]
        drawn = {CELL: self._drawn(entries, 3, 1)}
        return drawn | {f"Motif {motif}": self._drawn(entries, 2, motif) for motif in used} | {NETWORK: flat}

    def _drawn(self, entries: Entries, level: int, motif: int) -> GraphData:
        count = self.hierarchy.levels[level - 2].nodes
        kinds = {1: "input", count: "output"}
        nodes = [GraphNode(id=str(node), label=kinds.get(node, str(node)), kind=kinds.get(node, "hidden")) for node in range(1, count + 1)]
        edges = [
            GraphEdge(source=str(source), target=str(target), key=name, operation=name)
            for source, target, name in self.wiring(entries, level, motif)
        ]
        return GraphData(nodes=nodes, edges=edges, attributes={"layout": _layout(count)})


def _kind(level: int) -> str:
    return "operation" if level == 2 else "motif"


@lru_cache(maxsize=64)
def _labels(hierarchy: Hierarchy, level: int) -> tuple[str, ...]:
    if level == 2:
        return MOTIFS
    return ("none", *(f"motif_{number}" for number in range(1, hierarchy.levels[level - 3].motifs + 1)))


@lru_cache(maxsize=32)
def _decisions(hierarchy: Hierarchy) -> DecisionList:
    def owner(slot: Slot) -> str:
        return "cell" if slot.level == hierarchy.top else f"motif {slot.motif}"

    return DecisionList(
        [
            Decision(
                f"{owner(slot)}: {slot.predecessor}-{slot.successor}",
                f"{owner(slot).capitalize()}: {slot.predecessor} to {slot.successor}", _kind(slot.level), _labels(hierarchy, slot.level),
            )
            for slot in hierarchy.slots
        ]
    )


def _labelled(flat: Flat) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Nodes and edges of a contracted graph by number, labelled by what makes them different."""
    places = {node: place for place, node in enumerate(flat.nodes)}
    labels = [" ".join([*(["input"] * (node == flat.input)), *(["output"] * (node == flat.output))]) for node in flat.nodes]
    return labels, [(places[edge.source], places[edge.target], MOTIFS[edge.operation or 0]) for edge in flat.edges]


@lru_cache(maxsize=4096)
def _normal_form(hierarchy: Hierarchy, entries: tuple[int, ...]) -> Any:
    labels, edges = graphs.canonical_form(*_labelled(contracted(live(flatten(hierarchy, entries)), IDENTITY)))
    return [list(labels), [list(edge) for edge in edges]]


def _layout(count: int) -> dict[str, list[float]]:
    """Along a parabola: no three nodes on a line, so that no edge hides another."""
    last = max(count - 1, 1)
    return {str(at + 1): [round(at / last, 3), round(0.9 - 3.2 * at * (last - at) / last**2, 3)] for at in range(count)}


ENTRY = SpaceEntry(
    id="hierarchical",
    title="Motifs of motifs",
    description="Small graphs of operations, and a cell that is a graph of such graphs; the same cell at three resolutions. With two "
    "levels it is flat: one larger graph of operations.",
    source="Liu, Simonyan, Vinyals, Fernando, Kavukcuoglu: Hierarchical Representations for Efficient Architecture Search. ICLR 2018, "
    "arXiv 1711.00436, sections 2 and 3.1",
    config=HierarchicalConfig,
    space=HierarchicalSpace,
    offers=HierarchicalSpace.offers,
    builder="search_engine.supernets.hierarchical_network:build",
)
