"""A schema: alleles at some loci, anything at the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Locus = int | str
"""The number of a decision, or a gene's name where genomes grow."""
Allele = int | str
Genes = Mapping[Locus, Allele]
"""An individual, as far as schemata see it. A locus that it lacks matches no allele."""


@dataclass(frozen=True)
class Schema:
    """`fixed`: (locus, allele), each locus once.

    >>> schema = Schema(((0, 1), (4, 0)))
    >>> schema.order, schema.matches({0: 1, 1: 1, 4: 0}), schema.matches({0: 1})
    (2, True, False)
    """

    fixed: tuple[tuple[Locus, Allele], ...]

    @property
    def order(self) -> int:
        """How many loci are fixed."""
        return len(self.fixed)

    @property
    def loci(self) -> tuple[Locus, ...]:
        return tuple(locus for locus, _ in self.fixed)

    def matches(self, genes: Genes) -> bool:
        return all(genes.get(locus) == allele for locus, allele in self.fixed)

    def with_one(self, locus: Locus, allele: Allele) -> Schema:
        """One order higher."""
        return Schema(tuple(sorted([*self.fixed, (locus, allele)], key=lambda item: str(item[0]).zfill(9))))

    def to_tree(self) -> list[list[Any]]:
        return [[locus, allele] for locus, allele in self.fixed]

    @classmethod
    def from_tree(cls, tree: Iterable[Sequence[Any]]) -> Schema:
        return cls(tuple((locus, allele) for locus, allele in tree))


class Matcher:
    """Which of many schemata an individual matches, at the cost of its loci and not of the schemata: one bit each, and for every locus the
    bits of those that its allele rules out.

    >>> several = [Schema(((0, 1),)), Schema(((0, 2), (1, 1))), Schema(((1, 1),))]
    >>> Matcher(several)({0: 1, 1: 1}).tolist(), Matcher(several)({0: 2}).tolist()
    ([1.0, 0.0, 1.0], [0.0, 0.0, 0.0])
    """

    def __init__(self, schemata: Sequence[Schema]) -> None:
        self.count = len(schemata)
        self._bytes = (self.count + 7) // 8
        fixing: dict[Locus, int] = {}
        wanting: dict[tuple[Locus, Allele], int] = {}
        for place, schema in enumerate(schemata):
            for locus, allele in schema.fixed:
                fixing[locus] = fixing.get(locus, 0) | 1 << place
                wanting[locus, allele] = wanting.get((locus, allele), 0) | 1 << place
        self._fixing, self._wanting = list(fixing.items()), wanting

    def __call__(self, genes: Genes) -> Array:
        """(schemata,) of zeros and ones, as floats."""
        out = 0
        for locus, mask in self._fixing:
            out |= mask & ~self._wanting.get((locus, genes.get(locus, _LACKING)), 0)
        bits = np.unpackbits(np.frombuffer(out.to_bytes(self._bytes, "little"), dtype=np.uint8), count=self.count, bitorder="little")
        return 1.0 - bits


_LACKING = ""
"""An allele that nobody has."""


def mask(text: str) -> Schema:
    """A schema of bit strings as it is written, places from 0.

    >>> mask("1**0*").fixed
    ((0, '1'), (3, '0'))
    """
    return Schema(tuple((place, sign) for place, sign in enumerate(text) if sign != "*"))


def defining_length(schema: Schema) -> int:
    """Distance of the outermost fixed places of a string.

    >>> defining_length(mask("*1**0*")), defining_length(mask("**1")), defining_length(mask("***"))
    (3, 0, 0)
    """
    places = [int(locus) for locus in schema.loci]
    return max(places) - min(places) if places else 0
