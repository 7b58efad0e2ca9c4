"""Sequences of n numbers from 1 to n: a space without networks, on which searches can be watched without any training.

A genome says one number per place, nothing more. It is the space of the data set `learn_to_count`, where the best sequence is
1, 2, ..., n: what a searcher believes is then a picture with n rows and n columns in which the diagonal lights up.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ..base.errors import BadInput
from .base import SpaceConfig, SpaceEntry
from .decision_space import DecisionSpace
from .decisions import Decision, DecisionList
from .genomes import Genome

if TYPE_CHECKING:
    import networkx as nx


class SequenceConfig(SpaceConfig):
    """Options of the sequences."""

    n: int = Field(
        default=20, ge=2, le=100, title="Length",
        description="How many numbers a sequence has, each from 1 to n: n to the power of n sequences, of which 1, 2, ..., n is the best.",
    )


class SequenceSpace(DecisionSpace[SequenceConfig]):
    """Content: `{"place1": "4", "place2": "1", ...}`.

    >>> from search_engine.spaces.data_shape import NO_INPUT
    >>> space = SequenceSpace(SequenceConfig(n=3), NO_INPUT)
    >>> space.sequence(space.from_string("1 3 2")), space.size()
    ((1, 3, 2), 27)
    """

    id: ClassVar[str] = "sequence"

    @cached_property
    def _decisions(self) -> DecisionList:
        numbers = tuple(str(number) for number in range(1, self.config.n + 1))
        return DecisionList([Decision(f"place{number}", f"Number {number}", "number", numbers) for number in numbers])

    @property
    def decisions(self) -> DecisionList:
        """One per place, in order; all of one kind."""
        return self._decisions

    def sequence(self, genome: Genome) -> tuple[int, ...]:
        """The n numbers, in order."""
        return tuple(int(genome.content[decision.key]) for decision in self.decisions)

    # ---- texts and pictures

    def to_string(self, genome: Genome) -> str:
        """`1 2 3 ...`."""
        return " ".join(str(number) for number in self.sequence(genome))

    def from_string(self, text: str) -> Genome:
        """Undo `to_string`. Raises BadInput(field "genome")."""
        numbers = text.split()
        if len(numbers) != len(self.decisions):
            raise BadInput("genome", f"a sequence has {len(self.decisions)} numbers, not {len(numbers)}")
        genome = Genome(self.id, {decision.key: number for decision, number in zip(self.decisions, numbers, strict=True)})
        self.validate(genome)
        return genome

    def to_graph(self, genome: Genome) -> nx.MultiDiGraph:
        """A chain from the start (0) through the numbers to the end (n + 1), each edge keyed by its step; a number stands as high as it
        is large, so that counting is a straight line."""
        import networkx as nx

        end = self.config.n + 1
        values = (0, *self.sequence(genome), end)
        layout = {str(place): [place / end, 1 - value / end] for place, value in enumerate(values)}
        graph: nx.MultiDiGraph = nx.MultiDiGraph(layout=layout)
        for place, value in enumerate(values):
            kind = "input" if place == 0 else "output" if place == end else "hidden"
            graph.add_node(str(place), label=str(value), kind=kind, match=str(value))
        for place, (before, after) in enumerate(pairwise(values)):
            graph.add_edge(str(place), str(place + 1), key=f"{after - before:+d}", operation=None)
        return graph


ENTRY = SpaceEntry(
    id="sequence",
    title="Sequences of numbers",
    description="n numbers from 1 to n, to be put in order: a toy without networks, for watching how searchers learn.",
    source="Maziarz, Tan, Khorlin, Chang, Gesmundo: Evo-NAS, arXiv 1811.09828 (learn to count)",
    config=SequenceConfig,
    space=SequenceSpace,
    offers=SequenceSpace.offers,
    inputs=frozenset({"none"}),
)
