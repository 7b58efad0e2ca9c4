"""The DARTS cell space (Liu, Simonyan and Yang 2019): a normal and a reduction cell, stacked.

A cell has two inputs, `c_{k-2}` and `c_{k-1}` (the outputs of the two cells before), and `nodes` intermediate nodes `0`, `1`, ...;
each node sums two operations applied to earlier states, and the cell's output concatenates the nodes. Reduction cells stand at a third
and at two thirds of the depth and halve the resolution.

Genome content: `{"normal": {"edges": [[source, target, operation], ...]}, "reduction": {...}}`, two edges per node, sorted by target,
source and operation. `none` never occurs in a genome: an absent edge is absent. DARTS gives a node two *different* sources, and that is
what `sample`, `mutate`, `enumerate` and `size` mean; two different operations on one edge (as in NASNet's and AmoebaNet's cells) are
accepted wherever a genome comes in.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from ..base.errors import BadInput
from ..base.lazy import lazy_module
from ..events import FamilyGroup, GraphData
from ..primitives.names import DARTS
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .cell_decisions import PER_NODE, CellDecisions, Edge
from .cell_family import INPUTS, cell_family
from .cell_macro import Macro, Stage, macro_for
from .data_shape import NO_INPUT, DataShape
from .decisions import Choices, DecisionList
from .genomes import Genome
from .genotype import format_genotype, parse_genotype
from .input_kinds import require_images

if TYPE_CHECKING:
    import networkx as nx

    from . import cell_pictures as pictures
    from . import graphs
else:
    graphs = lazy_module("search_engine.spaces.graphs")
    pictures = lazy_module("search_engine.spaces.cell_pictures")

CELLS = ("normal", "reduction")
OPERATIONS = tuple(name for name in DARTS if name != "none")
"""What a genome chooses from; the super-network also mixes in `none`."""
SOURCES_PER_NODE = 2


class CellConfig(SpaceConfig):
    """Options of the DARTS cell space. 0 leaves a size to the space, which chooses it from the input's resolution."""

    nodes: int = Field(
        default=4, ge=1, le=6, title="Nodes", description="Intermediate nodes of a cell, each with two incoming operations."
    )
    search_cells: int = Field(
        default=0, ge=0, le=20, title="Cells in search",
        description="Depth of the super-network; 0 = from the input size (8x8: 3; the paper on CIFAR-10: 8).",
    )
    search_channels: int = Field(
        default=0, ge=0, le=64, title="Channels in search",
        description="Width C of the super-network; 0 = from the input size (8x8: 4; the paper on CIFAR-10: 16).",
    )


class CellSpace(SearchSpace[CellConfig]):
    """See the module's docstring.

    >>> space = CellSpace(CellConfig(nodes=1), DataShape((1, 28, 28), 10))
    >>> genome = space.sample(random.Random(0))
    >>> space.to_string(genome)[:71]
    "Genotype(normal=[('skip_connect', 0), ('max_pool_3x3', 1)], normal_conc"
    >>> space.from_string(space.to_string(genome)) == genome
    True
    """

    id: ClassVar[str] = "cell"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "crossover", "enumerate", "encode", "supernet", "paths", "decisions"})
    operations: ClassVar[tuple[str, ...]] = DARTS
    kinds: ClassVar[tuple[str, ...]] = CELLS
    """The cells that a genome decides."""
    dims: ClassVar[int] = 2
    """Along how many dimensions its operations' states reach beside their channels: 2 = (B, C, H, W), 1 = (B, C, places)."""

    @property
    def places(self) -> int:
        """Of tables: how many columns a state has."""
        return 0

    def validate_shape(self, shape: DataShape) -> None:
        # Two reductions must leave a pixel. A table that answers for the cells needs no images.
        if shape != NO_INPUT:
            require_images(self.id, shape, least=4)

    @property
    def choices(self) -> tuple[str, ...]:
        """What a genome chooses from; the super-network also mixes in `none`, the first of `operations`."""
        return self.operations[1:]

    def macro(self, stage: Stage, cells: int = 0, channels: int = 0) -> Macro:
        """Depth and width of a network of this space; `cells` and `channels` override where positive."""
        size = self._size(stage)
        if stage == "search":
            cells, channels = cells or self.config.search_cells, channels or self.config.search_channels
        return replace(size, cells=cells or size.cells, channels=channels or size.channels)

    def _size(self, stage: Stage) -> Macro:
        """The space's own choice for the size of the inputs."""
        return macro_for(stage, max(self.shape.input[1:]))

    def mixed_channels(self) -> tuple[int, ...]:
        return self.macro("search").widths

    def strided_mixing(self) -> tuple[int, ...]:
        macro = self.macro("search")
        return tuple(macro.widths[place] for place in sorted(macro.reductions))

    @property
    def node_names(self) -> tuple[str, ...]:
        return tuple(str(node) for node in range(self.config.nodes))

    @property
    def states(self) -> tuple[str, ...]:
        """Everything that can be a source, in order of computation."""
        return (*INPUTS, *self.node_names)

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """The family's edges in upstream's order: per node, its possible sources in order of computation."""
        return tuple((source, node) for node in self.node_names for source in self.sources(node))

    def sources(self, node: str) -> tuple[str, ...]:
        """The states that are computed before `node`."""
        return self.states[: int(node) + len(INPUTS)]

    # ---- admissible genomes

    def genome(self, cells: dict[str, list[Edge]]) -> Genome:
        """A genome from its edges in any order. Raises BadInput(field "genome") unless it is admissible."""
        order = {state: place for place, state in enumerate(self.states)}
        ranks = {name: place for place, name in enumerate(self.choices)}
        content = {
            cell: {"edges": [list(e) for e in sorted(edges, key=lambda e: (order.get(e[1], -1), order.get(e[0], -1), ranks.get(e[2], -1)))]}
            for cell, edges in cells.items()
        }
        genome = Genome(self.id, content)
        self.validate(genome)
        return genome

    def cell(self, genome: Genome, name: str) -> list[Edge]:
        """The edges of one cell (`normal` or `reduction`), in the genome's order."""
        return [(source, target, operation) for source, target, operation in genome.content[name]["edges"]]

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        if not isinstance(genome.content, dict) or set(genome.content) != set(self.kinds):
            parts = " and ".join(f"'{name}'" for name in self.kinds)
            raise BadInput("genome", f"a genome of the space '{self.id}' has exactly the part{'s' * (len(self.kinds) > 1)} {parts}")
        for name in self.kinds:
            part = genome.content[name]
            edges = part.get("edges") if isinstance(part, dict) else None
            if not isinstance(edges, list) or not all(isinstance(edge, list) and [type(x) for x in edge] == [str] * 3 for edge in edges):
                raise BadInput("genome", f"the {name} cell needs 'edges': a list of [source, target, operation]")
            self._validate_edges(name, self.cell(genome, name))

    def _validate_edges(self, name: str, edges: list[Edge]) -> None:
        for source, target, operation in edges:
            if target not in self.node_names:
                raise BadInput("genome", f"the {name} cell has no node '{target}'; its nodes are {', '.join(self.node_names)}")
            if source not in self.sources(target):
                readable = ", ".join(self.sources(target))
                raise BadInput("genome", f"node {target} of the {name} cell cannot read '{source}'; it can read {readable}")
            if operation not in self.choices:
                raise BadInput("genome", f"the {name} cell has no operation '{operation}'; choose one of {', '.join(self.choices)}")
        if len(set(edges)) != len(edges):
            raise BadInput("genome", f"the {name} cell has the same operation twice on one edge")
        for node in self.node_names:
            count = sum(target == node for _, target, _ in edges)
            if count != SOURCES_PER_NODE:
                raise BadInput("genome", f"node {node} of the {name} cell has {count} incoming operations, not {SOURCES_PER_NODE}")

    def sample(self, rng: random.Random) -> Genome:
        """Uniform over genotypes: per node two different sources, per edge one of the seven operations other than `none`."""
        return self.genome(
            {
                name: [
                    (source, node, rng.choice(self.choices))
                    for node in self.node_names
                    for source in rng.sample(self.sources(node), SOURCES_PER_NODE)
                ]
                for name in self.kinds
            }
        )

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """One change as in Real et al. 2019 (section 3.1): with equal chance a hidden-state mutation (one edge reads another state) or
        an operation mutation (one edge computes another operation). Their identity mutation is left out: it changes nothing."""
        cells = {name: self.cell(genome, name) for name in self.kinds}
        rewirings = [
            (name, place, source)
            for name in self.kinds
            for place, (old, node, _) in enumerate(cells[name])
            for source in self.sources(node)
            if source not in {s for s, target, _ in cells[name] if target == node} and source != old
        ]
        if rewirings and rng.random() < 0.5:
            # First the edge, then its new source: every edge that can be rewired has the same chance.
            name, place = rng.choice(sorted({(n, p) for n, p, _ in rewirings}))
            source = rng.choice([s for n, p, s in rewirings if (n, p) == (name, place)])
            _, node, operation = cells[name][place]
            cells[name][place] = (source, node, operation)
            return self.genome(cells), "hidden_state_mutation"
        name = rng.choice(self.kinds)
        place = rng.randrange(len(cells[name]))
        source, node, _ = cells[name][place]
        taken = {operation for s, target, operation in cells[name] if (s, target) == (source, node)}
        cells[name][place] = (source, node, rng.choice([operation for operation in self.choices if operation not in taken]))
        return self.genome(cells), "operation_mutation"

    def mutation_rates(self, genome: Genome) -> list[float]:
        """A rewired edge changes its node's inputs; where its new source lies on the other side of the node's other one, the two operations
        change places, which changes them unless they are equal."""
        rates = []
        for name in self.kinds:
            edges = self.cell(genome, name)
            for node in self.node_names:
                (one, _, left), (two, _, right) = (edge for edge in edges if edge[1] == node)
                order = self.sources(node)
                free = [place for place, source in enumerate(order) if source not in (one, two)]
                passed = sum(place > order.index(two) for place in free), sum(place < order.index(one) for place in free)
                swaps = self._rewires(node) * sum(passed) / max(len(free), 1) * (left != right)
                rates += [2 * self._rewires(node), *[self._retypes + swaps] * 2]
        return rates

    @property
    def most_mutation_rates(self) -> list[float]:
        inputs = [2 * self._rewires(node) for node in self.node_names]
        return [rate for _ in self.kinds for inputs_rate in inputs for rate in (inputs_rate, *[self._retypes + inputs_rate] * 2)]

    def _rewires(self, node: str) -> float:
        """How likely `mutate` rewires one of a node's two edges: all edges of nodes that have a source to spare are equally likely."""
        spare = [len(self.sources(name)) > SOURCES_PER_NODE for name in self.node_names]
        return 0.5 / (len(self.kinds) * SOURCES_PER_NODE * sum(spare)) if len(self.sources(node)) > SOURCES_PER_NODE else 0.0

    @property
    def _retypes(self) -> float:
        """How likely it gives one edge another operation."""
        rewires = any(len(self.sources(name)) > SOURCES_PER_NODE for name in self.node_names)
        return (0.5 if rewires else 1.0) / (len(self.kinds) * SOURCES_PER_NODE * len(self.node_names))

    @property
    def crossover_blocks(self) -> list[int] | None:
        """A node's three decisions go together."""
        return [place // PER_NODE for place in range(len(self.decisions))]

    def crossover(self, first: Genome, second: Genome, rng: random.Random) -> Genome:
        """Uniform crossover by node: each node takes both its incoming operations from one parent."""
        parents = (first, second)
        cells: dict[str, list[Edge]] = {}
        for name in self.kinds:
            cells[name] = []
            for node in self.node_names:
                donor = parents[rng.randrange(2)]
                cells[name] += [edge for edge in self.cell(donor, name) if edge[1] == node]
        return self.genome(cells)

    def enumerate(self) -> Iterator[Genome]:
        """Every DARTS genotype once, in a fixed order (there are about 1e18 at four nodes: take a prefix)."""
        return (self.genome(cells) for cells in self._enumerate(self.kinds))

    def _enumerate(self, kinds: tuple[str, ...]) -> Iterator[dict[str, list[Edge]]]:
        if not kinds:
            yield {}
            return
        first, *others = kinds
        for edges in self._enumerate_cell():
            for rest in self._enumerate(tuple(others)):
                yield {first: edges, **rest}

    def _enumerate_cell(self) -> Iterator[list[Edge]]:
        # Recursive: itertools.product would first store every choice of every node.
        def extend(node: int) -> Iterator[list[Edge]]:
            if node == self.config.nodes:
                yield []
                return
            name = str(node)
            for one, two in itertools.combinations(self.sources(name), SOURCES_PER_NODE):
                for left, right in itertools.product(self.choices, repeat=SOURCES_PER_NODE):
                    for rest in extend(node + 1):
                        yield [(one, name, left), (two, name, right), *rest]

        return extend(0)

    def size(self) -> int:
        pairs = math.prod(math.comb(len(self.sources(node)), SOURCES_PER_NODE) for node in self.node_names)
        per_cell = pairs * len(self.choices) ** (SOURCES_PER_NODE * self.config.nodes)
        return int(per_cell ** len(self.kinds))

    # ---- decisions

    @property
    def decisions(self) -> DecisionList:
        """Cell by cell, node by node: the pair of inputs, then an operation on each (see `cell_decisions`)."""
        return _decisions(self.kinds, self.config.nodes, self.choices).decisions

    def genome_of(self, choices: Sequence[int | None]) -> Genome:
        """The genotype of a choice list. Raises BadInput(field "genome")."""
        return self.genome(_decisions(self.kinds, self.config.nodes, self.choices).edges_of(choices))

    def choices_of(self, genome: Genome) -> Choices:
        """Undo `genome_of`. Raises BadInput(field "genome"), also for two operations on one edge, which decisions cannot say."""
        self.validate(genome)
        return _decisions(self.kinds, self.config.nodes, self.choices).choices_of({name: self.cell(genome, name) for name in self.kinds})

    # ---- vectors and weights

    def one_hot(self, genome: Genome) -> dict[str, np.ndarray[Any, Any]]:
        """The vertex of the cube that is this genome: per cell a float64 array (edges, operations with `none`) of zeros and ones."""
        rows = {edge: row for row, edge in enumerate(self.edges)}
        weights = {name: np.zeros((len(rows), len(self.operations))) for name in self.kinds}
        for name in self.kinds:
            for source, target, operation in self.cell(genome, name):
                weights[name][rows[source, target], self.operations.index(operation)] = 1.0
        return weights

    def encode(self, genome: Genome) -> list[float]:
        """Presence of every (edge, operation): cells x edges x 7 zeros and ones, in the family's order."""
        weights = self.one_hot(genome)
        return [float(value) for name in self.kinds for value in weights[name][:, 1:].ravel()]

    def decode(self, vector: list[float]) -> Genome:
        """Undo `encode`: each node keeps its two largest entries. Raises BadInput for a wrong length."""
        count = len(self.kinds) * len(self.edges) * len(self.choices)
        if len(vector) != count:
            raise BadInput("genome", f"an encoded cell genome has {count} numbers, not {len(vector)}")
        scores = np.asarray(vector, dtype=np.float64).reshape(len(self.kinds), len(self.edges), len(self.choices))
        cells: dict[str, list[Edge]] = {}
        for name, table in zip(self.kinds, scores, strict=True):
            cells[name] = []
            for node in self.node_names:
                places = [
                    (-table[row, column], row, column)
                    for row, edge in enumerate(self.edges)
                    if edge[1] == node
                    for column in range(len(self.choices))
                ]
                cells[name] += [(*self.edges[row], self.choices[column]) for _, row, column in sorted(places)[:SOURCES_PER_NODE]]
        return self.genome(cells)

    def derive(self, weights: dict[str, np.ndarray[Any, Any]]) -> Genome:
        """DARTS' rule (section 2.4): each node keeps the two edges whose strongest operation other than `none` is strongest, with that
        operation. `weights`: per cell an array (edges, operations) in the order of `family()`. Ties go to the first."""
        cells: dict[str, list[Edge]] = {}
        for name in self.kinds:
            table = np.asarray(weights[name], dtype=np.float64)
            expected = (len(self.edges), len(self.operations))
            if table.shape != expected:
                raise BadInput("weights", f"the {name} cell needs weights of shape {expected}, not {table.shape}")
            table = table[:, 1:]
            cells[name] = []
            for node in self.node_names:
                rows = [row for row, edge in enumerate(self.edges) if edge[1] == node]
                kept = sorted(rows, key=lambda row, table=table: -table[row].max())[:SOURCES_PER_NODE]  # type: ignore[misc]
                cells[name] += [(*self.edges[row], self.choices[int(table[row].argmax())]) for row in kept]
        return self.genome(cells)

    # ---- identity

    def normal_form(self, genome: Genome) -> Any:
        """Both cells as labelled graphs up to the names of their intermediate nodes (canonical form of `graphs`)."""
        return {name: _canonical_cell(tuple(self.cell(genome, name))) for name in self.kinds}

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The normal form as one graph: isomorphic (`graphs.isomorphic`) for two genomes exactly if their hashes are equal."""
        graph = self.to_graph(genome)
        graph.remove_nodes_from([node for node, data in graph.nodes(data=True) if data["kind"] == "output"])
        for node, data in graph.nodes(data=True):
            cell, local = node.split(":", 1)
            data["match"] = node if local in INPUTS else f"{cell}:node"
        return graph

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """DARTS' Genotype: `Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6), reduce=[...], ...)`."""
        numbers = {state: place for place, state in enumerate(self.states)}
        parts = [[(operation, numbers[source]) for source, _, operation in self.cell(genome, name)] for name in self.kinds]
        return format_genotype(dict(zip(self.kinds, parts, strict=True)), self.config.nodes)

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`; accepts any Genotype of this many nodes that concatenates all of them. Raises BadInput(field "genome")."""
        cells: dict[str, list[Edge]] = {}
        for name, pairs in zip(self.kinds, parse_genotype(text, self.config.nodes, self.kinds), strict=True):
            cells[name] = []
            for place, (operation, number) in enumerate(pairs):
                node = str(place // SOURCES_PER_NODE)
                last = len(self.sources(node)) - 1
                if not 0 <= number <= last:
                    raise BadInput("genome", f"node {node} of the {name} cell cannot read state {number}; it can read 0 to {last}")
                cells[name].append((self.states[number], node, operation))
        return self.genome(cells)

    def cell_graph(self, genome: Genome, name: str) -> nx.MultiDiGraph:
        """One cell; edges from the nodes to the output carry no operation."""
        return pictures.cell_graph(name, self.config.nodes, self.cell(genome, name))

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Both cells side by side, nodes named `normal:0`, `reduction:c_{k-1}`, ..."""
        return pictures.side_by_side([self.cell_graph(genome, name) for name in self.kinds])

    def from_graph(self, graph: nx.MultiDiGraph) -> Genome:
        """Undo `to_graph`. Raises BadInput (field "graph" for a cyclic or disconnected graph, "genome" otherwise)."""
        graphs.validate(graph)
        cells: dict[str, list[Edge]] = {name: [] for name in self.kinds}
        for source, target, data in graph.edges(data=True):
            if data.get("operation") is None:
                continue
            (cell, _, local), (other, _, node) = str(source).partition(":"), str(target).partition(":")
            names = " or ".join(f"{name}:..." for name in self.kinds)
            if cell not in cells or other != cell:
                raise BadInput("genome", f"edge {source} -> {target} is not inside one cell; nodes are called {names}")
            cells[cell].append((local, node, data["operation"]))
        return self.genome(cells)

    def drawings(self, genome: Genome) -> dict[str, GraphData]:
        return {name: graphs.to_node_link(self.cell_graph(genome, name)) for name in self.kinds}

    def family(self) -> list[FamilyGroup]:
        """The normal and the reduction cell with all operations on all edges."""
        return [cell_family(name, self.config.nodes, self.edges, self.operations) for name in self.kinds]


@lru_cache(maxsize=32)
def _decisions(kinds: tuple[str, ...], nodes: int, operations: tuple[str, ...]) -> CellDecisions:
    return CellDecisions(kinds, nodes, operations)


@lru_cache(maxsize=65_536)
def _canonical_cell(edges: tuple[Edge, ...]) -> Any:
    names = list(dict.fromkeys([*INPUTS, *(target for _, target, _ in edges)]))
    numbers = {name: place for place, name in enumerate(names)}
    labels = [name if name in INPUTS else "node" for name in names]
    return graphs.canonical_form(labels, [(numbers[source], numbers[target], operation) for source, target, operation in edges])


ENTRY = SpaceEntry(
    id="cell",
    title="DARTS cells",
    description="A normal and a reduction cell of four nodes, eight operations per edge, stacked to a convolutional network whose depth "
    "and width follow from the input size.",
    source="Liu, Simonyan and Yang: DARTS, Differentiable Architecture Search. ICLR 2019, arXiv 1806.09055",
    config=CellConfig,
    space=CellSpace,
    offers=CellSpace.offers,
    inputs=frozenset({"image", "none"}),
    supernet_options=("search_cells", "search_channels"),
    builder="search_engine.supernets.cell_network:build",
)
