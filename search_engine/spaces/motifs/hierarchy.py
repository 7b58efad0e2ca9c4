"""How many motifs of how many nodes there are on each level, and the entries that say what lies between two nodes of a motif.

Source: Liu, Simonyan, Vinyals, Fernando, Kavukcuoglu, "Hierarchical Representations for Efficient Architecture Search", ICLR 2018
(arXiv:1711.00436), section 2. Level 1 are the primitives. A motif of level l is a graph of nodes 1 .. n whose entry (i, j), j < i, names
the motif of level l - 1 (or the primitive) that leads from node j to node i, or none. The last level has one motif: the cell.

*Entries* are the numbers of all of them in a row: level by level from the second, motif by motif, node i from 2, predecessor j from 1.
0 is none; k is primitive k, or motif k of the level below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

Entries = Sequence[int]
NONE = 0


@dataclass(frozen=True)
class Slot:
    """The place of an entry. Everything counts from 1, so the lowest level that has entries is 2."""

    level: int
    motif: int
    successor: int
    predecessor: int


@dataclass(frozen=True)
class Level:
    """The motifs of one level: `motifs` graphs of `nodes` nodes each."""

    motifs: int
    nodes: int

    @property
    def slots(self) -> int:
        """Entries of one motif: the pairs of its nodes."""
        return self.nodes * (self.nodes - 1) // 2


@dataclass(frozen=True)
class Hierarchy:
    """The levels from the second to the last, which has one motif.

    >>> published = Hierarchy((Level(6, 4), Level(1, 5)))
    >>> len(published.slots), published.slots[0], published.slots[-1]
    (46, Slot(level=2, motif=1, successor=2, predecessor=1), Slot(level=3, motif=1, successor=5, predecessor=4))
    >>> published.slots[published.place(2, 6, 4, 1)]
    Slot(level=2, motif=6, successor=4, predecessor=1)
    """

    levels: tuple[Level, ...]

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The place of each entry, in order."""
        return tuple(
            Slot(number, motif, successor, predecessor)
            for number, level in enumerate(self.levels, start=2)
            for motif in range(1, level.motifs + 1)
            for successor in range(2, level.nodes + 1)
            for predecessor in range(1, successor)
        )

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where the entries of each level begin, the second first."""
        starts = [0]
        for level in self.levels:
            starts.append(starts[-1] + level.motifs * level.slots)
        return tuple(starts[:-1])

    def start(self, level: int, motif: int) -> int:
        """Where the entries of a motif begin."""
        return self.starts[level - 2] + (motif - 1) * self.levels[level - 2].slots

    def place(self, level: int, motif: int, successor: int, predecessor: int) -> int:
        """Undo `slots`."""
        return self.start(level, motif) + (successor - 1) * (successor - 2) // 2 + predecessor - 1

    def entry(self, entries: Entries, level: int, motif: int, successor: int, predecessor: int) -> int:
        return entries[self.place(level, motif, successor, predecessor)]

    @property
    def top(self) -> int:
        """The number of the last level."""
        return len(self.levels) + 1

    def chain(self, operation: int) -> tuple[int, ...]:
        """Every motif a chain: primitive `operation` between neighbours on level 2, the first motif of the level below on the others."""
        return tuple(
            (operation if slot.level == 2 else 1) if slot.predecessor == slot.successor - 1 else NONE for slot in self.slots
        )

    # ---- what carries a signal

    def carries(self, entries: Entries) -> bool:
        """Whether a path leads from the input of the cell to its output."""
        below: list[bool] = []
        for number, level in enumerate(self.levels, start=2):
            below = [self.path_in(entries, number, motif, below) for motif in range(1, level.motifs + 1)]
        return below[0]

    def path_in(self, entries: Entries, level: int, motif: int, below: Sequence[bool]) -> bool:
        """Whether a path leads through one motif; `below`: whether one leads through each motif of the level below (of level 2: nothing,
        every primitive but none carries)."""
        at = self.start(level, motif)
        reached = [True]
        for _ in range(1, self.levels[level - 2].nodes):
            here = False
            for source in reached:
                entry = entries[at]
                at += 1
                here = here or (source and entry != NONE and (level == 2 or below[entry - 1]))
            reached.append(here)
        return reached[-1]

    # ---- what is used

    def uses(self, entries: Entries) -> list[list[int]]:
        """How often each motif stands in the cell, level by level from the second: 1 for the cell itself."""
        counts = [[0] * level.motifs for level in self.levels]
        counts[-1][0] = 1
        for level in range(self.top, 2, -1):
            for motif, times in enumerate(counts[level - 2], start=1):
                start = self.start(level, motif)
                for entry in entries[start : start + self.levels[level - 2].slots]:
                    if entry != NONE:
                        counts[level - 3][entry - 1] += times
        return counts

    def operations(self, entries: Entries) -> int:
        """How many edges with an operation the flattened graph has: of each motif the operations of its entries, each with those of the
        motif that it names."""
        below: list[int] = []
        for number, level in enumerate(self.levels, start=2):
            counts = []
            for motif in range(1, level.motifs + 1):
                start = self.start(number, motif)
                named = [entry for entry in entries[start : start + level.slots] if entry != NONE]
                counts.append(len(named) if number == 2 else sum(below[entry - 1] for entry in named))
            below = counts
        return below[0]
