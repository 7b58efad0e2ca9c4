"""Ensembles of subnetworks of different depths, summed with one weight each (Cortes et al. 2017, "AdaNet", section 2).

    f(x) = sum over j of  w_j h_j(x)

h_j is a perceptron with `depth` hidden layers of `width` tanh units and a bounded output, tanh of a linear layer; depth 0 is a linear
model behind that tanh. A subnetwork may also read earlier ones: its layer k + 1 then sees layer k of each subnetwork that it is
connected to (where that has one, k >= 1), as in figure 1 of the paper. Two classes need one output (its sign decides), more need one
per class.

Genome content: `{"subnetworks": [{"depth": 1, "width": 32, "connections": []}, ...], "weights": [0.7, ...]}`; `connections` names
earlier subnetworks, ascending, counted from 0. Which of two unconnected subnetworks stands first means nothing.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import Field

from ..base.errors import BadInput
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .genomes import Genome
from .graphs import canonical_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx

LARGEST_DEPTH = 12
LARGEST_WIDTH = 4096


class Subnet(NamedTuple):
    """One subnetwork of a genome."""

    depth: int
    width: int
    connections: tuple[int, ...] = ()

    def content(self) -> dict[str, Any]:
        return {"depth": self.depth, "width": self.width, "connections": list(self.connections)}


class EnsembleConfig(SpaceConfig):
    """What a random ensemble of the space looks like; a search that grows one has sizes of its own."""

    most_subnetworks: int = Field(
        default=8, ge=1, le=64, title="Most subnetworks", description="A random ensemble has 1 to this many subnetworks."
    )
    deepest: int = Field(
        default=3, ge=0, le=LARGEST_DEPTH, title="Deepest subnetwork", description="Hidden layers of a random subnetwork: 0 to this many."
    )
    width: int = Field(default=32, ge=1, le=LARGEST_WIDTH, title="Width", description="Units of each hidden layer of a random subnetwork.")


class EnsembleSpace(SearchSpace[EnsembleConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "ensemble"
    offers: ClassVar[frozenset[str]] = frozenset({"sample", "ensemble"})

    @property
    def inputs(self) -> int:
        """Numbers of one example."""
        return math.prod(self.shape.input)

    @property
    def outputs(self) -> int:
        """Outputs of a subnetwork: one for two classes, else one per class."""
        return 1 if self.shape.classes == 2 else self.shape.classes

    # ---- admissible genomes

    def genome(self, subnetworks: Sequence[Subnet], weights: Sequence[float]) -> Genome:
        """Raises BadInput(field "genome")."""
        content = {"subnetworks": [item.content() for item in subnetworks], "weights": [float(weight) for weight in weights]}
        genome = Genome(self.id, content)
        self.validate(genome)
        return genome

    def subnetworks_of(self, genome: Genome) -> tuple[Subnet, ...]:
        return tuple(Subnet(item["depth"], item["width"], tuple(item["connections"])) for item in genome.content["subnetworks"])

    def weights_of(self, genome: Genome) -> tuple[float, ...]:
        return tuple(genome.content["weights"])

    def validate(self, genome: Genome) -> None:
        if genome.space != self.id:
            raise BadInput("genome", f"a genome of the space '{genome.space}' cannot be used in '{self.id}'")
        content = genome.content
        if not isinstance(content, dict) or set(content) != {"subnetworks", "weights"}:
            raise BadInput("genome", "an ensemble has subnetworks and weights")
        members, weights = content["subnetworks"], content["weights"]
        if not isinstance(members, list) or not members:
            raise BadInput("genome", "an ensemble needs at least one subnetwork")
        if not isinstance(weights, list) or len(weights) != len(members):
            raise BadInput("genome", f"{len(members)} subnetworks need as many weights")
        if any(not _is_number(weight) for weight in weights):
            raise BadInput("genome", "every mixture weight must be a finite number")
        for place, member in enumerate(members):
            self._validate_member(place, member)

    def _validate_member(self, place: int, member: Any) -> None:
        if not isinstance(member, dict) or set(member) != {"depth", "width", "connections"}:
            raise BadInput("genome", f"subnetwork {place} must have depth, width and connections")
        for name, least, most in (("depth", 0, LARGEST_DEPTH), ("width", 1, LARGEST_WIDTH)):
            value = member[name]
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise BadInput("genome", f"the {name} of subnetwork {place} must be a whole number from {least} to {most}, not {value!r}")
        connections = member["connections"]
        fitting = isinstance(connections, list) and all(isinstance(item, int) and 0 <= item < place for item in connections)
        if not fitting or connections != sorted(set(connections)):
            raise BadInput("genome", f"subnetwork {place} may be connected to earlier ones only, each named once, ascending")

    def sample(self, rng: random.Random) -> Genome:
        """Between 1 and `most_subnetworks` unconnected subnetworks of uniformly random depths, equally weighted."""
        count = rng.randint(1, self.config.most_subnetworks)
        members = [Subnet(rng.randint(0, self.config.deepest), self.config.width) for _ in range(count)]
        return self.genome(members, [1.0 / count] * count)

    # ---- what a genome means

    def layer_inputs(self, members: Sequence[Subnet], place: int) -> list[int]:
        """Inputs of each layer of subnetwork `place`, its output layer last: its own layer before, then what it is connected to."""
        member = members[place]
        sizes = [self.inputs]
        for layer in range(1, member.depth + 1):
            sizes.append(member.width + sum(members[other].width for other in member.connections if members[other].depth >= layer))
        return sizes

    def parameters_of(self, members: Sequence[Subnet]) -> int:
        """Weights and biases of the subnetworks, and one mixture weight each."""
        total = 0
        for place, member in enumerate(members):
            widths = [*[member.width] * member.depth, self.outputs]
            pairs = zip(self.layer_inputs(members, place), widths, strict=True)
            total += sum((inputs + 1) * units for inputs, units in pairs) + 1
        return total

    def compact(self, members: Sequence[Subnet], weights: Sequence[float]) -> list[int]:
        """The subnetworks that matter, ascending: those with a weight, and what they are connected to. The first one where none has."""
        kept: set[int] = set()
        for place in reversed(range(len(members))):
            if weights[place] != 0 or place in kept:
                kept |= {place, *members[place].connections}
        return sorted(kept) or [0]

    # ---- identity

    def normal_form(self, genome: Genome) -> Any:
        """Canonical form of the graph whose nodes are the subnetworks (depth, width, weight) and whose edges are the connections."""
        members = self.subnetworks_of(genome)
        # A width means nothing without hidden layers.
        labels = [
            f"{member.depth}x{member.width if member.depth else 0}*{weight!r}"
            for member, weight in zip(members, self.weights_of(genome), strict=True)
        ]
        edges = [(other, place, "reads") for place, member in enumerate(members) for other in _read(members, member)]
        nodes, lines = canonical_form(labels, edges)
        return {"nodes": list(nodes), "edges": [list(line) for line in lines]}

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """`0.7*depth0 + 1.2*depth1x32 + 0.4*depth2x32[0,1]`: weight, depth and width, connections."""
        parts = []
        for member, weight in zip(self.subnetworks_of(genome), self.weights_of(genome), strict=True):
            width = f"x{member.width}" if member.depth else ""
            connections = f"[{','.join(map(str, member.connections))}]" if member.connections else ""
            parts.append(f"{weight:g}*depth{member.depth}{width}{connections}")
        return " + ".join(parts)

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Parallel branches from `input` into `output`, the weighted sum; a branch's last edge carries its weight."""
        import networkx as nx

        graph: nx.MultiDiGraph = nx.MultiDiGraph(space=self.id)
        graph.add_node("input", label=" x ".join(map(str, self.shape.input)), kind="input", layer=0)
        members = self.subnetworks_of(genome)
        deepest = max(member.depth for member in members)
        for place, (member, weight) in enumerate(zip(members, self.weights_of(genome), strict=True)):
            before = "input"
            for layer in range(1, member.depth + 1):
                name = f"h{place}.{layer}"
                graph.add_node(name, label=f"{member.width} tanh", kind="hidden", subnetwork=place, layer=layer)
                self._connect(graph, members, before, name, member, layer)
                before = name
            name = f"h{place}"
            attributes = {"subnetwork": place, "layer": member.depth + 1, "weight": weight}
            kind = f"depth {member.depth}" if member.depth else "linear"
            graph.add_node(name, label=f"h{place} ({kind})", kind="hidden", **attributes)
            self._connect(graph, members, before, name, member, member.depth + 1)
        label = "2 classes (sign)" if self.outputs == 1 else f"{self.shape.classes} classes"
        graph.add_node("output", label=label, kind="output", aggregation="sum", layer=deepest + 2)
        for place, weight in enumerate(self.weights_of(genome)):
            graph.add_edge(f"h{place}", "output", key=f"w = {weight:.3g}", operation=None, weight=weight)
        return graph

    @staticmethod
    def _connect(graph: nx.MultiDiGraph, members: Sequence[Subnet], before: str, name: str, member: Subnet, layer: int) -> None:
        """The edges into layer `layer` of a subnetwork: from its own layer before and from that layer of what it is connected to."""
        graph.add_edge(before, name, key="linear", operation="linear")
        for other in member.connections:
            if 1 <= layer - 1 <= members[other].depth:
                graph.add_edge(f"h{other}.{layer - 1}", name, key="linear", operation="linear")


def _read(members: Sequence[Subnet], member: Subnet) -> list[int]:
    """The subnetworks of which at least one layer is really read."""
    return [other for other in member.connections if member.depth and members[other].depth]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


ENTRY = SpaceEntry(
    id="ensemble",
    title="Ensembles of subnetworks",
    description="Bounded perceptrons of different depths side by side, added up with one weight each. For vectors and (flattened) images.",
    source="Cortes, Gonzalvo, Kuznetsov, Mohri, Yang: AdaNet: Adaptive Structural Learning of Artificial Neural Networks, ICML 2017",
    config=EnsembleConfig,
    space=EnsembleSpace,
    offers=EnsembleSpace.offers,
    inputs=frozenset({"image", "vector", "series"}),
    idle=dict.fromkeys(("channels", "layers"), "its networks are as wide and as deep as the space's options and the genome say"),
    builder="search_engine.supernets.ensemble_network:build",
)
