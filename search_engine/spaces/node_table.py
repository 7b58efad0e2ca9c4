"""The node table of chains: which layers exist, which attributes they have, which may follow which, and how desirable that is a priori.

Source: Byla and Pang, "DeepSwarm: Optimising Convolutional Neural Networks using Swarm Intelligence", UKCI 2019 (arXiv:1905.07350), and
the settings that its authors published. A chain starts at `input` and ends at `output`. Up to `flatten` nodes are spatial (they map
pictures to pictures), from then on flat (vectors to vectors).

A `Place` is where a walk stands: the last node's type and the shape of what it gives. What is legal next depends on it alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Value = int | float | str
INPUT, OUTPUT, FLATTEN = "input", "output", "flatten"
POOL_SIZE = 2
"""Side of a pooling window. Windows lie inside the map: a side n becomes (n - 2) // stride + 1."""

TITLES: dict[str, str] = {
    INPUT: "Input", "conv": "Convolution and ReLU", "pool": "Pooling", "batch_norm": "Batch normalisation", "dropout": "Dropout",
    FLATTEN: "Flatten", "dense": "Dense", "batch_norm_flat": "Batch normalisation (flat)", "dropout_flat": "Dropout (flat)",
    OUTPUT: "Output",
}
SPATIAL = frozenset({INPUT, "conv", "pool", "batch_norm", "dropout"})

HEURISTICS: dict[str, dict[str, float]] = {
    INPUT: {"conv": 1.0},
    "conv": {"conv": 0.8, "pool": 1.2, FLATTEN: 1.0, "dropout": 1.1, "batch_norm": 1.2},
    "pool": {"conv": 1.1, FLATTEN: 1.0, "batch_norm": 1.1},
    "batch_norm": {"conv": 1.1, "pool": 1.1, "dropout": 1.0, FLATTEN: 1.0},
    "dropout": {"conv": 1.1, "pool": 1.0, FLATTEN: 1.0, "batch_norm": 1.1},
    FLATTEN: {"dense": 1.0, OUTPUT: 0.8, "batch_norm_flat": 0.9},
    "dense": {"dense": 0.8, "dropout_flat": 1.2, "batch_norm_flat": 1.2, OUTPUT: 1.0},
    "dropout_flat": {"dense": 1.0, "batch_norm_flat": 1.0, OUTPUT: 0.9},
    "batch_norm_flat": {"dense": 1.1, "dropout_flat": 1.1, OUTPUT: 0.9},
}
"""Node type -> what may follow it, with the heuristic value eta of the step: the authors' settings."""


@dataclass(frozen=True)
class Node:
    """One layer of a chain: its type and the value of each of the type's attributes, in the table's order."""

    type: str
    values: tuple[Value, ...] = ()

    @property
    def text(self) -> str:
        """`conv(16,3)`, `flatten`."""
        return self.type + (f"({','.join(str(value) for value in self.values)})" if self.values else "")


@dataclass(frozen=True)
class Place:
    """Type of the last node, and its result: (channels, height, width) while spatial, then (features,)."""

    type: str
    shape: tuple[int, ...]

    @property
    def spatial(self) -> bool:
        return self.type in SPATIAL

    @property
    def side(self) -> int:
        """The shorter side of the map."""
        return min(self.shape[1:])


class NodeTable:
    """What may follow what. `attributes`: type -> attribute -> its values; `heuristics`: type -> following type -> eta."""

    def __init__(self, attributes: Mapping[str, Mapping[str, Sequence[Value]]], heuristics: Mapping[str, Mapping[str, float]]) -> None:
        self.attributes = {kind: {name: tuple(values) for name, values in items.items()} for kind, items in attributes.items()}
        self.heuristics = {kind: dict(items) for kind, items in heuristics.items()}

    def moves(self, place: Place) -> dict[str, float]:
        """Types that may follow, with their eta. A pooling needs a map of at least its window."""
        following = self.heuristics.get(place.type, {})
        return {kind: eta for kind, eta in following.items() if kind != "pool" or place.side >= POOL_SIZE}

    def values(self, place: Place, kind: str) -> dict[str, tuple[Value, ...]]:
        """The values that each attribute of a node of type `kind` may take at `place`, never none.

        Two values that would make the same layer are not both offered: a kernel that reaches further than the map in every position
        (its outer weights see padding only), a stride whose only window a smaller stride has as well.
        """
        offered = dict(self.attributes.get(kind, {}))
        if kind == "conv":
            kernels = offered["kernel"]
            offered["kernel"] = tuple(k for k in kernels if int(k) // 2 < place.side) or (min(kernels),)
        elif kind == "pool":
            strides = offered["stride"]
            distinct = {pooled(place.shape, int(stride)): stride for stride in sorted(strides, reverse=True)}
            single = (place.shape[0], 1, 1)
            offered["stride"] = tuple(s for s in strides if pooled(place.shape, int(s)) != single or distinct[single] == s)
        return offered

    def variants(self, place: Place, kind: str) -> Iterator[Node]:
        """Every node of type `kind` that is legal at `place`."""
        for values in itertools.product(*self.values(place, kind).values()):
            yield Node(kind, values)

    def after(self, place: Place, node: Node) -> Place:
        """Where a legal node leads."""
        shape = place.shape
        if node.type == "conv":
            shape = (int(self.value(node, "filters")), *shape[1:])
        elif node.type == "pool":
            shape = pooled(shape, int(self.value(node, "stride")))
        elif node.type == FLATTEN:
            shape = (shape[0] * shape[1] * shape[2],)
        elif node.type == "dense":
            shape = (int(self.value(node, "units")),)
        return Place(node.type, shape)

    def allows(self, place: Place, node: Node) -> bool:
        if node.type not in self.moves(place) or node.type == OUTPUT:
            return False
        offered = list(self.values(place, node.type).values())
        # Of JSON's 1, 1.0 and true only the table's own is the value: they would be different texts of one network.
        return len(node.values) == len(offered) and all(
            any(value == choice and type(value) is type(choice) for choice in choices)
            for value, choices in zip(node.values, offered, strict=True)
        )

    def value(self, node: Node, attribute: str) -> Value:
        return node.values[list(self.attributes[node.type]).index(attribute)]

    def named(self, node: Node) -> dict[str, Value]:
        """Attribute -> value."""
        return dict(zip(self.attributes.get(node.type, {}), node.values, strict=True))

    def read(self, text: str) -> Node | None:
        """Undo `Node.text`; None for a text that is no node of this table (whether it is legal somewhere is not asked)."""
        found = re.fullmatch(r"(\w+)(?:\(([^()]*)\))?", text.strip())
        if found is None or found[1] not in TITLES:
            return None
        texts = found[2].split(",") if found[2] else []
        offered = list(self.attributes.get(found[1], {}).values())
        if len(texts) != len(offered):
            return None
        values = []
        for given, known in zip(texts, offered, strict=True):
            match = [value for value in known if str(value) == given.strip()]
            if not match:
                return None
            values.append(match[0])
        return Node(found[1], tuple(values))


def pooled(shape: tuple[int, ...], stride: int) -> tuple[int, ...]:
    """(C, H, W) after a pooling of that stride."""
    return (shape[0], *((side - POOL_SIZE) // stride + 1 for side in shape[1:]))
