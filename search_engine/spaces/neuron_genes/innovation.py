"""Historical markings (Stanley & Miikkulainen 2002, section 3.2): equal inventions get equal numbers, for a whole run.

A connection is known by the nodes it joins. Splitting a connection is known by the connection and by how often this genome has split
it before: a split edge that was enabled again may be split again, into another node. Keeping the table for the whole run (not only
for one generation) lets two champions be laid over each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .genes import Genes


class InnovationTable:
    """Numbers for nodes and edges. Direct edges have theirs by formula (see `genes`), all others come from here."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self._fixed = inputs + 1 + outputs
        self.next_node = self._fixed
        self.next_innovation = (inputs + 1) * outputs
        self._connections: dict[tuple[int, int], int] = {}
        self._splits: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self._connections) + len(self._splits)

    def connection(self, genes: Genes, source: int, target: int) -> int:
        """The innovation number of the edge source -> target."""
        if source <= genes.inputs and target < genes.first_hidden:
            return genes.direct_number(source, target)
        number = self._connections.get((source, target))
        if number is None:
            number = self._connections[source, target] = self.next_innovation
            self.next_innovation += 1
        return number

    def split(self, genes: Genes, innovation: int) -> int:
        """The node that splits edge `innovation` in this genome: the first such invention that the genome does not have yet."""
        present = set(genes.nodes.tolist())
        times = 0
        while (node := self._splits.get((innovation, times))) is not None and node in present:
            times += 1
        if node is None:
            node = self._splits[innovation, times] = self.next_node
            self.next_node += 1
        return node

    def forget(self, living: Iterable[Genes]) -> None:
        """Drop inventions that no living genome carries, so that the table stays as small as the population.

        Numbers are never given again, so an invention made anew later is simply a new one.
        """
        alive = {node for genes in living for node in genes.nodes.tolist()}
        self._splits = {key: node for key, node in self._splits.items() if node in alive}
        self._connections = {
            pair: number for pair, number in self._connections.items() if all(node < self._fixed or node in alive for node in pair)
        }

    def state_dict(self) -> dict[str, Any]:
        return {
            "next": [self.next_node, self.next_innovation],
            "connections": np.array([[*pair, number] for pair, number in self._connections.items()], dtype=np.int64).reshape(-1, 3),
            "splits": np.array([[*key, node] for key, node in self._splits.items()], dtype=np.int64).reshape(-1, 3),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.next_node, self.next_innovation = state["next"]
        self._connections = {(source, target): number for source, target, number in state["connections"].tolist()}
        self._splits = {(innovation, times): node for innovation, times, node in state["splits"].tolist()}
