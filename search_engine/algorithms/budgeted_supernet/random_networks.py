"""Random networks within a budget: what a budgeted search must beat."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from search_engine.spaces.block_costs.blocks import Array
from search_engine.spaces.block_costs.costs import BlockCosts, CostFunction
from search_engine.spaces.genomes import Genome

TRIES = 20
"""Random paths that are tried before the cheapest one is taken."""


def mask_of(space: Any, genome: Genome) -> Array:
    """bool (1, blocks) of a genome's live blocks."""
    mask = np.zeros((1, len(space.blocks)), dtype=bool)
    mask[0, space.kept(genome)] = True
    return mask


def within(space: Any, cost: CostFunction, prices: BlockCosts, budget: float, rng: random.Random) -> Genome:
    """A random path that fits the budget, what is always there, and then blocks in random order, each that still fits.

    Its cost comes close to the budget from below, as that of a search does. Where not even the cheapest path fits, that path.
    """
    always = {place for place, block in enumerate(space.blocks) if not block.stochastic}

    def fits(kept: set[int]) -> bool:
        mask = np.zeros((1, len(space.blocks)), dtype=bool)
        mask[0, list(kept)] = True
        return bool(cost(mask)[0] <= budget)

    kept = always | set(space.path(list(prices.each)))
    for _ in range(TRIES):
        tried = always | set(space.path([rng.random() for _ in space.blocks]))
        if fits(tried):
            kept = tried
            break
    places = [place for place in range(len(space.blocks)) if place not in kept]
    rng.shuffle(places)
    for place in places:
        if fits(kept | {place}):
            kept |= {place}
    genome: Genome = space.genome_of_blocks(sorted(kept))
    return genome
