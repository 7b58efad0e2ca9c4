"""Graphs of a plain network: the chain of its layers, and the neurons that survive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from ..events import GraphData, GraphEdge, GraphNode
from ..genomes import Genome
from .plain_masks import Mask

if TYPE_CHECKING:
    from .plain_network import Layer, PlainNetworkSpace

MOST_DRAWN = 400
"""Surviving weights of a picture: more are a carpet, not a graph."""


def chain(space: PlainNetworkSpace, genome: Genome) -> nx.MultiDiGraph:
    """Input, layers, classes. An edge is a layer's weights: `share`, `kept`, `total` and the mask's digest are its attributes."""
    content = genome.content
    graph: nx.MultiDiGraph = nx.MultiDiGraph(space=space.id, removed=content["removed"])
    graph.add_node("input", label=" x ".join(map(str, space.shape.input)), kind="input")
    before, norm = "input", ", norm" if content["batch_norm"] else ""
    for layer, entry in zip(space.layers, content["layers"], strict=True):
        if content["network"] == "cnn" and not layer.is_convolution and "pooling" not in graph:
            graph.add_node("pooling", label="max pooling 2 x 2", kind="operation")
            graph.add_edge(before, "pooling", key="max_pool_2x2", operation="max_pool_2x2")
            before = "pooling"
        last = layer.name == "output"
        name = "classes" if last else layer.name
        unit = "filters" if layer.is_convolution else "neurons"
        label = f"{layer.rows} outputs" if last else f"{layer.rows} {unit}, {content['activation']}{norm}"
        share = entry["kept"] / layer.total
        graph.add_node(name, label=label, kind="output" if last else "hidden", match=f"{layer.name} {layer.rows} {label}")
        kernel = f"conv_{layer.shape[2]}x{layer.shape[3]}" if layer.is_convolution else "linear"
        graph.add_edge(
            before, name, key=kernel, operation=f"{kernel}, {share:.1%} kept", share=share, kept=entry["kept"], total=layer.total,
            mask=entry["mask"], match=f"{kernel} {entry['kept']} {entry['mask']} {content['removed']}",
        )  # fmt: skip
        before = name
    return graph


def neurons(space: PlainNetworkSpace, genome: Genome) -> GraphData | None:
    """The last dense layers, as many as have known masks and together at most 400 surviving weights; None where not even the output layer
    can be drawn. Neurons without a surviving weight on either side are left out, outputs never."""
    masks = space.masks(genome)
    shown: list[tuple[Layer, Mask]] = []
    weights = 0
    for layer in reversed(space.layers):
        mask = masks[layer.name]
        if layer.is_convolution or mask is None or weights + int(mask.sum()) > MOST_DRAWN:
            break
        weights += int(mask.sum())
        shown.insert(0, (layer, mask))
    if not shown:
        return None
    first = shown[0][0]
    whole = first is space.layers[0]
    names = ["input" if whole else space.layers[space.layers.index(first) - 1].name, *(layer.name for layer, _ in shown)]
    live = [_used(shown, place) for place in range(len(names))]
    nodes = [
        GraphNode(
            id=f"{name}.{unit}", label=str(unit), kind="input" if place == 0 else "output" if place == len(shown) else "hidden",
            aggregation=None if place == 0 else "sum", attributes={"layer": place, "of": name},
        )
        for place, name in enumerate(names)
        for unit in live[place]
    ]  # fmt: skip
    edges = [
        GraphEdge(source=f"{names[place]}.{column}", target=f"{names[place + 1]}.{row}", key="weight")
        for place, (_, mask) in enumerate(shown)
        for row, column in np.argwhere(mask).tolist()
    ]
    return GraphData(nodes=nodes, edges=edges, attributes={"space": space.id, "image": _image(space, whole)})


def _used(shown: list[tuple[Any, Mask]], place: int) -> list[int]:
    """Units between layer `place - 1` and layer `place` of those shown that have a weight; all outputs."""
    if place == len(shown):
        return list(range(shown[-1][1].shape[0]))
    used = shown[place][1].any(axis=0)
    if place:
        used = used | shown[place - 1][1].any(axis=1)
    return [int(unit) for unit in np.flatnonzero(used)]


def _image(space: PlainNetworkSpace, whole: bool) -> list[int] | None:
    """(channels, rows, columns) of the inputs where they are pixels and shown."""
    return list(space.shape.input) if whole and space.shape.is_image else None
