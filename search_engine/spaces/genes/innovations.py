"""Historical markings (Stanley & Miikkulainen 2002, section 3.2): equal inventions get equal numbers, for a whole run.

A connection is known by the nodes it joins. Splitting a connection is known by the connection and by how often this genome has split
it before: a split edge that was enabled again may be split again, into another node. Keeping the table for the whole run (not only
for one generation) lets any two genomes be laid over each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np


class Innovations:
    """Numbers for nodes and edges; `fixed` nodes (0 .. fixed - 1) were there from the start.

    >>> table = Innovations(fixed=2, first_innovation=1)
    >>> table.connection(0, 2), table.connection(0, 2), table.connection(2, 1)
    (1, 1, 2)
    >>> table.split(0, present=()), table.split(0, present=()), table.split(0, present={2})
    (2, 2, 3)
    """

    def __init__(self, fixed: int, first_innovation: int = 0) -> None:
        self._fixed = fixed
        self.next_node = fixed
        self.next_innovation = first_innovation
        self._connections: dict[tuple[int, int], int] = {}
        self._splits: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self._connections) + len(self._splits)

    def connection(self, source: int, target: int) -> int:
        """The innovation number of the edge source -> target."""
        number = self._connections.get((source, target))
        if number is None:
            number = self._connections[source, target] = self.next_innovation
            self.next_innovation += 1
        return number

    def split(self, innovation: int, present: Collection[int]) -> int:
        """The node that splits edge `innovation` in a genome whose nodes are `present`: the first such invention that it does not have."""
        times = 0
        while (node := self._splits.get((innovation, times))) is not None and node in present:
            times += 1
        if node is None:
            node = self._splits[innovation, times] = self.next_node
            self.next_node += 1
        return node

    def know(self, connections: Iterable[tuple[int, int, int]]) -> None:
        """Edges (source, target, innovation number) that were made elsewhere; one that is known already keeps its number."""
        for source, target, number in connections:
            self._connections.setdefault((source, target), number)

    def go_on_after(self, nodes: Collection[int], innovations: Collection[int]) -> None:
        """Give no number that one of these has: for a change of a single genome, where no table is kept."""
        self.next_node = max([self.next_node, *(node + 1 for node in nodes)])
        self.next_innovation = max([self.next_innovation, *(number + 1 for number in innovations)])

    def keep(self, alive: Collection[int]) -> None:
        """Drop inventions whose nodes no living genome carries, so that the table stays as small as the population.

        Numbers are never given again, so an invention made anew later is simply a new one.
        """
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
