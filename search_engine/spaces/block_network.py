"""Convolutional fabrics of candidate blocks (Veniat and Denoyer 2018, after the convolutional neural fabrics of Saxena and Verbeek 2016).

Nodes stand in columns and scales; node (column, scale) holds feature maps whose sides are the image's divided by 2^scale. Between
neighbouring columns run edges of equal scale, one scale down (stride 2) and, where asked for, one scale up (nearest neighbour first).
Every edge carries parallel candidate blocks: convolutions 1x1, 3x3 and 5x5 (ReLU, convolution, batch normalisation), and on edges of equal
scale a residual shortcut. A node is the sum of its incoming blocks. A stem leads into node (0, 0); the classifier reads the last column's
coarsest node. Nodes that lie on no path are not there.

A genome is the set of blocks that are kept, any set that leaves a path: a vertex of the cube.

Genome content: `{"blocks": [["0.0", "1.1", "nor_conv_3x3"], ...]}`, node names `column.scale`, in the order of the family. Kept blocks on
no path from stem to classifier compute nothing: the network has only the live ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field

from ..base.errors import BadInput
from ..base.quoting import shown
from ..events import FamilyGroup, GraphNode
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .block_costs.blocks import Block, cheapest_path, live
from .block_costs.costs import BlockCosts
from .data_shape import DataShape
from .genomes import Genome
from .graphs import canonical_form
from .input_kinds import require_images

if TYPE_CHECKING:
    import networkx as nx

GROUP = "blocks"
SHORTCUT = "skip_connect"
CONVOLUTIONS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3, "nor_conv_5x5": 5}
OPERATIONS = (SHORTCUT, *CONVOLUTIONS)
STEM_KERNEL = 3

Node = tuple[int, int]
"""(column, scale)."""


class BlockNetworkConfig(SpaceConfig):
    """Size of the fabric."""

    columns: int = Field(
        default=4, ge=1, le=16, title="Columns", description="Layers of blocks between stem and classifier, at least the scales minus one.",
    )
    scales: int = Field(
        default=3, ge=1, le=6, title="Scales",
        description="Resolutions: the image's, and each half the one before. 3 for 8x8 images: 8, 4, 2.",
    )
    channels: int = Field(default=12, ge=1, le=256, title="Channels", description="Feature maps of every node.")
    shortcuts: bool = Field(
        default=True, title="Residual shortcuts", description="Edges of equal scale also carry the identity, which costs nothing.",
    )
    upsampling: bool = Field(
        default=False, title="Edges to finer scales",
        description="Also lead from a scale to the next finer one, as convolutional fabrics do.",
    )


class BlockNetworkSpace(SearchSpace[BlockNetworkConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "block_network"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "mutate", "blocks"})

    def validate_shape(self, shape: DataShape) -> None:
        if self.config.columns < self.config.scales - 1:
            message = f"{self.config.columns} columns cannot lead down {self.config.scales} scales; use at least {self.config.scales - 1}"
            raise BadInput("space_options.columns", message)
        if self.config.upsampling and not 1 < self.config.scales < self.config.columns:
            raise BadInput(
                "space_options.upsampling", f"no path of {self.config.columns} columns through {self.config.scales} scales can lead up and "
                "down again; use at least 2 scales and more columns than scales, or leave this off",
            )
        require_images(self.id, shape, least=2 ** (self.config.scales - 1))

    # ---- the family

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Nodes on a path from stem to classifier, column by column, fine to coarse."""
        last, coarsest = self.config.columns, self.config.scales - 1
        return tuple(
            (column, scale)
            for column in range(last + 1)
            for scale in range(coarsest + 1)
            if scale <= column and coarsest - scale <= last - column
        )

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(source, target) as places in `nodes`, in order of the source."""
        places = {node: place for place, node in enumerate(self.nodes)}
        steps = (0, 1, -1) if self.config.upsampling else (0, 1)
        return tuple(
            (place, places[(column + 1, scale + step)])
            for place, (column, scale) in enumerate(self.nodes)
            for step in steps
            if (column + 1, scale + step) in places
        )

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All candidates, edge by edge; shortcuts are there in every network unless a search asks about them, too."""
        return tuple(
            Block(source, target, operation, stochastic=operation != SHORTCUT)
            for source, target in self.edges
            for operation in OPERATIONS
            if operation != SHORTCUT or (self.config.shortcuts and self.nodes[source][1] == self.nodes[target][1])
        )

    def node_name(self, place: int) -> str:
        column, scale = self.nodes[place]
        return f"{column}.{scale}"

    def resolution(self, place: int) -> tuple[int, int]:
        """Height and width of a node's feature maps."""
        scale = 2 ** self.nodes[place][1]
        height, width = self.shape.input[1:]
        return -(-height // scale), -(-width // scale)

    def prices(self, kind: str, channels: int = 0) -> BlockCosts:
        """`parameters` (trainable numbers) or `flops` (2 x MACs per example) of each block, and of stem and classifier, in closed form."""
        width, colours, classes = channels or self.config.channels, self.shape.input[0], self.shape.classes
        each = []
        for block in self.blocks:
            kernel = CONVOLUTIONS.get(block.operation, 0)
            height, breadth = self.resolution(block.target)
            if kind == "parameters":
                each.append(float(kernel**2 * width * width + 2 * width if kernel else 0))
            else:
                each.append(2.0 * kernel**2 * width * width * height * breadth)
        if kind == "parameters":
            return BlockCosts(tuple(each), float(STEM_KERNEL**2 * colours * width + 2 * width + 2 * width + (width + 1) * classes))
        height, breadth = self.resolution(0)
        return BlockCosts(tuple(each), 2.0 * STEM_KERNEL**2 * colours * width * height * breadth + 2.0 * width * classes)

    def live(self, masks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Of the kept blocks those on a path from stem to classifier: bool (B, blocks) from bool (B, blocks)."""
        return live(self.blocks, masks, len(self.nodes))

    def family(self) -> list[FamilyGroup]:
        """One group: every edge of the fabric with its candidate blocks. A block that an edge does not have keeps the weight 0."""
        inner = [
            GraphNode(
                id=self.node_name(place), label="x".join(map(str, self.resolution(place))), kind="hidden", aggregation="sum",
                attributes={"column": column, "scale": scale},
            )
            for place, (column, scale) in enumerate(self.nodes)
        ]
        ends = [GraphNode(id="input", label="input", kind="input"), GraphNode(id="output", label="classifier", kind="output")]
        return [
            FamilyGroup(
                name=GROUP, title="Fabric of blocks", nodes=[ends[0], *inner, ends[1]],
                edges=[(self.node_name(source), self.node_name(target)) for source, target in self.edges], operations=list(OPERATIONS),
                fixed=[("input", self.node_name(0)), (self.node_name(len(self.nodes) - 1), "output")], layout=self._layout(),
                constraint="cube_vertices",
                weight="probability",
            )
        ]

    def _layout(self) -> dict[str, tuple[float, float]]:
        """Columns from left to right, scales from top to bottom."""
        across, down = self.config.columns + 2, max(self.config.scales - 1, 1)
        places = {
            self.node_name(place): (round(0.04 + 0.92 * (column + 1) / across, 3), round(0.12 + 0.76 * scale / down, 3))
            for place, (column, scale) in enumerate(self.nodes)
        }
        return {"input": (0.04, 0.12), **places, "output": (0.96, places[self.node_name(len(self.nodes) - 1)][1])}

    def as_family_weights(self, values: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """One number per block as the group's array (edges, operations)."""
        array = np.zeros((len(self.edges), len(OPERATIONS)), dtype=np.float32)
        rows = {edge: row for row, edge in enumerate(self.edges)}
        for block, value in zip(self.blocks, values.tolist(), strict=True):
            array[rows[(block.source, block.target)], OPERATIONS.index(block.operation)] = value
        return {GROUP: array}

    # ---- admissible genomes

    def genome_of_blocks(self, kept: Iterable[int]) -> Genome:
        """The genome that keeps those blocks, dead ones left out. Raises BadInput(field "genome") where no path remains."""
        mask = np.zeros((1, len(self.blocks)), dtype=bool)
        mask[0, list(kept)] = True
        alive = np.flatnonzero(self.live(mask)[0]).tolist()
        genome = Genome(self.id, {"blocks": [self._written(self.blocks[place]) for place in alive]})
        self.validate(genome)
        return genome

    def _written(self, block: Block) -> list[str]:
        return [self.node_name(block.source), self.node_name(block.target), block.operation]

    @cached_property
    def _places(self) -> dict[tuple[str, ...], int]:
        return {tuple(self._written(block)): place for place, block in enumerate(self.blocks)}

    def kept(self, genome: Genome) -> list[int]:
        """Places of the live blocks, ascending."""
        self.validate(genome)
        mask = np.zeros((1, len(self.blocks)), dtype=bool)
        mask[0, [self._places[tuple(item)] for item in genome.content["blocks"]]] = True
        return [int(place) for place in np.flatnonzero(self.live(mask)[0])]

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        content = genome.content
        if not isinstance(content, dict) or set(content) != {"blocks"} or not isinstance(content["blocks"], list):
            raise BadInput("genome", "a genome of blocks has the list 'blocks'")
        mask = np.zeros((1, len(self.blocks)), dtype=bool)
        for item in content["blocks"]:
            place = self._places.get(tuple(item)) if isinstance(item, list) and all(isinstance(part, str) for part in item) else None
            if place is None:
                raise BadInput("genome", f"{item!r} is no block of this fabric; a block is [source, target, operation]")
            if mask[0, place]:
                raise BadInput("genome", f"the block {item!r} occurs twice")
            mask[0, place] = True
        if not self.live(mask).any():
            raise BadInput("genome", "no path of kept blocks leads from the stem to the classifier", code="disconnected")

    def derive(self, weights: dict[str, np.ndarray[Any, Any]]) -> Genome:
        """The blocks with a probability above one half. Where they leave no path, the most probable path stands in for them."""
        rows = {edge: row for row, edge in enumerate(self.edges)}
        table = weights[GROUP]
        values = [float(table[rows[(block.source, block.target)], OPERATIONS.index(block.operation)]) for block in self.blocks]
        kept = [place for place, value in enumerate(values) if value > 0.5]
        mask = np.zeros((1, len(self.blocks)), dtype=bool)
        mask[0, kept] = True
        if not self.live(mask).any():
            kept = self.path([-float(np.log(max(value, 1e-30))) for value in values])
        return self.genome_of_blocks(kept)

    def path(self, prices: list[float]) -> list[int]:
        """The blocks of the path with the least sum of prices."""
        found = cheapest_path(self.blocks, prices, len(self.nodes))
        assert found is not None, "every node of the fabric lies on a path"
        return found

    def sample(self, rng: random.Random) -> Genome:
        """Shortcuts, every convolution with probability one half, and a random path, so that there is one."""
        chosen = {place for place, block in enumerate(self.blocks) if not block.stochastic or rng.random() < 0.5}
        return self.genome_of_blocks(chosen | set(self.path([rng.random() for _ in self.blocks])))

    def mutate(self, genome: Genome, rng: random.Random) -> tuple[Genome, str]:
        """One convolution is added or removed such that the network changes and keeps a path."""
        kept = set(self.kept(genome)) | {place for place, block in enumerate(self.blocks) if not block.stochastic}
        places = [place for place, block in enumerate(self.blocks) if block.stochastic]
        rng.shuffle(places)
        for place in places:
            mask = np.zeros((1, len(self.blocks)), dtype=bool)
            mask[0, list(kept ^ {place})] = True
            if self.live(mask).any() and (child := self.genome_of_blocks(kept ^ {place})).content != genome.content:
                return child, "remove_block" if place in kept else "add_block"
        raise BadInput("genome", "no block can be added to or removed from this network")

    # ---- identity, texts and pictures

    def normal_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The live network; a node that is nothing but a shortcut from another is that other node."""
        import networkx as nx

        alive = [self.blocks[place] for place in self.kept(genome)]
        same = list(range(len(self.nodes)))
        for node in range(len(self.nodes)):
            into = [block for block in alive if block.target == node]
            if len(into) == 1 and into[0].operation == SHORTCUT:
                same[node] = same[into[0].source]
        graph: nx.MultiDiGraph = nx.MultiDiGraph()
        ends = {same[0]: "in", same[-1]: "out"} if same[0] != same[-1] else {same[0]: "in and out"}
        for block in alive:
            if block.operation == SHORTCUT and same[block.source] == same[block.target]:
                continue
            for node in (same[block.source], same[block.target]):
                graph.add_node(node, kind="hidden", match=f"{'x'.join(map(str, self.resolution(node)))} {ends.get(node, '')}")
            graph.add_edge(same[block.source], same[block.target], operation=block.operation)
        if not graph:
            graph.add_node(0, kind="hidden", match=ends[same[0]])
        return graph

    def normal_form(self, genome: Genome) -> Any:
        graph = self.normal_graph(genome)
        places = {node: place for place, node in enumerate(graph)}
        lines = [(places[source], places[target], data["operation"]) for source, target, data in graph.edges(data=True)]
        nodes, edges = canonical_form([data["match"] for _, data in graph.nodes(data=True)], lines)
        return {"nodes": list(nodes), "edges": [list(edge) for edge in edges]}

    def to_string(self, genome: Genome) -> str:
        """`0.0>1.1:nor_conv_3x3+nor_conv_1x1 1.1>2.2:...`: the live blocks of each edge."""
        words: dict[str, list[str]] = {}
        for place in self.kept(genome):
            source, target, operation = self._written(self.blocks[place])
            words.setdefault(f"{source}>{target}", []).append(operation)
        return " ".join(f"{edge}:{'+'.join(operations)}" for edge, operations in words.items())

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        blocks = []
        for word in text.split():
            edge, _, operations = word.partition(":")
            source, arrow, target = edge.partition(">")
            if not arrow or not operations:
                raise BadInput("genome", f"{shown(word)} is not an edge with its blocks, like 0.0>1.1:nor_conv_3x3+nor_conv_1x1")
            blocks += [[source, target, operation] for operation in operations.split("+")]
        genome = Genome(self.id, {"blocks": blocks})
        self.validate(genome)
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """The live blocks between stem and classifier."""
        import networkx as nx

        (group,) = self.family()
        graph: nx.MultiDiGraph = nx.MultiDiGraph(name=GROUP)
        alive = [self._written(self.blocks[place]) for place in self.kept(genome)]
        used = {"input", "output", self.node_name(0), self.node_name(len(self.nodes) - 1), *(name for item in alive for name in item[:2])}
        graph.graph["layout"] = {name: list(place) for name, place in group.layout.items() if name in used}
        for node in group.nodes:
            if node.id in used:
                optional = {} if node.aggregation is None else {"aggregation": node.aggregation}
                graph.add_node(node.id, label=node.label, kind=node.kind, **optional, **node.attributes)
        graph.add_edge("input", self.node_name(0), key="stem", operation=None)
        for source, target, operation in alive:
            graph.add_edge(source, target, key=operation, operation=operation)
        graph.add_edge(self.node_name(len(self.nodes) - 1), "output", key="classifier", operation=None)
        return graph


ENTRY = SpaceEntry(
    id="block_network",
    title="Fabric of convolution blocks",
    description="Columns of feature maps at several resolutions with parallel 1x1, 3x3 and 5x5 convolutions and shortcuts between them; a "
    "network keeps any set of blocks that leaves a path.",
    source="Veniat and Denoyer: Learning Time/Memory-Efficient Deep Architectures with Budgeted Super Networks, CVPR 2018; Saxena and "
    "Verbeek: Convolutional Neural Fabrics, NIPS 2016",
    config=BlockNetworkConfig,
    space=BlockNetworkSpace,
    offers=BlockNetworkSpace.offers,
    idle={"layers": "the depth of a network is its genome's"},
    builder="search_engine.supernets.block_network:build",
)
