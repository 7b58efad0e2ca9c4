"""Random architectures, each at most once: drawn while drawing finds new ones, then the rest of the space walked through.

Drawing alone never ends a space: the last architectures are hit ever more rarely, and after any number of vain draws one does not know
whether one is left. So where the genomes can be counted and are few enough to be looked at one by one, the rest is walked through in a
seeded random order (`IndexPermutation`), and "none is left" is what the walk found. The walk's state is one number.

Drawing keeps the law of `space.sample`; the rest comes in a uniform order of genomes. It begins after so many vain draws in a row that its
share of the law is small.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any, Literal

from search_engine.base.generators import derive_seed
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.genomes import Genome

from .index_permutation import IndexPermutation

DRAWS = 1000
"""Vain draws in a row after which the rest of the space is walked through."""
WALKED = 100_000
"""Genomes that a space has at most to be walked through: some seconds of hashing."""


def walkable(space: SearchSpace[Any]) -> int:
    """How many genomes can be looked at one by one; 0 where they cannot be listed, or are too many."""
    if not {"decisions", "enumerate"} & space.offers:
        return 0
    size = space.decisions.size if "decisions" in space.offers else space.size()
    return size if size is not None and size <= WALKED else 0


def all_of(space: SearchSpace[Any]) -> Callable[[int], Genome]:
    """Genome number 0 to `walkable(space)` - 1, each once."""
    if "decisions" in space.offers:
        return lambda index: space.genome_of(space.decisions.unrank(index))
    return list(space.enumerate()).__getitem__


def complete(space: SearchSpace[Any], seen: Iterable[str]) -> bool:
    """Whether `seen` (canonical hashes) are all architectures of the space, as far as that can be known: it looks at every genome until
    one is not among them.

    >>> from search_engine.spaces.data_shape import NO_INPUT
    >>> from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
    >>> space = SequenceSpace(SequenceConfig(n=2), NO_INPUT)
    >>> hashes = {space.hash(genome) for genome in space.enumerate()}
    >>> complete(space, hashes), complete(space, list(hashes)[1:])
    (True, False)
    """
    known = set(seen)
    size = walkable(space)
    genome = all_of(space) if size else None
    if genome is None:
        # Genomes may be one architecture, never the other way round.
        return space.size() == len(known)
    return all(space.hash(genome(index)) in known for index in range(size))


class Unseen:
    """The next random architecture that was not seen.

    >>> from search_engine.spaces.data_shape import NO_INPUT
    >>> from search_engine.spaces.sequence import SequenceConfig, SequenceSpace
    >>> space, rng = SequenceSpace(SequenceConfig(n=3), NO_INPUT), random.Random(0)
    >>> unseen, seen = Unseen(space, space.sample, seed=0, draws=5), set()
    >>> while (found := unseen.next(rng, seen.__contains__)) is not None:
    ...     seen.add(found[1])
    >>> len(seen), unseen.stop_reason
    (27, 'exhausted')
    """

    def __init__(self, space: SearchSpace[Any], draw: Callable[[random.Random], Genome], seed: int, draws: int = DRAWS) -> None:
        """`draw` makes a random genome; `draws` vain ones in a row end the drawing."""
        self._space, self._draw, self._draws = space, draw, draws
        self._seed = derive_seed(seed, "unseen")
        self.position = -1
        """Of the walk: the next place in its order; -1 while genomes are drawn."""

    def next(self, rng: random.Random, seen: Callable[[str], bool]) -> tuple[Genome, str] | None:
        """An architecture whose canonical hash `seen` does not know, and that hash; None where none is found (`stop_reason` says what
        that means)."""
        if not self.walks:
            for _ in range(self._draws):
                genome = self._draw(rng)
                hash_ = self._space.hash(genome)
                if not seen(hash_):
                    return genome, hash_
            if walkable(self._space):
                self.position = 0
        return self._walk(seen) if self.walks else None

    def _walk(self, seen: Callable[[str], bool]) -> tuple[Genome, str] | None:
        size = walkable(self._space)
        order, genome_at = IndexPermutation(size, self._seed), all_of(self._space)
        while self.position < size:
            genome = genome_at(order[self.position])
            self.position += 1
            hash_ = self._space.hash(genome)
            if not seen(hash_):
                return genome, hash_
        return None

    @property
    def walks(self) -> bool:
        """Whether drawing has ended and the rest is walked through."""
        return self.position >= 0

    @property
    def stop_reason(self) -> Literal["exhausted", "repeated"]:
        """What it means that `next` found nothing: every architecture was seen, or only that drawing finds none any more."""
        return "exhausted" if self.walks else "repeated"

    def state_dict(self) -> int:
        return self.position

    def load_state_dict(self, state: int) -> None:
        self.position = state
