"""Chains of typed layers: the space in which DeepSwarm's ants walk (Byla and Pang 2019, arXiv:1905.07350, section 3).

A genome is a path through the node table (see `node_table`) from the input picture to the classifier, for example
`conv(16,3)-pool(max,2)-batch_norm-flatten-dense(64,relu)`. Content: `{"nodes": [["conv", 16, 3], ["pool", "max", 2], ...]}`, without the
input and without the output. A walk that stops on a spatial node is completed by `flatten`, every walk by the output (a linear
classifier): so any prefix of a chain is, completed, an architecture too.

Masks keep different texts different networks: no pooling of a map that is already 1 x 1, no kernel or stride that would equal a smaller
one on a small map.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..base.errors import BadInput
from ..base.quoting import shown
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .genomes import Genome
from .input_kinds import require_images
from .node_table import FLATTEN, HEURISTICS, INPUT, OUTPUT, POOL_SIZE, TITLES, Node, NodeTable, Place

if TYPE_CHECKING:
    import networkx as nx


class NodeChainConfig(SpaceConfig):
    """Options of the chain space: the node table. The defaults are a quarter of the published widths, sized for 8 x 8 pictures."""

    max_nodes: int = Field(
        default=12, ge=1, le=40, title="Longest chain",
        description="layers between input and output at most; the flatten that completes a chain is not counted",
    )
    filters: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        default=(8, 16, 32), min_length=1, max_length=8, title="Filters",
        description="choices of a convolution's width; published: 32, 64, 128 (Fashion-MNIST: 64, 128, 256)",
    )
    kernels: tuple[Literal[1, 3, 5, 7, 9, 11], ...] = Field(
        default=(1, 3, 5), min_length=1, max_length=6, title="Kernel sizes",
        description="choices of a convolution's side; padded by half of it",
    )
    strides: tuple[Annotated[int, Field(ge=1, le=8)], ...] = Field(
        default=(2, 3), min_length=1, max_length=4, title="Pooling strides", description="choices of the step of a 2 x 2 pooling",
    )
    units: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        default=(32, 64), min_length=1, max_length=8, title="Dense units",
        description="choices of a dense layer's width; published: 64, 128",
    )
    activations: tuple[Literal["relu", "sigmoid", "tanh", "elu"], ...] = Field(
        default=("relu", "sigmoid"), min_length=1, max_length=4, title="Activations", description="choices after a dense layer",
    )
    dropout_rates: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(0.1, 0.3), min_length=1, max_length=6, title="Dropout rates", description="choices of the share that is dropped",
    )
    heuristics: dict[str, dict[str, Annotated[float, Field(ge=0, le=1000)]]] = Field(
        default={}, title="Transitions",
        description="node type -> following type -> how desirable (eta), replacing the published row of that node type; 0 forbids the "
        f"step. Types: {', '.join(TITLES)}",
    )

    @model_validator(mode="after")
    def _table_is_sound(self) -> Self:
        for name in ("filters", "kernels", "strides", "units", "activations", "dropout_rates"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} names a choice twice")
        for kind, row in self.heuristics.items():
            unknown = [name for name in (kind, *row) if name not in TITLES]
            if unknown:
                raise ValueError(f"heuristics: there is no node type '{unknown[0]}'; types are {', '.join(TITLES)}")
            impossible = [name for name in row if name not in HEURISTICS.get(kind, {})]
            if impossible:
                raise ValueError(f"heuristics: '{impossible[0]}' cannot follow '{kind}'")
        if not any(self.heuristics.get(INPUT, HEURISTICS[INPUT]).values()):
            raise ValueError("heuristics: something must be able to follow the input")
        return self

    def table(self) -> NodeTable:
        """The node table of these options."""
        rows = {**HEURISTICS, **self.heuristics}
        return NodeTable(
            attributes={
                "conv": {"filters": self.filters, "kernel": self.kernels},
                "pool": {"kind": ("max", "avg"), "stride": self.strides},
                "dropout": {"rate": self.dropout_rates},
                "dense": {"units": self.units, "activation": self.activations},
                "dropout_flat": {"rate": self.dropout_rates},
            },
            heuristics={kind: {name: eta for name, eta in row.items() if eta > 0} for kind, row in rows.items()},
        )


class NodeChainSpace(SearchSpace[NodeChainConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "node_chain"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "crossover"})

    def __init__(self, config: NodeChainConfig, shape: DataShape, domains: tuple[DataShape, ...] = ()) -> None:
        super().__init__(config, shape, domains)
        self.table = config.table()

    def validate_shape(self, shape: DataShape) -> None:
        require_images(self.id, shape, least=POOL_SIZE)

    # ---- walking

    @property
    def start(self) -> Place:
        return Place(INPUT, self.shape.input)

    def places(self, nodes: Iterable[Node]) -> list[Place]:
        """Where one stands before each node and after the last. The chain must be legal."""
        return list(itertools.accumulate(nodes, self.table.after, initial=self.start))

    def completed(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """The chain of a walk: with a flatten at its end if the walk stopped on a spatial node."""
        return (*nodes, Node(FLATTEN)) if self.places(nodes)[-1].spatial else tuple(nodes)

    # ---- admissible genomes

    def genome(self, nodes: Sequence[Node]) -> Genome:
        """The genome of a completed chain. Raises BadInput(field "genome")."""
        genome = Genome(self.id, {"nodes": [[node.type, *node.values] for node in nodes]})
        self.validate(genome)
        return genome

    def nodes_of(self, genome: Genome) -> tuple[Node, ...]:
        return tuple(Node(item[0], tuple(item[1:])) for item in genome.content["nodes"])

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        content = genome.content
        items = content.get("nodes") if isinstance(content, dict) and len(content) == 1 else None
        if not isinstance(items, list) or not all(isinstance(item, list) and item and isinstance(item[0], str) for item in items):
            raise BadInput("genome", "a chain is {'nodes': [[type, values of its attributes in order], ...]}")
        problem = self._problem(self.nodes_of(genome))
        if problem:
            raise BadInput("genome", problem)

    def _problem(self, nodes: Sequence[Node]) -> str:
        """Why a chain is not admissible; empty if it is."""
        place = self.start
        for number, node in enumerate(nodes, start=1):
            completes = number == len(nodes) and node == Node(FLATTEN) and place.spatial and place.type != INPUT
            if not self.table.allows(place, node) and not completes:
                legal = [item for item in self.table.moves(place) if item != OUTPUT]
                known = {name: list(values) for name, values in self.table.values(place, node.type).items()} if node.type in legal else {}
                hint = f"its attributes may be {known}" if known else f"may follow: {', '.join(legal) or 'only the output'}"
                return f"node {number}, {node.text}, cannot stand after {place.type} with a result of shape {place.shape}; {hint}"
            place = self.table.after(place, node)
        if place.spatial:
            return "a chain needs a flatten before its output"
        if len(nodes) - (nodes[-1].type == FLATTEN) > self.config.max_nodes:
            return f"a chain has at most {self.config.max_nodes} nodes, not {len(nodes)}"
        return ""

    def sample(self, rng: random.Random) -> Genome:
        """A random walk: the next type uniformly among the legal ones, then each attribute, until it meets the output or is as long as
        allowed."""
        nodes: list[Node] = []
        place = self.start
        while len(nodes) < self.config.max_nodes:
            moves = list(self.table.moves(place))
            kind = rng.choice(moves) if moves else OUTPUT
            if kind == OUTPUT:
                break
            nodes.append(Node(kind, tuple(rng.choice(values) for values in self.table.values(place, kind).values())))
            place = self.table.after(place, nodes[-1])
        return self.genome(self.completed(nodes))

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """Insert a node, remove one, change one's type or one of its attributes: an operator uniformly among those that can do
        something here, then a place, then the attributes of a new node."""
        nodes = self.nodes_of(genome)
        edits = {name: edit for name, edit in self._edits(nodes).items() if edit}
        if not edits:
            raise BadInput("genome", "nothing in this chain can be changed: the space has no other one near it")
        operator = rng.choice(sorted(edits))
        where = rng.choice(sorted(edits[operator]))
        return self.genome(rng.choice(edits[operator][where])), operator

    def _edits(self, nodes: tuple[Node, ...]) -> dict[str, dict[tuple[int, str], list[tuple[Node, ...]]]]:
        """Operator -> (position, type of the new node) -> admissible chains one edit away."""
        found: dict[str, dict[tuple[int, str], list[tuple[Node, ...]]]] = {
            "insert_node": {}, "remove_node": {}, "change_type": {}, "change_attribute": {},
        }
        places = self.places(nodes)

        def consider(operator: str, where: tuple[int, str], edited: tuple[Node, ...]) -> None:
            if not self._problem(edited):
                found[operator].setdefault(where, []).append(edited)

        for position, place in enumerate(places):
            before, after = nodes[:position], nodes[position:]
            # The one flatten stays: only what is before or behind it changes.
            for kind in self.table.moves(place).keys() - {FLATTEN, OUTPUT}:
                for node in self.table.variants(place, kind):
                    consider("insert_node", (position, kind), (*before, node, *after))
                    if not after or after[0].type == FLATTEN:
                        continue
                    if kind != after[0].type:
                        consider("change_type", (position, kind), (*before, node, *after[1:]))
                    elif sum(a != b for a, b in zip(node.values, after[0].values, strict=True)) == 1:
                        consider("change_attribute", (position, kind), (*before, node, *after[1:]))
            if after and after[0].type != FLATTEN:
                consider("remove_node", (position, ""), (*before, *after[1:]))
        return found

    def crossover(self, first: Genome, second: Genome, rng: random.Random) -> Genome:
        """One-point: a beginning of the first and an end of the second that fit together, uniformly among those that do; the first
        alone where none do."""
        ours, theirs = self.nodes_of(first), self.nodes_of(second)
        joined = [
            ours[:cut] + theirs[other:]
            for cut in range(1, len(ours) + 1)
            for other in range(1, len(theirs) + 1)
        ]
        fitting = [chain for chain in joined if not self._problem(chain)]
        return self.genome(rng.choice(fitting)) if fitting else first

    def size(self) -> int:
        """How many chains there are."""

        @cache
        def endings(place: Place, left: int) -> int:
            """Ways to go on from `place` with at most `left` more nodes, stopping at once included."""
            moves = [kind for kind in self.table.moves(place) if kind != OUTPUT] if left else []
            # Stopping on a spatial node is the same chain as walking to flatten and stopping there.
            total = 0 if place.spatial and (FLATTEN in moves or place.type == INPUT) else 1
            for kind in moves:
                for node in self.table.variants(place, kind):
                    following = self.table.after(place, node)
                    # Widths do not decide what may follow: without them far fewer places are different.
                    shape = (1, *following.shape[1:]) if following.spatial else (1,)
                    total += endings(Place(following.type, shape), left - 1)
            return total

        return endings(self.start, self.config.max_nodes)

    # ---- identity, texts and pictures

    def normal_form(self, genome: Genome) -> Any:
        return genome.content["nodes"]

    def to_string(self, genome: Genome) -> str:
        return "-".join(node.text for node in self.nodes_of(genome))

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        nodes = []
        for part in text.strip().split("-"):
            node = self.table.read(part)
            if node is None:
                found = shown(part.strip())
                raise BadInput("genome", f"{found} is no node of this space; a chain is written conv(16,3)-pool(max,2)-flatten")
            nodes.append(node)
        return self.genome(nodes)

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """A path: nodes are what flows (input, 1, 2, ..., output; labelled by its shape), edges are layers."""
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph(name="chain")
        nodes = self.nodes_of(genome)
        places = self.places(nodes)
        graph.add_node("input", label="input", kind="input", shape=list(places[0].shape))
        before = "input"
        for number, (node, place) in enumerate(zip(nodes, places[1:], strict=True), start=1):
            name, operation = str(number), _operation(node, self.table)
            graph.add_node(name, label="×".join(map(str, place.shape)), kind="hidden", shape=list(place.shape))
            graph.add_edge(before, name, key=operation, operation=operation, match=node.text, **self.table.named(node))
            before = name
        graph.add_node("output", label="output", kind="output", shape=[self.shape.classes])
        graph.add_edge(before, "output", key="linear", operation="linear", match="linear")
        return graph

    def parameters(self, genome: Genome) -> int:
        """Trainable parameters of the network in closed form, without the final stage's widening."""
        nodes = self.nodes_of(genome)
        places = self.places(nodes)
        total = (places[-1].shape[0] + 1) * self.shape.classes
        for node, before, after in zip(nodes, places, places[1:], strict=False):
            if node.type == "conv":
                total += (before.shape[0] * int(self.table.value(node, "kernel")) ** 2 + 1) * after.shape[0]
            elif node.type == "dense":
                total += (before.shape[0] + 1) * after.shape[0]
            elif node.type in ("batch_norm", "batch_norm_flat"):
                total += 2 * after.shape[0]
        return total


def _operation(node: Node, table: NodeTable) -> str:
    """The operation's name on an edge of the graph."""
    if node.type == "conv":
        kernel = table.value(node, "kernel")
        return f"conv_{kernel}x{kernel}"
    if node.type == "pool":
        return f"{table.value(node, 'kind')}_pool_{POOL_SIZE}x{POOL_SIZE}"
    return node.type.removesuffix("_flat")


ENTRY = SpaceEntry(
    id="node_chain",
    title="Chain of layers",
    description="Convolutions, poolings, normalisation, dropout and dense layers one behind the other, each with its attributes: the "
    "layered graph in which an ant colony walks.",
    source="Byla and Pang: DeepSwarm. UKCI 2019, arXiv 1905.07350, section 3",
    config=NodeChainConfig,
    space=NodeChainSpace,
    offers=NodeChainSpace.offers,
    idle={
        "layers": "the depth of a network is its genome's", "training.channels": "a trial has exactly the widths of its genome",
    },
    builder="search_engine.supernets.node_chain_network:build",
)
