"""From a genome to its neighbour: exactly one entry takes another value.

Source: Liu et al. 2018 (arXiv:1711.00436), section 3.1: a level that is not the primitives', a motif of it, a successor node and one of its
predecessors are drawn, each evenly, and the operation between them is replaced by another one, none included: one operator that adds,
changes and removes edges. So entries are not drawn evenly: in the published hierarchy one of the cell's is hit with a probability of
.031 to .125, one of a motif of level 2 with .0093 to .028.

A step after which no path leads through the cell any more is drawn again, and counted as rejected. Where none led before, any step is
right.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from .hierarchy import NONE, Entries, Hierarchy, Slot


@dataclass(frozen=True)
class Step:
    """One entry changed from `old` to `new`."""

    slot: Slot
    old: int
    new: int
    rejected: int = 0
    """Draws before this one that would have cut the last path."""


class Walk:
    """Entries that are changed step by step.

    >>> from search_engine.spaces.motifs.hierarchy import Level
    >>> hierarchy = Hierarchy((Level(6, 4), Level(1, 5)))
    >>> before = hierarchy.chain(1)
    >>> walk = Walk(hierarchy, before, operations=7)
    >>> step = walk.step(random.Random(0))
    >>> [place for place, entry in enumerate(walk.entries) if entry != before[place]] == [hierarchy.slots.index(step.slot)]
    True
    """

    def __init__(self, hierarchy: Hierarchy, entries: Entries, operations: int) -> None:
        """`operations`: how many primitives there are, none included."""
        self.hierarchy = hierarchy
        self.entries = list(entries)
        self._operations = operations
        self._open = hierarchy.carries(self.entries)

    def step(self, rng: random.Random) -> Step:
        """Change one entry, and never so that the last path is cut."""
        rejected = 0
        while True:
            slot, new = self._draw(rng)
            place = self.hierarchy.place(slot.level, slot.motif, slot.successor, slot.predecessor)
            old = self.entries[place]
            self.entries[place] = new
            # From one primitive to another no path is lost.
            carries = (self._open and slot.level == 2 and new != NONE) or self.hierarchy.carries(self.entries)
            if carries or not self._open:
                self._open = carries
                return Step(slot, old, new, rejected)
            self.entries[place] = old
            rejected += 1

    def _draw(self, rng: random.Random) -> tuple[Slot, int]:
        hierarchy = self.hierarchy
        level = rng.randrange(2, hierarchy.top + 1)
        motif = rng.randrange(1, hierarchy.levels[level - 2].motifs + 1)
        successor = rng.randrange(2, hierarchy.levels[level - 2].nodes + 1)
        predecessor = rng.randrange(1, successor)
        choices = self._operations if level == 2 else hierarchy.levels[level - 3].motifs + 1
        old = hierarchy.entry(self.entries, level, motif, successor, predecessor)
        new = rng.randrange(choices - 1)
        return Slot(level, motif, successor, predecessor), new + (new >= old)


def draw_rates(hierarchy: Hierarchy) -> list[float]:
    """How likely a step draws each slot.

    >>> from search_engine.spaces.motifs.hierarchy import Level
    >>> rates = draw_rates(Hierarchy((Level(6, 4), Level(1, 5))))
    >>> round(min(rates), 4), max(rates), round(sum(rates), 9)
    (0.0093, 0.125, 1.0)
    """
    levels = len(hierarchy.levels)
    return [
        1 / (levels * level.motifs * (level.nodes - 1) * (slot.successor - 1))
        for slot in hierarchy.slots for level in (hierarchy.levels[slot.level - 2],)
    ]


def change_rates(hierarchy: Hierarchy, entries: Entries, operations: int) -> list[float]:
    """How likely a step from `entries` changes each slot: as likely as it draws it, among the draws that are not rejected. A slot that is
    drawn always changes."""
    drawn = draw_rates(hierarchy)
    if not hierarchy.carries(entries):
        return drawn
    taken = []
    changed = list(entries)
    for place, (slot, rate) in enumerate(zip(hierarchy.slots, drawn, strict=True)):
        choices = operations if slot.level == 2 else hierarchy.levels[slot.level - 3].motifs + 1
        others = [entry for entry in range(choices) if entry != entries[place]]
        sound = 0
        for entry in others:
            if slot.level == 2 and entry != NONE:
                sound += 1
                continue
            changed[place] = entry
            sound += hierarchy.carries(changed)
        changed[place] = entries[place]
        taken.append(rate * sound / len(others))
    whole = sum(taken)
    return [rate / whole for rate in taken]
