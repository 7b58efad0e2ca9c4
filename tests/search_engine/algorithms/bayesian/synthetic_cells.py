"""A training-free table of all 15,625 NAS-Bench-201 cells: path-additive scores with noise, for surrogates (and whom they must beat).

A cell's score is the sum over its paths from input to output of a fixed number drawn for the path's operations, and noise drawn for the
cell. A path through `none` counts nothing. The scores are mapped so that the best is 4.179 and the 99th percentile 3.398.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

import numpy as np

from search_engine.algorithms.base import Context, Result, TrialPhase
from search_engine.base.generators import derive_seed
from search_engine.catalogue import registry
from search_engine.events import Cost, EventLog
from search_engine.spaces.genomes import Genome
from search_engine.spaces.nb201 import NB201Config, NB201Space

PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""As places among the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3."""
BEST, P99 = 4.179, 3.398
NOISE = 0.05


@lru_cache(maxsize=1)
def scores() -> np.ndarray[Any, Any]:
    """The score of every cell, by its lexicographic number."""
    space = registry.space("nb201").space(NB201Config(), registry.dataset("nb201_cifar10").shape)
    raw = np.array([_raw(space, space.decisions.unrank(index)) for index in range(space.decisions.size)])
    scale = (BEST - P99) / (raw.max() - np.percentile(raw, 99))
    return BEST + scale * (raw - raw.max())


def _raw(space: NB201Space, choices: tuple[int | None, ...]) -> float:
    total = 0.0
    for number, path in enumerate(PATHS):
        operations = [space.operations[choices[place] or 0] for place in path]
        if "none" not in operations:
            total += random.Random(derive_seed("path", number, *operations)).gauss(0, 1)
    return total + random.Random(derive_seed("cell", *choices)).gauss(0, NOISE)


def search(make: type[TrialPhase], options: Any, seed: int, trials: int = 60) -> list[float]:
    """The scores of the trials, in ask order."""
    space = registry.space("nb201").space(NB201Config(), registry.dataset("nb201_cifar10").shape)
    phase = make()
    phase.begin(Context(space=space, options=options, seed=seed, rng=random.Random(seed), metric="score", log=EventLog("run")), None)
    told = []
    for number in range(trials):
        [proposal] = phase.ask()
        told.append(score(space, proposal.genome))
        phase.tell([Result(number, proposal.genome, "completed", {"score": told[-1]}, Cost())])
    return told


def score(space: NB201Space, genome: Genome) -> float:
    return float(scores()[space.decisions.rank(space.choices_of(genome))])
