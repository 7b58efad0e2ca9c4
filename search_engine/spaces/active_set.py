"""Sparse networks of at most one hidden layer: which inputs, neurons and single weights there are.

Genome content: `{"hidden": 2, "edges": [["x0", "h0"], ["x3", "h1"], ["h0", "y0"], ...]}`; inputs x0 .. x(d-1), hidden tanh neurons h0
.., and outputs y0 ..; without hidden neurons the edges lead from inputs to outputs. Biases belong to every hidden neuron and output.

The space sets no end to what is active: algorithms that grow and shrink sets (AddDel) move in it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

from ..base.errors import BadInput
from ..base.lazy import lazy_module
from ..base.quoting import shown
from .base import SearchSpace, SpaceConfig, SpaceEntry
from .data_shape import DataShape
from .genomes import Genome

if TYPE_CHECKING:
    import networkx as nx
else:
    nx = lazy_module("networkx")

MOST_INPUTS = 200


class ActiveSetConfig(SpaceConfig):
    """No options: what may be active is the algorithm's."""


class ActiveSetSpace(SearchSpace[ActiveSetConfig]):
    """See the module's docstring."""

    id: ClassVar[str] = "active_set"
    offers: ClassVar[frozenset[str]] = frozenset({"active_set"})

    @property
    def inputs(self) -> int:
        return self.shape.input[0]

    def validate_shape(self, shape: DataShape) -> None:
        if shape.input[0] > MOST_INPUTS:
            raise BadInput("dataset", f"{shape.input[0]} features are too many to be tried one by one; at most {MOST_INPUTS}")

    def genome(self, hidden: int, edges: list[tuple[str, str]]) -> Genome:
        """The genome of a list of edges, in order."""
        return Genome(self.id, {"hidden": hidden, "edges": [list(edge) for edge in sorted(edges, key=_order)]})

    def edges(self, genome: Genome) -> list[tuple[str, str]]:
        """The genome's edges. Raises BadInput(field "genome") if it is none of this space."""
        if genome.space != self.id:
            raise BadInput("genome", f"this genome belongs to the space '{genome.space}', not to '{self.id}'")
        hidden = genome.content.get("hidden")
        if not isinstance(hidden, int) or hidden < 0:
            raise BadInput("genome", "'hidden' must be how many hidden neurons there are")
        limits = {"x": self.inputs, "h": hidden, "y": self.shape.classes}
        allowed = {("x", "h"), ("h", "y")} if hidden else {("x", "y")}
        edges = [(str(source), str(target)) for source, target in genome.content.get("edges", [])]
        for source, target in edges:
            ends = (source[:1], target[:1])
            numbers = [node[1:] for node in (source, target)]
            if ends not in allowed or not all(number.isdigit() for number in numbers) or any(
                int(number) >= limits[end] for end, number in zip(ends, numbers, strict=True)
            ):
                raise BadInput("genome", f"there is no edge {source} -> {target} between {self.inputs} inputs, {hidden} hidden neurons and "
                               f"{self.shape.classes} outputs")
        if len(set(edges)) != len(edges):
            raise BadInput("genome", "an edge stands there twice")
        return edges

    def validate(self, genome: Genome) -> None:
        self.edges(genome)

    def sample(self, rng: random.Random) -> Genome:
        """Each input with probability one half, without hidden neurons."""
        chosen = [f"x{place}" for place in range(self.inputs) if rng.random() < 0.5]
        return self.genome(0, [(source, f"y{output}") for source in chosen for output in range(self.shape.classes)])

    def normal_form(self, genome: Genome) -> Any:
        """Hidden neurons have no order and, without an edge to an output, no effect."""
        edges = self.edges(genome)
        neurons = []
        for number in range(genome.content["hidden"]):
            into = sorted(source for source, target in edges if target == f"h{number}")
            out = sorted(target for source, target in edges if source == f"h{number}")
            if out:
                neurons.append([into, out])
        return {"neurons": sorted(neurons), "direct": sorted(list(edge) for edge in edges if edge[0][0] == "x" and edge[1][0] == "y")}

    def to_string(self, genome: Genome) -> str:
        """`y0(x0,x1,x3)`, or `h0(x0,x1) h1(x3) y0(h0,h1)`: every node with what comes into it."""
        before: dict[str, list[str]] = {}
        for source, target in sorted(self.edges(genome), key=_order):
            before.setdefault(target, []).append(source)
        return " ".join(f"{target}({','.join(sources)})" for target, sources in before.items()) or "constant"

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`, up to hidden neurons without edges. Raises BadInput(field "genome")."""
        edges: list[tuple[str, str]] = []
        for word in text.split() if text.strip() != "constant" else []:
            target, _, rest = word.partition("(")
            if not rest.endswith(")"):
                raise BadInput("genome", f"{shown(word)} does not end with a list of sources in parentheses")
            edges += [(source, target) for source in rest[:-1].split(",")]
        numbers = [node[1:] for edge in edges for node in edge if node.startswith("h")]
        hidden = 1 + max((int(number) for number in numbers if number.isdigit()), default=-1)
        genome = self.genome(hidden, [edge for edge in edges if all(node[1:].isdigit() for node in edge)])
        if len(genome.content["edges"]) != len(edges):
            raise BadInput("genome", "nodes are called x0, h0, y0 and so on")
        self.validate(genome)
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """Active inputs, hidden neurons with an edge to an output, all outputs."""
        edges = self.edges(genome)
        alive = {source for source, target in edges if target[0] == "y"}
        graph: nx.MultiDiGraph = nx.MultiDiGraph(space=self.id)
        shown = [(source, target) for source, target in sorted(edges, key=_order) if target in alive or target[0] == "y"]
        for kind, letter in (("input", "x"), ("hidden", "h")):
            for node in sorted({node for edge in shown for node in edge if node[0] == letter}, key=lambda name: int(name[1:])):
                match = node if kind == "input" else "tanh"
                graph.add_node(node, label=node if kind == "input" else "tanh", kind=kind, match=match)
        for output in range(self.shape.classes):
            graph.add_node(f"y{output}", label=f"y{output}", kind="output", aggregation="sum", match=f"y{output}")
        for source, target in shown:
            graph.add_edge(source, target, key="weight", operation="weight")
        return graph


def _order(edge: tuple[str, str]) -> tuple[str, int, str, int]:
    """Edges into hidden neurons first, then into outputs, each in order of its nodes."""
    source, target = edge
    return target[:1], int(target[1:]), source[:1], int(source[1:])


ENTRY = SpaceEntry(
    id="active_set",
    title="Active sets",
    description="Sparse linear models and networks of one hidden layer: which features, neurons or weights are active.",
    source="M. Popova, V. Strijov, Building deep learning networks for time series classification, Systems and Means of Informatics 25(3) "
    "(2015)",
    config=ActiveSetConfig,
    space=ActiveSetSpace,
    offers=ActiveSetSpace.offers,
    inputs=frozenset({"vector"}),
    builder="search_engine.supernets.sparse_network:build",
    tasks=frozenset({"classification", "regression"}),
)
