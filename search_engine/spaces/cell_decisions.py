"""DARTS cells as a list of decisions, in the manner of ENAS' micro search space (Pham et al. 2018, section 2.4).

Cell by cell and node by node: first the *pair* of states that the node reads (one decision, so that a list is a genotype exactly once:
two free inputs would name every pair twice), then the operation on the earlier of the two, then the one on the later. A node's place is
complete after its last decision; later pairs refer to it by its anchor `<cell>:<node>`. The anchors of the cell's two inputs, such as
`normal:c_{k-2}`, belong to no decision: nothing was decided about them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..base.errors import BadInput
from .cell_family import INPUTS
from .decisions import Choices, Decision, DecisionList

Edge = tuple[str, str, str]
"""(source, target, operation)."""
PER_NODE = 3
"""Decisions of one node: its inputs and two operations."""


@dataclass(frozen=True)
class CellDecisions:
    """The decisions of cells of `nodes` nodes, in order, and the way from choice lists to edges and back."""

    cells: tuple[str, ...]
    nodes: int
    operations: tuple[str, ...]

    def _places(self) -> Iterator[tuple[str, int]]:
        """(cell, node) in the order of decision."""
        return itertools.product(self.cells, range(self.nodes))

    def pairs(self, node: int) -> list[tuple[str, str]]:
        """What node number `node` may read, in order of the choices: earlier states first."""
        states = (*INPUTS, *(str(earlier) for earlier in range(node)))
        return list(itertools.combinations(states, 2))

    @cached_property
    def decisions(self) -> DecisionList:
        return DecisionList([decision for cell, node in self._places() for decision in self._of_node(cell, node)])

    def _of_node(self, cell: str, node: int) -> Iterator[Decision]:
        pairs, place = self.pairs(node), f"{cell}:{node}"
        title = f"{cell.capitalize()} cell, node {node}"
        yield Decision(
            key=f"{place}:inputs",
            title=f"{title}: inputs",
            # Nodes with equally many earlier states ask the same question, in either cell.
            kind=f"inputs_of_{node + len(INPUTS)}",
            choices=tuple(" + ".join(pair) for pair in pairs),
            selects=tuple(tuple(f"{cell}:{state}" for state in pair) for pair in pairs),
        )
        for number, which in enumerate(("earlier", "later")):
            yield Decision(
                key=f"{place}:operation{number}",
                title=f"{title}: operation on the {which} input",
                kind="operation",
                choices=self.operations,
                anchor=place if number == 1 else None,
            )

    def edges_of(self, choices: Sequence[int | None]) -> dict[str, list[Edge]]:
        """Each cell's edges. Raises BadInput(field "genome") for a list that is none of this space."""
        self.decisions.validate(choices)
        taken = [choice for choice in choices if choice is not None]
        cells: dict[str, list[Edge]] = {cell: [] for cell in self.cells}
        for first, (cell, node) in zip(range(0, len(taken), PER_NODE), self._places(), strict=True):
            sources = self.pairs(node)[taken[first]]
            for source, operation in zip(sources, taken[first + 1 : first + PER_NODE], strict=True):
                cells[cell].append((source, str(node), self.operations[operation]))
        return cells

    def choices_of(self, cells: dict[str, list[Edge]]) -> Choices:
        """Undo `edges_of`, where each cell's edges are sorted by target and source.

        Raises BadInput(field "genome") where a node has both its operations on one edge: such a cell is admissible, but the decisions
        give a node two different inputs.
        """
        choices: list[int] = []
        for cell, node in self._places():
            (one, _, left), (two, _, right) = (edge for edge in cells[cell] if edge[1] == str(node))
            if one == two:
                raise BadInput(
                    "genome", f"node {node} of the {cell} cell reads '{one}' twice; as decisions a node has two different inputs"
                )
            choices += [self.pairs(node).index((one, two)), self.operations.index(left), self.operations.index(right)]
        return tuple(choices)
