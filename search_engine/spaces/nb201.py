"""The NAS-Bench-201 cell space, also NATS-Bench's topology space (Dong and Yang 2020; Dong et al. 2021).

A cell has four nodes 0 (input) to 3 (output); each of its six edges carries one of five operations and each node sums what arrives:
5^6 = 15,625 cells. Genome content: `{"operations": [six names]}` in the official edge order
(0-1) (0-2) (1-2) (0-3) (1-3) (2-3). Text form: the official `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`.

Many cells compute the same function. The normal form is the official simplification (`Structure.to_unique_str(consider_zero=True)`),
which folds `skip_connect` into its source and an edge from nothing into nothing; it leaves 6,466 classes. Two of its habits are kept
on purpose, because the published class count and the tables depend on them: a sum of zeros is not itself folded to zero, and sums
are merged as texts, so that in rare cells the order of merging tells two equal sums apart (5,755 classes would remain otherwise).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from ..base.errors import BadInput
from ..base.lazy import lazy_module
from ..events import FamilyGroup, GraphData, GraphNode
from ..primitives.names import NB201, PRIMITIVES
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import NO_INPUT, DataShape
from .decisions import Choices, Decision, DecisionList
from .genomes import Genome, canonical_json, digest
from .input_kinds import require_images

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np

    from . import graphs
else:
    graphs = lazy_module("search_engine.spaces.graphs")
    np = lazy_module("numpy")

EDGES: tuple[tuple[int, int], ...] = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
GROUP = "cell"
Stage = Literal["search", "trial", "final"]

_DECISIONS = DecisionList(
    [
        Decision(key=f"edge{source}{target}", title=f"Edge {source} to {target}", kind="operation", choices=NB201, group=GROUP, edge=place)
        for place, (source, target) in enumerate(EDGES)
    ]
)
_LAYOUT = {"0": (0.06, 0.5), "1": (0.36, 0.14), "2": (0.64, 0.86), "3": (0.94, 0.5)}


class NB201Config(SpaceConfig):
    """Options of the NAS-Bench-201 space. 0 leaves a size to the space. Answers from a table are always those of the official network
    (5 cells per stage, 16 channels)."""

    cells: int = Field(
        default=0, ge=0, le=20, title="Cells per stage",
        description="Cells in each of the three stages; 0 = from the input size (32x32: 5, the official network).",
    )
    channels: int = Field(
        default=0, ge=0, le=256, title="Channels",
        description="Width of the first stage, doubled twice; 0 = from the input size (32x32: 16, the official network).",
    )


# Sides up to 12, up to 28, larger: (cells per stage, channels). The last column of `final` is the official network; smaller inputs get
# a network in proportion to them, and trials a cheaper one than the final training.
_SIZES: dict[Stage, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "search": ((1, 8), (1, 8), (5, 16)),
    "trial": ((1, 8), (1, 8), (5, 16)),
    "final": ((1, 16), (3, 16), (5, 16)),
}


class NB201Space(SearchSpace[NB201Config]):
    """See the module's docstring.

    >>> space = NB201Space(NB201Config(), DataShape((3, 32, 32), 10))
    >>> genome = space.sample(random.Random(0))
    >>> space.to_string(genome)
    '|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|'
    >>> child, operator = space.mutate(genome, random.Random(1))
    >>> sum(old != new for old, new in zip(space.operations_of(genome), space.operations_of(child), strict=True))
    1
    """

    id: ClassVar[str] = "nb201"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "crossover", "enumerate", "encode", "supernet", "paths", "decisions"})
    operations: ClassVar[tuple[str, ...]] = NB201

    def validate_shape(self, shape: DataShape) -> None:
        # Two stages halve the resolution. A table that answers for the cells needs no images.
        if shape != NO_INPUT:
            require_images(self.id, shape, least=4)

    def macro(self, stage: Stage, cells: int = 0, channels: int = 0) -> tuple[int, int]:
        """(cells per stage, channels of the first stage); positive arguments override, then the space's own options."""
        side = max(self.shape.input[1:])
        size = _SIZES[stage][0 if side <= 12 else 1 if side <= 28 else 2]
        return cells or self.config.cells or size[0], channels or self.config.channels or size[1]

    def mixed_channels(self) -> tuple[int, ...]:
        _, channels = self.macro("search")
        return (channels, 2 * channels, 4 * channels)

    # ---- admissible genomes

    def genome(self, operations: list[str] | tuple[str, ...]) -> Genome:
        """A genome from its six operations. Raises BadInput(field "genome")."""
        genome = Genome(self.id, {"operations": list(operations)})
        self.validate(genome)
        return genome

    def operations_of(self, genome: Genome) -> tuple[str, ...]:
        return tuple(genome.content["operations"])

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        names = genome.content.get("operations") if isinstance(genome.content, dict) else None
        if not isinstance(names, list) or len(names) != len(EDGES) or len(genome.content) != 1:
            raise BadInput("genome", "an nb201 genome is {'operations': [six names]}")
        for name in names:
            if name not in NB201:
                raise BadInput("genome", f"there is no operation {name!r}; choose one of {', '.join(NB201)}")

    def sample(self, rng: random.Random) -> Genome:
        return self.genome([rng.choice(NB201) for _ in EDGES])

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """One edge gets another operation."""
        names = list(self.operations_of(genome))
        place = rng.randrange(len(EDGES))
        names[place] = rng.choice([name for name in NB201 if name != names[place]])
        return self.genome(names), "operation_mutation"

    def mutation_rates(self, genome: Genome) -> list[float]:
        return self.most_mutation_rates

    @property
    def most_mutation_rates(self) -> list[float]:
        return [1 / len(self.decisions)] * len(self.decisions)

    @property
    def crossover_blocks(self) -> list[int] | None:
        return list(range(len(self.decisions)))

    def crossover(self, first: Genome, second: Genome, rng: random.Random) -> Genome:
        """Uniform crossover: each edge from one of the parents."""
        pairs = zip(self.operations_of(first), self.operations_of(second), strict=True)
        return self.genome([pair[rng.randrange(2)] for pair in pairs])

    def enumerate(self) -> Iterator[Genome]:
        """All 15,625 cells, the last edge varying fastest."""
        for names in itertools.product(NB201, repeat=len(EDGES)):
            yield self.genome(names)

    def size(self) -> int:
        return int(len(NB201) ** len(EDGES))

    # ---- decisions

    @property
    def decisions(self) -> DecisionList:
        """One per edge, in the official order: its operation."""
        return _DECISIONS

    def genome_of(self, choices: Sequence[int | None]) -> Genome:
        """The cell of a choice list. Raises BadInput(field "genome")."""
        self.decisions.validate(choices)
        return self.genome([NB201[choice] for choice in choices if choice is not None])

    def choices_of(self, genome: Genome) -> Choices:
        """Undo `genome_of`. Raises BadInput(field "genome")."""
        self.validate(genome)
        return tuple(NB201.index(name) for name in self.operations_of(genome))

    # ---- vectors and weights

    def one_hot(self, genome: Genome) -> dict[str, np.ndarray[Any, Any]]:
        """The vertex of the simplex that is this genome: `cell` -> float64 array (6 edges, 5 operations)."""
        weights = np.zeros((len(EDGES), len(NB201)))
        for row, name in enumerate(self.operations_of(genome)):
            weights[row, NB201.index(name)] = 1.0
        return {GROUP: weights}

    def encode(self, genome: Genome) -> list[float]:
        """One-hot operations: 30 numbers, edge by edge."""
        return [float(name == operation) for name in self.operations_of(genome) for operation in NB201]

    def decode(self, vector: list[float]) -> Genome:
        """The largest of each edge's five numbers. Undoes `encode`. Raises BadInput for a wrong length."""
        if len(vector) != len(EDGES) * len(NB201):
            raise BadInput("genome", f"an encoded nb201 genome has {len(EDGES) * len(NB201)} numbers, not {len(vector)}")
        rows = [vector[place : place + len(NB201)] for place in range(0, len(vector), len(NB201))]
        return self.genome([NB201[max(range(len(NB201)), key=row.__getitem__)] for row in rows])

    def derive(self, weights: dict[str, np.ndarray[Any, Any]]) -> Genome:
        """The strongest operation of each edge, `none` included. `weights["cell"]`: (6 edges, 5 operations)."""
        table = np.asarray(weights[GROUP], dtype=np.float64)
        if table.shape != (len(EDGES), len(NB201)):
            raise BadInput("weights", f"the cell needs weights of shape {(len(EDGES), len(NB201))}, not {table.shape}")
        return self.genome([NB201[int(column)] for column in table.argmax(axis=1)])

    # ---- identity

    def normal_form(self, genome: Genome) -> str:
        """The official simplified text; `#` is nothing, `0` the input."""
        return simplified(self.operations_of(genome))

    def hash(self, genome: Genome) -> str:
        known: str = _hash(self.operations_of(genome))
        return known

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The simplified text as the expression tree that it denotes. The terms of a sum keep their places (see the module's
        docstring), so two trees are isomorphic (`graphs.isomorphic`) exactly if the texts are equal."""
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph()
        text = self.normal_form(genome)

        def parse(start: int) -> tuple[int, int]:
            """Read a sum from `start` up to the end or an unmatched ')'; returns (its node, where it ended)."""
            total = graph.number_of_nodes()
            graph.add_node(total, kind="sum", match="sum")
            place, here = 0, start
            while True:
                if text[here] == "(":
                    inner, here = parse(here + 1)
                    stop = min((at for at in (text.find("+", here), text.find(")", here + 1)) if at != -1), default=len(text))
                    graph.add_edge(inner, total, match=f"{text[here + 2 : stop]}/{place}")
                    here = stop
                else:
                    leaf = graph.number_of_nodes()
                    graph.add_node(leaf, kind="input", match=text[here])
                    graph.add_edge(leaf, total, match=f"skip_connect/{place}")
                    here += 1
                if here == len(text) or text[here] == ")":
                    return total, here
                place, here = place + 1, here + 1

        root, _ = parse(0)
        graph.nodes[root]["match"] = "output"
        return graph

    def parameters(self, genome: Genome, cells: int = 5, channels: int = 16) -> int:
        """Trainable parameters of the network with `cells` cells per stage and `channels` channels, in closed form.

        With the official size on CIFAR-10 it is the benchmark's own figure (1e6 times `params`).
        """
        widths = [channels, 2 * channels, 4 * channels]
        count = self.shape.input[0] * 9 * channels + 2 * channels
        for width in widths:
            count += cells * sum(PRIMITIVES[name].parameters(width) for name in self.operations_of(genome))
        for width in widths[:-1]:
            # Residual block: 3x3 from w to 2w, 3x3 from 2w to 2w, their normalisations, 1x1 shortcut without one.
            count += 9 * width * 2 * width + 9 * (2 * width) ** 2 + 2 * (2 * 2 * width) + 2 * width * width
        return count + 2 * widths[-1] + (widths[-1] + 1) * self.shape.classes

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        names = self.operations_of(genome)
        parts = {1: "", 2: "", 3: ""}
        for name, (source, target) in zip(names, EDGES, strict=True):
            parts[target] += f"|{name}~{source}"
        return "+".join(f"{part}|" for part in parts.values())

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        expected = "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|"
        terms = [part.strip("|").split("|") for part in text.strip().split("+")]
        pairs = [(target, *term.rpartition("~")[::2]) for target, part in enumerate(terms, start=1) for term in part]
        if [(source, str(target)) for target, _, source in pairs] != [(str(source), str(target)) for source, target in EDGES]:
            raise BadInput("genome", f"an nb201 cell is written {expected} with op one of {', '.join(NB201)}")
        return self.genome([name for _, name, _ in pairs])

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Nodes 0 to 3; every edge is there, also `none`."""
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph(name=GROUP, layout={key: list(place) for key, place in _LAYOUT.items()})
        for node in _graph_nodes():
            optional = {} if node.aggregation is None else {"aggregation": node.aggregation}
            graph.add_node(node.id, label=node.label, kind=node.kind, **optional)
        for (source, target), name in zip(EDGES, self.operations_of(genome), strict=True):
            graph.add_edge(str(source), str(target), key=name, operation=name)
        return graph

    def from_graph(self, graph: nx.MultiDiGraph) -> Genome:
        """Undo `to_graph`; an absent edge is `none`. Raises BadInput (field "graph" for a cyclic or disconnected graph, "genome" for
        two operations on one edge: this space has exactly one)."""
        graphs.validate(graph)
        names: dict[tuple[str, str], str] = {}
        for source, target, data in graph.edges(data=True):
            if (source, target) in names:
                raise BadInput("genome", f"edge {source} -> {target} has two operations; an edge of this space has one")
            names[source, target] = data["operation"]
        places = [(str(source), str(target)) for source, target in EDGES]
        for place in names:
            if place not in places:
                raise BadInput("genome", f"this space has no edge {place[0]} -> {place[1]}")
        return self.genome([names.get(place, "none") for place in places])

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        """The cell without its `none` edges."""
        graph = self.to_graph(genome)
        graph.remove_edges_from([edge for edge in graph.edges(keys=True) if edge[2] == "none"])
        return {GROUP: graphs.to_node_link(graph)}

    def family(self) -> list[FamilyGroup]:
        return [
            FamilyGroup(
                name=GROUP, title="Cell", nodes=_graph_nodes(), edges=[(str(source), str(target)) for source, target in EDGES],
                operations=list(NB201), layout=dict(_LAYOUT), constraint="simplex",
            )
        ]


def _graph_nodes() -> list[GraphNode]:
    return [
        GraphNode(id="0", label="input", kind="input"),
        GraphNode(id="1", label="1", kind="hidden", aggregation="sum"),
        GraphNode(id="2", label="2", kind="hidden", aggregation="sum"),
        GraphNode(id="3", label="output", kind="output", aggregation="sum"),
    ]


@lru_cache(maxsize=len(NB201) ** len(EDGES))
def _hash(names: tuple[str, ...]) -> str:
    return digest(canonical_json([NB201Space.id, simplified(names)]))


def simplified(names: tuple[str, ...]) -> str:
    """The official simplified text of a cell, from its six operations in official edge order."""
    terms: dict[int, list[str]] = {1: [], 2: [], 3: []}
    texts = {0: "0"}
    for (source, target), name in zip(EDGES, names, strict=True):
        if source and source not in texts:
            texts[source] = "+".join(sorted(terms[source]))
        known = texts[source]
        if name == "none" or known == "#":
            terms[target].append("#")
        else:
            terms[target].append(known if name == "skip_connect" else f"({known})@{name}")
    return "+".join(sorted(terms[3]))


ENTRY = SpaceEntry(
    id="nb201",
    title="NAS-Bench-201 cell",
    description="One cell of four nodes and six edges with five operations: 15,625 cells, 6,466 of them different. Small enough that every "
    "cell has been trained, so trials can be answered from a table.",
    source="Dong and Yang: NAS-Bench-201. ICLR 2020, arXiv 2001.00326",
    config=NB201Config,
    space=NB201Space,
    offers=NB201Space.offers,
    inputs=frozenset({"image", "none"}),
    builder="search_engine.supernets.nb201_network:build",
)
