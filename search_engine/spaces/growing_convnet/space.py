"""The space of growing convolution networks: genomes, the seed network, pictures."""

from __future__ import annotations

import json
import random
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from search_engine.base.errors import BadInput

from ..base import SearchSpace
from ..data_shape import DataShape
from ..genomes import Genome, canonical_json
from ..graphs import canonical_form
from ..input_kinds import require_images
from .morphs import Morph, random_morph
from .network import IMAGE, POOL, Network, Node, Size
from .options import GrowingConvnetConfig

if TYPE_CHECKING:
    import networkx as nx

GROWTH = 50
"""Bounds of size where the options name none, in terms of the seed's."""
MOST_SAMPLED = 6
"""A random network is the seed after so many random morphs at most."""


class GrowingConvnetSpace(SearchSpace[GrowingConvnetConfig]):
    """See the package's docstring."""

    id: ClassVar[str] = "growing_convnet"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "morphs"})

    def validate_shape(self, shape: DataShape) -> None:
        """Raises BadInput(field "dataset") for anything but images, and where the seed network is beyond the bounds of size."""
        require_images(self.id, shape, least=4)
        seed = seed_network(self.config, shape).size
        problem = self._beyond(seed, self._bounds(seed))
        if problem:
            raise BadInput("space_options", f"the seed network is too large: {problem}")

    # ---- genomes

    def network(self, genome: Genome) -> Network:
        """Its graph. Raises BadInput(field "genome")."""
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        return _network(canonical_json(genome.content), self.shape.input, self.shape.classes)

    def genome(self, network: Network) -> Genome:
        return Genome(self.id, network.to_json())

    def seed(self) -> Genome:
        """The network that growth starts from."""
        return self.genome(seed_network(self.config, self.shape))

    def validate(self, genome: Genome) -> None:
        """Any graph that can be computed: a network that grew under other options, or was taken over, belongs here as well."""
        self.network(genome)

    def too_large(self, genome: Genome) -> str:
        """Why its network is not built; empty if it is."""
        return self._too_large(self.network(genome))

    def fits(self, network: Network) -> bool:
        """Whether a grown network is within the bounds of size."""
        return not self._too_large(network)

    @cached_property
    def bounds(self) -> Size:
        """The most parameters and FLOPs that a network may have."""
        return self._bounds(seed_network(self.config, self.shape).size)

    def _bounds(self, seed: Size) -> Size:
        parameters, megaflops = self.config.max_parameters, self.config.max_megaflops
        return Size(
            GROWTH * seed.parameters if parameters is None else parameters, GROWTH * seed.flops if megaflops is None else 1e6 * megaflops
        )

    def _too_large(self, network: Network) -> str:
        return self._beyond(network.size, self.bounds)

    @staticmethod
    def _beyond(found: Size, bounds: Size) -> str:
        if found.parameters > bounds.parameters:
            return f"it has {found.parameters:,} parameters, at most {bounds.parameters:,} are allowed (space option max_parameters)"
        if found.flops > bounds.flops:
            return (
                f"a forward pass takes {found.flops / 1e6:,.1f} MFLOPs, at most {bounds.flops / 1e6:,.1f} are allowed (space option "
                "max_megaflops)"
            )
        return ""

    def morphed(self, network: Network, count: int, rng: random.Random) -> tuple[list[Morph], Network]:
        """Up to `count` random morphs one after the other; fewer where the bounds of size leave no more."""
        morphs: list[Morph] = []
        for _ in range(count):
            found = random_morph(network, self.config, rng, self.fits)
            if found is None:
                break
            morphs.append(found[0])
            network = found[1]
        return morphs, network

    def sample(self, rng: random.Random) -> Genome:
        """The seed network after none to six random morphs."""
        _, network = self.morphed(seed_network(self.config, self.shape), rng.randint(0, MOST_SAMPLED), rng)
        return self.genome(network)

    # ---- identity, texts and pictures

    def normal_form(self, genome: Genome) -> Any:
        """The labelled graph up to isomorphism: the nodes' numbers do not count."""
        network = self.network(genome)
        place = {IMAGE: 0, **{node.id: at for at, node in enumerate(network.nodes, start=1)}}
        edges = [(place[source], place[node.id], "") for node in network.nodes for source in node.inputs]
        nodes, arrows = canonical_form(["image", *(node.label for node in network.nodes)], edges)
        return {"nodes": list(nodes), "edges": [list(edge) for edge in arrows]}

    def to_string(self, genome: Genome) -> str:
        """Its content as compact JSON."""
        self.validate(genome)
        return canonical_json(genome.content)

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        try:
            content = json.loads(text)
        except ValueError as error:
            raise BadInput("genome", f'this is no JSON ({error}); a network here is written as {{"nodes": [...]}}') from None
        genome = Genome(self.id, content)
        self.validate(genome)
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Nodes are what is computed; an edge carries what flows along it."""
        import networkx as nx

        network = self.network(genome)
        graph: nx.MultiDiGraph = nx.MultiDiGraph(name="network")
        graph.add_node("input", label="input", kind="input", shape=list(network.image))
        for node in network.nodes:
            joins = {"aggregation": "sum" if node.op == "add" else "concat"} if node.op in ("add", "concat") else {}
            kind = "output" if node.op == "output" else "hidden"
            graph.add_node(_name(node.id), label=node.label, kind=kind, shape=network.flows[node.id].text, **joins)
            for source in node.inputs:
                graph.add_edge(_name(source), _name(node.id), key="edge", operation=None, does=network.flows[source].text)
        return graph


def _name(number: int) -> str:
    return "input" if number == IMAGE else str(number)


@lru_cache(maxsize=4096)
def _network(content: str, image: tuple[int, ...], classes: int) -> Network:
    return Network.from_json(json.loads(content), image, classes)


def seed_network(config: GrowingConvnetConfig, shape: DataShape) -> Network:
    """Convolutions with poolings between them, dense layers, classifier."""
    nodes: list[Node] = []
    sides = min(shape.input[1:])

    def put(op: str, **settings: Any) -> None:
        nodes.append(Node(len(nodes) + 1, op, (len(nodes),), **settings))

    for place, width in enumerate(config.channels):
        if place and sides >= POOL:
            put("pool")
            sides //= POOL
        put("conv", width=width, kernel=config.kernel, norm=config.norm)
    put("flatten")
    for units in config.dense:
        put("dense", width=units)
    put("output")
    return Network(nodes, shape.input, shape.classes)
