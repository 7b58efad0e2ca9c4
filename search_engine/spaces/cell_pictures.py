"""A genome's cells as networkx graphs, drawn with the family's own positions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..base.lazy import lazy_module
from .cell_family import OUTPUT, cell_layout, cell_nodes

if TYPE_CHECKING:
    import networkx as nx
else:
    nx = lazy_module("networkx")


def cell_graph(name: str, nodes: int, edges: Iterable[tuple[str, str, str]]) -> nx.MultiDiGraph:
    """One cell from its edges (source, target, operation); edges from the nodes to the output carry no operation."""
    graph: nx.MultiDiGraph = nx.MultiDiGraph(name=name, layout={key: list(place) for key, place in cell_layout(nodes).items()})
    for node in cell_nodes(nodes):
        optional = {} if node.aggregation is None else {"aggregation": node.aggregation}
        graph.add_node(node.id, label=node.label, kind=node.kind, **optional)
    for source, target, operation in edges:
        graph.add_edge(source, target, key=operation, operation=operation)
    for number in range(nodes):
        graph.add_edge(str(number), OUTPUT, key="concat", operation=None)
    return graph


def side_by_side(parts: Sequence[nx.MultiDiGraph]) -> nx.MultiDiGraph:
    """Several cells in one graph, each node named `<cell>:<node>`."""
    graph: nx.MultiDiGraph = nx.MultiDiGraph()
    for part in parts:
        name = part.graph["name"]
        for node, data in part.nodes(data=True):
            graph.add_node(f"{name}:{node}", **data)
        for source, target, key, data in part.edges(keys=True, data=True):
            graph.add_edge(f"{name}:{source}", f"{name}:{target}", key=key, **data)
    return graph
