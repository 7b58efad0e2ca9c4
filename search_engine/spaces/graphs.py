"""Architecture graphs: networkx.MultiDiGraph inside, node-link data (`events.GraphData`) outside.

Conventions. Nodes carry `label`, `kind`, `aggregation`; edges are keyed by their primitive and carry `operation` (None for wiring
without a choice). Whatever else a node or an edge carries must be JSON and travels as `attributes`. Two operations on one edge are two
parallel edges with different keys.

Isomorphism of graphs, and the canonical form that makes a hash of it, compare node attribute `match` and edge attribute `match` where
given, else `kind` and `operation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..base.errors import BadInput
from ..base.lazy import lazy_module
from ..events import FamilyGroup, GraphData, GraphEdge, GraphNode

if TYPE_CHECKING:
    import networkx as nx
    from networkx.algorithms import isomorphism
else:
    nx, isomorphism = lazy_module("networkx"), lazy_module("networkx.algorithms.isomorphism")

_NODE_FIELDS = ("label", "kind", "aggregation")
CanonicalForm = tuple[tuple[str, ...], tuple[tuple[int, int, str], ...]]
"""Node labels in canonical order, and edges (source, target, label) between their positions, sorted."""


def to_node_link(graph: nx.MultiDiGraph) -> GraphData:
    """The graph as data for JSON, the database and the browser; order of nodes and edges as in the graph."""
    nodes = []
    for name, data in graph.nodes(data=True):
        rest = {key: value for key, value in data.items() if key not in _NODE_FIELDS}
        nodes.append(
            GraphNode(
                id=str(name), label=data.get("label", str(name)), kind=data.get("kind", "hidden"),
                aggregation=data.get("aggregation"), attributes=rest,
            )
        )
    edges = []
    for source, target, key, data in graph.edges(keys=True, data=True):
        rest = {name: value for name, value in data.items() if name != "operation"}
        edges.append(GraphEdge(source=str(source), target=str(target), key=str(key), operation=data.get("operation"), attributes=rest))
    return GraphData(nodes=nodes, edges=edges, attributes=dict(graph.graph))


def from_node_link(data: GraphData) -> nx.MultiDiGraph:
    """Undo `to_node_link`. Raises BadInput(field "graph") for an unknown end or a repeated (source, target, key)."""
    graph: nx.MultiDiGraph = nx.MultiDiGraph(**data.attributes)
    for node in data.nodes:
        if node.id in graph:
            raise BadInput("graph", f"node '{node.id}' occurs twice")
        optional = {} if node.aggregation is None else {"aggregation": node.aggregation}
        graph.add_node(node.id, label=node.label, kind=node.kind, **optional, **node.attributes)
    for edge in data.edges:
        for end in (edge.source, edge.target):
            if end not in graph:
                raise BadInput("graph", f"edge {edge.source} -> {edge.target} ends at '{end}', which is not a node")
        if graph.has_edge(edge.source, edge.target, key=edge.key):
            raise BadInput("graph", f"edge {edge.source} -> {edge.target} has '{edge.key}' twice")
        graph.add_edge(edge.source, edge.target, key=edge.key, operation=edge.operation, **edge.attributes)
    return graph


def family_graph(group: FamilyGroup, weights: Sequence[Sequence[float]] | None = None) -> nx.MultiDiGraph:
    """A group of a model family as a graph: one parallel edge per operation.

    `weights` (edges x operations) become the edge attribute `weight`; without them every operation is there unweighted.
    """
    graph: nx.MultiDiGraph = nx.MultiDiGraph(name=group.name, layout={key: list(place) for key, place in group.layout.items()})
    for node in group.nodes:
        optional = {} if node.aggregation is None else {"aggregation": node.aggregation}
        graph.add_node(node.id, label=node.label, kind=node.kind, **optional, **node.attributes)
    for row, (source, target) in enumerate(group.edges):
        for column, operation in enumerate(group.operations):
            extra = {} if weights is None else {"weight": float(weights[row][column])}
            graph.add_edge(source, target, key=operation, operation=operation, **extra)
    for source, target in group.fixed:
        graph.add_edge(source, target, key="fixed", operation=None)
    return graph


def validate(graph: nx.MultiDiGraph, field: str = "graph") -> None:
    """Refuse what cannot be computed: cycles, and nodes that are on no path from an input to an output.

    Inputs and outputs are the nodes of kind `input` and `output`; an input may stay unused. Raises BadInput(field).
    """
    if not nx.is_directed_acyclic_graph(graph):
        cycle = " -> ".join(str(edge[0]) for edge in nx.find_cycle(graph))
        raise BadInput(field, f"the graph must be acyclic, but has the cycle {cycle}", code="cyclic")
    kinds = nx.get_node_attributes(graph, "kind")
    inputs = [node for node in graph if kinds.get(node) == "input"]
    outputs = [node for node in graph if kinds.get(node) == "output"]
    if not inputs or not outputs:
        raise BadInput(field, "the graph needs at least one input and one output node", code="disconnected")
    below = set(inputs).union(*(nx.descendants(graph, node) for node in inputs))
    above = set(outputs).union(*(nx.ancestors(graph, node) for node in outputs))
    for node in graph:
        if node not in below or (node not in above and kinds.get(node) != "input"):
            raise BadInput(field, f"node '{node}' is on no path from an input to an output", code="disconnected")


def matchable(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """A bare copy with the one attribute `match` on nodes and edges, by which isomorphism is judged."""
    bare: nx.MultiDiGraph = nx.MultiDiGraph()
    for node, data in graph.nodes(data=True):
        bare.add_node(node, match=str(data.get("match", data.get("kind", "hidden"))))
    for source, target, data in graph.edges(data=True):
        bare.add_edge(source, target, match=str(data.get("match", data.get("operation"))))
    return bare


def isomorphic(first: nx.MultiDiGraph, second: nx.MultiDiGraph) -> bool:
    """Whether a renaming of nodes turns one graph into the other, labels kept (networkx, VF2)."""
    if first.number_of_nodes() != second.number_of_nodes() or first.number_of_edges() != second.number_of_edges():
        return False
    return bool(
        nx.is_isomorphic(
            matchable(first), matchable(second),
            node_match=isomorphism.categorical_node_match("match", None), edge_match=isomorphism.categorical_multiedge_match("match", None),
        )
    )


def canonical_form(labels: Sequence[str], edges: Iterable[tuple[int, int, str]]) -> CanonicalForm:
    """A form that is equal for two labelled directed multigraphs exactly if they are isomorphic.

    `labels[i]` belongs to node i; an edge is (source, target, label). Colour refinement, then individualisation of the first class
    that is not yet single, keeping the smallest form of all branches (McKay and Piperno 2014, section 2). Nodes of one class with
    the very same neighbours are interchangeable, so one branch stands for all of them. Made for cells and small networks.
    """
    edge_list = sorted(edges)
    incoming: list[list[tuple[int, str]]] = [[] for _ in labels]
    outgoing: list[list[tuple[int, str]]] = [[] for _ in labels]
    for source, target, label in edge_list:
        incoming[target].append((source, label))
        outgoing[source].append((target, label))
    ranks = {label: rank for rank, label in enumerate(sorted(set(labels)))}
    twins = [(tuple(sorted(incoming[node])), tuple(sorted(outgoing[node]))) for node in range(len(labels))]

    def refine(colours: list[int]) -> list[int]:
        classes = len(set(colours))
        while classes < len(colours):
            signatures = [
                (
                    colours[node],
                    tuple(sorted((colours[other], label) for other, label in incoming[node])),
                    tuple(sorted((colours[other], label) for other, label in outgoing[node])),
                )
                for node in range(len(colours))
            ]
            order = {signature: rank for rank, signature in enumerate(sorted(set(signatures)))}
            colours = [order[signature] for signature in signatures]
            if len(order) == classes:
                break
            classes = len(order)
        return colours

    def search(colours: list[int]) -> CanonicalForm:
        colours = refine(colours)
        members: dict[int, list[int]] = {}
        for node, colour in enumerate(colours):
            members.setdefault(colour, []).append(node)
        unresolved = [colour for colour in sorted(members) if len(members[colour]) > 1]
        if not unresolved:
            position = {node: rank for rank, node in enumerate(sorted(range(len(colours)), key=colours.__getitem__))}
            ordered = sorted(position, key=position.__getitem__)
            return (
                tuple(labels[node] for node in ordered),
                tuple(sorted((position[source], position[target], label) for source, target, label in edge_list)),
            )
        branches = {twins[node]: node for node in members[unresolved[0]]}
        # Doubling leaves room for the individualised node to come just before the rest of its class.
        return min(search([2 * colour - (node == chosen) for node, colour in enumerate(colours)]) for chosen in branches.values())

    return search([ranks[label] for label in labels])
