"""A growing network as a graph of nodes: shapes, parameters, FLOPs. Torch-free.

| node | inputs | gives |
| --- | --- | --- |
| `conv` | an image of features | convolution (sides kept), batch normalisation if `norm` (else a bias), ReLU |
| `pool` | an image of features | 2 x 2 maximum |
| `dropout` | anything | dropout with `rate` |
| `concat` | several, of equal sides | their channels one behind the other |
| `add` | two of equal shape, f and h | λ f + (1 - λ) h with a trainable λ |
| `flatten` | an image of features | a vector, channel by channel |
| `dense` | a vector | linear layer, batch normalisation if `norm` (else a bias), ReLU |
| `output` | a vector | linear layer with a bias: the logits |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from search_engine.base.errors import BadInput

IMAGE = 0
"""The number of the network's input."""
WEIGHTED = ("conv", "dense", "output")
POOL = 2

FIELDS = {
    "conv": ("width", "kernel", "norm"), "dense": ("width", "norm"), "dropout": ("rate",),
    "pool": (), "concat": (), "add": (), "flatten": (), "output": (),
}
"""What a node says beside `id`, `op` and `inputs`."""


@dataclass(frozen=True)
class Node:
    """`width`: filters or units of a `conv` or `dense`."""

    id: int
    op: str
    inputs: tuple[int, ...]
    width: int = 0
    kernel: int = 0
    norm: bool = False
    rate: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "op": self.op, "inputs": list(self.inputs), **{name: getattr(self, name) for name in FIELDS[self.op]}}

    @property
    def label(self) -> str:
        """What it does, for people and for comparing."""
        if self.op == "conv":
            return f"conv {self.width} {self.kernel}x{self.kernel}{'' if self.norm else ' bias'}"
        if self.op == "dense":
            return f"dense {self.width}{' norm' if self.norm else ''}"
        return f"dropout {self.rate:g}" if self.op == "dropout" else self.op


@dataclass(frozen=True)
class Flow:
    """The shape of what flows: (channels, height, width) of an image of features; a vector has no sides."""

    channels: int
    height: int = 0
    width: int = 0

    @property
    def is_image(self) -> bool:
        return self.height > 0

    @property
    def sides(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def size(self) -> int:
        return self.channels * self.height * self.width if self.is_image else self.channels

    @property
    def text(self) -> str:
        return f"{self.channels}×{self.height}×{self.width}" if self.is_image else str(self.channels)


@dataclass(frozen=True)
class Size:
    """Of a network: trainable numbers, and operations of one forward pass over one example (2 x multiplications)."""

    parameters: int
    flops: float


class Network:
    """Nodes in computing order, for images of `image` (channels, height, width) and so many classes.

    Raises BadInput(field "genome") for anything that cannot be computed so.
    """

    def __init__(self, nodes: Iterable[Node], image: tuple[int, ...], classes: int) -> None:
        self.nodes = tuple(nodes)
        self.image = image
        self.classes = classes
        self.flows: dict[int, Flow] = {IMAGE: Flow(*image)}
        for node in self.nodes:
            self.flows[node.id] = self._flow(node)
        if not self.nodes or self.nodes[-1].op != "output" or sum(node.op == "output" for node in self.nodes) != 1:
            raise BadInput("genome", "the last node, and no other, is the output")
        unread = [node.id for node in self.nodes[:-1] if not self.readers(node.id)]
        if unread:
            raise BadInput("genome", f"nobody reads node {unread[0]}")

    @classmethod
    def from_json(cls, content: Any, image: tuple[int, ...], classes: int) -> Network:
        """Undo `to_json`."""
        try:
            nodes = [_node(entry) for entry in content["nodes"]]
        except (TypeError, KeyError):
            raise BadInput("genome", "a network here is {'nodes': [{'id', 'op', 'inputs', ...}, ...]}") from None
        return cls(nodes, image, classes)

    def to_json(self) -> dict[str, Any]:
        return {"nodes": [node.to_json() for node in self.nodes]}

    def with_nodes(self, nodes: Iterable[Node]) -> Network:
        """Another network for the same data."""
        return Network(nodes, self.image, self.classes)

    # ---- looking around

    @cached_property
    def by_id(self) -> Mapping[int, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def _readers(self) -> Mapping[int, tuple[Node, ...]]:
        found: dict[int, list[Node]] = {number: [] for number in self.flows}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                found[source].append(node)
        return {number: tuple(readers) for number, readers in found.items()}

    def readers(self, number: int) -> tuple[Node, ...]:
        """The nodes that read a node, in computing order."""
        return self._readers[number]

    @property
    def output(self) -> Node:
        return self.nodes[-1]

    @property
    def next_id(self) -> int:
        return max(self.flows) + 1

    @property
    def layers(self) -> int:
        """Convolutions and dense layers, the classifier included."""
        return sum(node.op in WEIGHTED for node in self.nodes)

    @cached_property
    def after(self) -> Mapping[int, frozenset[int]]:
        """By node: itself and everything that hangs on it."""
        found: dict[int, set[int]] = {}
        for node in reversed(self.nodes):
            found[node.id] = {node.id}.union(*(found[reader.id] for reader in self.readers(node.id)))
        return {number: frozenset(nodes) for number, nodes in found.items()}

    def never_negative(self, number: int) -> bool:
        """Whether a ReLU changes nothing of what the node gives. A weighted sum may turn negative once its λ is trained."""
        if number == IMAGE:
            return False
        node = self.by_id[number]
        if node.op in ("conv", "dense"):
            return True
        return node.op in ("pool", "dropout", "concat", "flatten") and all(self.never_negative(source) for source in node.inputs)

    def layer_inputs(self, node: Node) -> int:
        """Channels (or features) that a weighted node reads."""
        return self.flows[node.inputs[0]].channels

    @cached_property
    def size(self) -> Size:
        """In closed form, from the shapes alone."""
        parameters, flops = 0, 0.0
        for node in self.nodes:
            if node.op in WEIGHTED:
                flow = self.flows[node.id]
                weights = self.layer_inputs(node) * flow.channels * (node.kernel**2 if node.op == "conv" else 1)
                parameters += weights + flow.channels * (2 if node.norm else 1)
                flops += 2.0 * weights * (flow.height * flow.width if flow.is_image else 1)
            parameters += node.op == "add"
        return Size(parameters, flops)

    # ---- one node

    def _flow(self, node: Node) -> Flow:
        name = f"node {node.id} ({node.op})"
        if node.id in self.flows:
            raise BadInput("genome", f"there are two nodes {node.id}")
        for source in node.inputs:
            if source not in self.flows:
                raise BadInput("genome", f"{name} reads node {source}, which does not stand before it")
        given = [self.flows[source] for source in node.inputs]
        several = {"concat": len(given) >= 2, "add": len(given) == 2}
        if not several.get(node.op, len(given) == 1):
            raise BadInput("genome", f"{name} cannot have {len(given)} inputs")
        first = given[0]
        wants_image = {"conv": True, "pool": True, "flatten": True, "dense": False, "output": False}
        if first.is_image != wants_image.get(node.op, first.is_image):
            raise BadInput("genome", f"{name} cannot read {'an image' if first.is_image else 'a vector'}")
        if node.op == "conv":
            return Flow(node.width, *first.sides)
        if node.op == "pool":
            if min(first.sides) < POOL:
                raise BadInput("genome", f"{name} has nothing left to pool: {first.text}")
            return Flow(first.channels, first.height // POOL, first.width // POOL)
        if node.op == "flatten":
            return Flow(first.size)
        if node.op == "dense":
            return Flow(node.width)
        if node.op == "output":
            return Flow(self.classes)
        if any(flow.sides != first.sides for flow in given):
            raise BadInput("genome", f"{name} joins unequal sides: {', '.join(flow.text for flow in given)}")
        if node.op == "concat":
            return Flow(sum(flow.channels for flow in given), *first.sides)
        if node.op == "add" and given[1] != first:
            raise BadInput("genome", f"{name} joins unequal shapes: {', '.join(flow.text for flow in given)}")
        return first


def _node(entry: Any) -> Node:
    op = entry["op"]
    if op not in FIELDS:
        raise BadInput("genome", f"op is one of {', '.join(FIELDS)}, not {op!r}")
    wanted = {"id", "op", "inputs", *FIELDS[op]}
    if set(entry) != wanted:
        raise BadInput("genome", f"a {op} has {', '.join(sorted(wanted))}, not {', '.join(sorted(map(str, entry)))}")
    numbers = [entry["id"], *entry["inputs"], *(entry[name] for name in ("width", "kernel") if name in entry)]
    if any(type(number) is not int or number < 0 for number in numbers) or entry.get("width", 1) < 1 or entry.get("kernel", 1) < 1:
        raise BadInput("genome", f"id, inputs, width and kernel of a {op} are whole numbers, the last two from 1 on")
    if not isinstance(entry.get("norm", False), bool) or not 0 <= entry.get("rate", 0.0) < 1:
        raise BadInput("genome", f"of a {op} norm is true or false, and rate from 0 to below 1")
    return Node(**{**entry, "inputs": tuple(entry["inputs"])})


def rewired(node: Node, old: int, new: int) -> Node:
    """The node, reading `new` where it read `old`."""
    return replace(node, inputs=tuple(new if source == old else source for source in node.inputs))
