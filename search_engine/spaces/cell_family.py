"""The family graph of a cell: its nodes, and hand-made positions for them in the unit square (x to the right, y downwards)."""

from __future__ import annotations

from collections.abc import Sequence

from ..events import FamilyGroup, GraphNode

INPUTS = ("c_{k-2}", "c_{k-1}")
OUTPUT = "out"

# Four nodes, the paper's cell: placed by eye so that no two of its 14 edges coincide.
_FOUR = ((0.31, 0.08), (0.33, 0.73), (0.57, 0.38), (0.74, 0.92))


def cell_layout(nodes: int) -> dict[str, tuple[float, float]]:
    """Inputs on the left, output on the right, nodes between in order of computation and alternating in height."""
    places = {"c_{k-2}": (0.06, 0.19), "c_{k-1}": (0.06, 0.83), OUTPUT: (0.94, 0.54)}
    for node in range(nodes):
        if nodes == len(_FOUR):
            places[str(node)] = _FOUR[node]
        else:
            # Two bands, each slowly approaching the middle, so that three nodes never lie on one line.
            step = node / max(nodes - 1, 1)
            places[str(node)] = (round(0.28 + 0.5 * step, 3), round(0.06 + 0.22 * step if node % 2 == 0 else 0.94 - 0.22 * step**2, 3))
    return places


def cell_nodes(nodes: int) -> list[GraphNode]:
    """The two inputs, the intermediate nodes (sums) and the output (a concatenation)."""
    return [
        *(GraphNode(id=name, label=name, kind="input") for name in INPUTS),
        *(GraphNode(id=str(node), label=str(node), kind="hidden", aggregation="sum") for node in range(nodes)),
        GraphNode(id=OUTPUT, label="concat", kind="output", aggregation="concat"),
    ]


def cell_family(name: str, nodes: int, edges: Sequence[tuple[str, str]], operations: Sequence[str]) -> FamilyGroup:
    """One cell as the group that structure frames refer to."""
    return FamilyGroup(
        name=name,
        title=f"{name.capitalize()} cell",
        nodes=cell_nodes(nodes),
        edges=list(edges),
        operations=list(operations),
        fixed=[(str(node), OUTPUT) for node in range(nodes)],
        layout=cell_layout(nodes),
        constraint="simplex",
    )
