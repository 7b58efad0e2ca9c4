"""Which schemata are followed: all of order 1, then those of orders 2 and 3 that grow from the champion.

What is followed is chosen from the population as it stands, before the next generation is drawn: chosen afterwards, it would be what
has just had luck, and the bound would not hold for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .schema import Array, Genes, Locus, Schema

MOST = 200
LOCI = 64
"""So many loci of the champion may be combined: those whose alleles are fittest."""
SHARE_OF_ONE = 0.5
"""Of the schemata, where there are more of order 1 than that; the rest is left for combinations."""


def chosen(population: Sequence[Genes], values: Sequence[float] | Array, leader: int, most: int) -> list[Schema]:
    """At most `most` schemata that somebody matches. `values` may hold NaN for who has none; `leader` is the champion's place.

    >>> population = [{0: "a", 1: "x"}, {0: "a", 1: "y"}, {0: "b", 1: "x"}]
    >>> [schema.fixed for schema in chosen(population, [0.9, 0.5, 0.1], leader=0, most=10)]
    [((0, 'a'),), ((1, 'x'),), ((0, 'b'),), ((1, 'y'),)]
    """
    champion = population[leader]
    counts = Counter(item for genes in population for item in genes.items())
    # The champion's first, then the most frequent.
    singles = sorted(counts, key=lambda item: (champion.get(item[0]) != item[1], -counts[item], str(item[0]).zfill(9), str(item[1])))
    longer = _grown(population, np.nan_to_num(np.asarray(values, dtype=np.float64)), champion, most)
    kept = most if not longer else max(most - len(longer), min(len(singles), int(most * SHARE_OF_ONE)))
    first = [Schema((item,)) for item in singles[:kept]]
    return first + longer[: most - len(first)]


def _grown(population: Sequence[Genes], values: Array, champion: Genes, most: int) -> list[Schema]:
    """Of orders 2 and 3 by turns: each grows by the locus with which those who match are fittest on average; nobody but the champion
    matching, there is nothing to follow."""
    loci = list(champion)
    there = np.array([[genes.get(locus) == champion[locus] for locus in loci] for genes in population], dtype=np.float64)
    if there.size == 0:
        return []
    order = np.argsort(-_means(there, values), kind="stable")[:LOCI]
    loci, there = [loci[place] for place in order], there[:, order]
    pairs = _extended([(place,) for place in range(len(loci))], there, values, most // 2)
    triples = _extended(pairs, there, values, most // 2)
    found: list[Schema] = []
    for at in range(max(len(pairs), len(triples))):
        found += [_schema(loci, champion, group[at]) for group in (pairs, triples) if at < len(group)]
    return found


def _means(columns: Array, values: Array) -> Array:
    """Mean value of those who match each column; -inf for columns that nobody but one matches."""
    counts = columns.sum(axis=0)
    means: Array = np.where(counts >= 2, columns.T @ values / np.maximum(counts, 1), -np.inf)
    return means


def _extended(groups: Sequence[tuple[int, ...]], there: Array, values: Array, most: int) -> list[tuple[int, ...]]:
    """The `most` fittest groups of one place more."""
    scored: dict[tuple[int, ...], float] = {}
    for group in groups:
        match = there[:, list(group)].prod(axis=1)
        means = _means(there * match[:, None], values)
        for place in range(there.shape[1]):
            if place not in group and np.isfinite(means[place]):
                scored[tuple(sorted((*group, place)))] = float(means[place])
    return sorted(scored, key=lambda group: (-scored[group], group))[:most]


def _schema(loci: Sequence[Locus], champion: Genes, group: tuple[int, ...]) -> Schema:
    schema = Schema(())
    for place in group:
        schema = schema.with_one(loci[place], champion[loci[place]])
    return schema
