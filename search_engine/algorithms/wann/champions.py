"""What changed from one champion to the next, for the picture that grows."""

from __future__ import annotations

from typing import Any

from search_engine.spaces.neuron_genes.activations import NAMES
from search_engine.spaces.neuron_genes.canonical import reaching_output
from search_engine.spaces.neuron_genes.genes import Genes


def _shown(genes: Genes) -> tuple[dict[int, str], set[tuple[int, int]]]:
    """Hidden nodes that reach an output, with their activations, and the enabled edges among what is shown."""
    columns = (genes.source, genes.target, genes.enabled)
    edges = [(source, target) for source, target, on in zip(*(column.tolist() for column in columns), strict=True) if on]
    useful = reaching_output(edges, genes.first_output, genes.first_hidden)
    nodes: dict[int, str] = {
        node: NAMES[number] for node, number in zip(genes.nodes.tolist(), genes.activations.tolist(), strict=True) if node in useful
    }
    return nodes, {(source, target) for source, target in edges if target in useful or target < genes.first_hidden}


def changes(former: Genes | None, champion: Genes) -> dict[str, Any]:
    """`added_nodes`, `added_edges`, `removed_edges`, `changed_nodes` (another activation), as a Champion event names them: node ids as
    text. Innovation numbers make equal inventions equal, so this compares by name. Nothing for the first champion."""
    if former is None:
        return {}
    nodes_before, edges_before = _shown(former)
    nodes, edges = _shown(champion)
    return {
        "added_nodes": [str(node) for node in sorted(nodes.keys() - nodes_before.keys())],
        "added_edges": [(str(a), str(b)) for a, b in sorted(edges - edges_before)],
        "removed_edges": [(str(a), str(b)) for a, b in sorted(edges_before - edges)],
        "changed_nodes": [str(node) for node in sorted(nodes.keys() & nodes_before.keys()) if nodes[node] != nodes_before[node]],
    }
