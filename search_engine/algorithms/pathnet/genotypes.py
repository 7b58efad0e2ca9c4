"""Genotypes of paths: N genes per layer, each the number of a module. Repeated genes are one module, so N is a maximum.

Mutation is that of PathNet (arXiv 1701.08734, section 2.3): each gene changes with probability 1 / (L N), by an offset drawn evenly from
-2 to 2. So one gene of a genotype is drawn on average, and four of five drawn genes change. Offsets wrap around (module 0 is a neighbour
of module M - 1): clamping instead would favour the columns' ends.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from search_engine.spaces.modular import Path

Genotype = tuple[tuple[int, ...], ...]
"""(layers, N): the genes of each layer, in no particular order, with repetitions."""

LARGEST_OFFSET = 2


def random_genotype(rng: random.Random, layers: int, modules: int, active: int) -> Genotype:
    """Every gene drawn evenly from the modules."""
    return tuple(tuple(rng.randrange(modules) for _ in range(active)) for _ in range(layers))


def mutated(genotype: Genotype, rng: random.Random, modules: int) -> Genotype:
    """A copy of `genotype` in which each gene was drawn for a change with probability 1 / (number of genes)."""
    share = 1 / sum(len(layer) for layer in genotype)

    def gene(number: int) -> int:
        if rng.random() >= share:
            return number
        return (number + rng.randint(-LARGEST_OFFSET, LARGEST_OFFSET)) % modules

    return tuple(tuple(gene(number) for number in layer) for layer in genotype)


def path_of(genotype: Sequence[Sequence[int]]) -> Path:
    """The path that a genotype stands for: per layer its modules, ascending, each once."""
    return tuple(tuple(sorted(set(layer))) for layer in genotype)


def union(paths: Sequence[Path], layers: int) -> Path:
    """Per layer every module that some path uses; empty layers where there is no path."""
    return tuple(tuple(sorted({module for path in paths for module in path[layer]})) for layer in range(layers))
