"""The genome of a neuron graph: nodes with activations, edges with innovation numbers, enabled or disabled.

Node ids: 0 is the bias, 1 .. inputs are the inputs, then come the outputs, then hidden nodes in order of invention. Outputs are linear.

All (inputs + 1) x outputs direct edges exist as genes from the start (Gaier & Ha 2019, section 3.2), most of them disabled. Those never
enabled are not stored: the direct edge from input i to output number o has the innovation number i * outputs + o, so the pool that
`enable` draws from is known without a list. Once enabled, such an edge is stored for good.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from search_engine.base.errors import BadInput

from .activations import NAMES, NUMBERS

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Genes:
    """An immutable neuron graph.

    `nodes` (H,) hidden ids in ascending order, `activations` (H,) their activation numbers; the edge columns `innovation`, `source`,
    `target` (E,) int64 and `enabled` (E,) bool are in ascending order of innovation.
    """

    inputs: int
    outputs: int
    nodes: Array
    activations: Array
    innovation: Array
    source: Array
    target: Array
    enabled: Array

    @property
    def first_output(self) -> int:
        return self.inputs + 1

    @property
    def first_hidden(self) -> int:
        return self.inputs + 1 + self.outputs

    @property
    def direct_edges(self) -> int:
        """How many direct edges there are, enabled, disabled or not stored."""
        return (self.inputs + 1) * self.outputs

    @cached_property
    def connections(self) -> int:
        """Number of enabled edges: the complexity that the search minimises."""
        return int(self.enabled.sum())

    @cached_property
    def pairs(self) -> frozenset[tuple[int, int]]:
        """(source, target) of every stored edge."""
        return frozenset(zip(self.source.tolist(), self.target.tolist(), strict=True))

    @cached_property
    def key(self) -> bytes:
        """Equal exactly for equally written genomes (isomorphic ones may differ)."""
        parts = (self.nodes, self.activations, self.innovation, self.source, self.target, self.enabled)
        return b"".join(len(part).to_bytes(4, "little") + np.ascontiguousarray(part).tobytes() for part in parts)

    def content(self) -> dict[str, Any]:
        """The genome as JSON: hidden nodes [id, activation], edges [innovation, source, target, 1 if enabled else 0]."""
        columns = (self.innovation, self.source, self.target, self.enabled.astype(np.int64))
        return {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "hidden": [[node, NAMES[number]] for node, number in zip(self.nodes.tolist(), self.activations.tolist(), strict=True)],
            "edges": [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)],
        }

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> Genes:
        """Undo `content`. Raises BadInput(field "genome") for anything that is not an acyclic neuron graph."""
        try:
            inputs, outputs = int(content["inputs"]), int(content["outputs"])
            hidden = sorted((int(node), NUMBERS[name]) for node, name in content["hidden"])
            edges = sorted((int(number), int(source), int(target), int(on)) for number, source, target, on in content["edges"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput("genome", f"this is not a neuron graph ({error!r}); it needs inputs, outputs, hidden and edges") from None
        if inputs < 1 or outputs < 1:
            raise BadInput("genome", "a neuron graph needs at least one input and one output")
        columns = np.array(edges, dtype=np.int64).reshape(len(edges), 4)
        genes = cls(
            inputs,
            outputs,
            np.array([node for node, _ in hidden], dtype=np.int64),
            np.array([number for _, number in hidden], dtype=np.int64),
            columns[:, 0].copy(),
            columns[:, 1].copy(),
            columns[:, 2].copy(),
            columns[:, 3].astype(bool),
        )
        genes.validate()
        return genes

    def validate(self) -> None:
        """Raise BadInput(field "genome") unless ids, numbers and the order of layers are sound."""
        hidden = set(self.nodes.tolist())
        if len(hidden) != len(self.nodes) or len(set(self.innovation.tolist())) != len(self.innovation):
            raise BadInput("genome", "a node id or an innovation number appears twice")
        if len(self.pairs) != len(self.source):
            raise BadInput("genome", "two edges join the same two nodes")
        if any(node < self.first_hidden for node in hidden):
            raise BadInput("genome", f"hidden nodes have ids from {self.first_hidden}; the ones below are bias, inputs and outputs")
        for source, target in self.pairs:
            if not (0 <= source <= self.inputs or source in hidden):
                raise BadInput("genome", f"edge {source} -> {target} starts at no bias, input or hidden node")
            if not (self.first_output <= target < self.first_hidden or target in hidden):
                raise BadInput("genome", f"edge {source} -> {target} ends at no output or hidden node")
        for number, source, target in zip(self.innovation.tolist(), self.source.tolist(), self.target.tolist(), strict=True):
            direct = source <= self.inputs and target < self.first_hidden
            if number < 0 or direct != (number < self.direct_edges) or (direct and number != self.direct_number(source, target)):
                raise BadInput("genome", f"edge {source} -> {target} cannot have the innovation number {number}")
        layers(self)

    def direct_number(self, source: int, target: int) -> int:
        """Innovation number of the direct edge from an input (or the bias) to an output."""
        return source * self.outputs + (target - self.first_output)

    def direct_pair(self, number: int) -> tuple[int, int]:
        """Undo `direct_number`."""
        return number // self.outputs, number % self.outputs + self.first_output


def initial_genes(inputs: int, outputs: int, probability: float, rng: random.Random) -> Genes:
    """No hidden node; each direct edge is enabled with `probability`, independently."""
    count = (inputs + 1) * outputs
    innovation = np.array([number for number in range(count) if rng.random() < probability], dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)
    return Genes(
        inputs,
        outputs,
        none,
        none,
        innovation,
        innovation // outputs,
        innovation % outputs + inputs + 1,
        np.ones(len(innovation), dtype=bool),
    )


def layers(genes: Genes) -> dict[int, int]:
    """Layer of every hidden node: 1 + the longest path of hidden nodes before it, over *all* stored edges.

    Disabled edges count, so that enabling one again can never close a cycle. Raises BadInput(field "genome") on a cycle.
    """
    first = genes.first_hidden
    layer = dict.fromkeys(genes.nodes.tolist(), 1)
    before: dict[int, int] = dict.fromkeys(layer, 0)
    after: dict[int, list[int]] = {node: [] for node in layer}
    for source, target in genes.pairs:
        if source >= first and target >= first:
            after[source].append(target)
            before[target] += 1
    ready = [node for node, count in before.items() if count == 0]
    done = 0
    while ready:
        node = ready.pop()
        done += 1
        for target in after[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            before[target] -= 1
            if before[target] == 0:
                ready.append(target)
    if done != len(layer):
        raise BadInput("genome", "the edges close a cycle")
    return layer
