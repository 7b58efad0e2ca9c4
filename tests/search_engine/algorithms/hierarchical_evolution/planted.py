"""A hidden genome as the target: a candidate is worth the share of its entries that it has in common with it. Nothing is trained."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import mean
from typing import Any

from search_engine.algorithms.base import Context, Result
from search_engine.algorithms.hierarchical_evolution.search import HierarchicalEvolution, HierarchicalEvolutionConfig
from search_engine.events import Cost, EventLog
from search_engine.spaces.data_shape import DataShape
from search_engine.spaces.genomes import Genome
from search_engine.spaces.hierarchical import HierarchicalConfig, HierarchicalSpace, Mutation
from search_engine.spaces.motifs.hierarchy import Entries

DIGITS = DataShape((1, 8, 8), 10)
SPACE = HierarchicalSpace(HierarchicalConfig(motifs=2, nodes=4, initial_steps=100), DIGITS)
"""18 entries: two motifs of four nodes, a cell of four."""
TRIALS = 600


def begun(seed: int, kind: type[HierarchicalEvolution] = HierarchicalEvolution, space: HierarchicalSpace = SPACE, **options: Any) -> Any:
    phase = kind()
    config = HierarchicalEvolutionConfig(**options)
    phase.begin(Context(space=space, options=config, seed=seed, rng=random.Random(seed), metric="reward", log=EventLog("run")), None)
    return phase


def told(phase: HierarchicalEvolution, number: int, genome: Genome, value: float | None) -> None:
    status, metrics = ("completed", {"reward": value}) if value is not None else ("failed", {})
    phase.tell([Result(number, genome, status, metrics, Cost())])  # type: ignore[arg-type]


def worth(seed: int) -> Callable[[Genome], float]:
    """The share of entries that a genome has in common with the hidden one of that seed."""
    hidden: Entries = SPACE.entries_of(SPACE.sample(random.Random(1000 + seed)))

    def value(genome: Genome) -> float:
        pairs = zip(SPACE.entries_of(genome), hidden, strict=True)
        return sum(one == other for one, other in pairs) / len(hidden)

    return value


def last_of(phase: HierarchicalEvolution, seed: int, trials: int = TRIALS, window: int = 1) -> float:
    """The mean value of the last hundred of so many trials; proposal k is asked when all but the `window` before it are told."""
    value, open_, values = worth(seed), [], []
    for number in range(trials):
        [proposal] = phase.ask()
        open_.append((number, proposal.genome))
        values.append(value(proposal.genome))
        if len(open_) == window:
            first, genome = open_.pop(0)
            told(phase, first, genome, values[first])
    return mean(values[-100:])


def best_by_chance(seed: int, trials: int = TRIALS) -> float:
    """Random search: the best of as many genomes, drawn as the initial ones are."""
    value, rng = worth(seed), random.Random(seed)
    return max(value(SPACE.sample(rng)) for _ in range(trials))


class NoSelection(HierarchicalEvolution):
    """A mutant: anybody is the parent."""

    def _parent(self) -> Any:
        return self.context.rng.choice(list(self.everybody))


class OldestDies(HierarchicalEvolution):
    """A mutant: as many live as there were at first, and the oldest dies."""

    def _enter(self, individual: Any) -> None:
        super()._enter(individual)
        if len(self.everybody) > self.options.initial:
            self.everybody.popleft()


class SeveralEntries(HierarchicalEvolution):
    """A mutant: a child differs in up to five entries."""

    def _child(self, genome: Genome) -> tuple[Genome, Mutation]:
        for _ in range(5):
            genome, mutation = super()._child(genome)
        return genome, mutation


WRONG = (NoSelection, OldestDies, SeveralEntries)
