"""Trial phases driven without the search loop: ask, score, tell. For planted problems at many seeds."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import fmean
from typing import Any

from search_engine.algorithms.base import Context, Result, TrialPhase
from search_engine.catalogue import registry
from search_engine.datasets.learn_to_count import LearnToCount
from search_engine.events import Cost, EventLog
from search_engine.spaces.base import SearchSpace
from search_engine.spaces.data_shape import NO_INPUT
from search_engine.spaces.genomes import Genome
from search_engine.spaces.sequence import SequenceConfig, SequenceSpace

METRIC = "reward"


def begun(algorithm: str, space: SearchSpace[Any], seed: int, phase: TrialPhase | None = None, **options: Any) -> Any:
    """The algorithm's first phase (or `phase`, a variant of it), ready to be asked."""
    entry = registry.algorithm(algorithm)
    config = entry.config(**options)
    phase = phase or entry.phases(config)[0]
    phase.begin(Context(space=space, options=config, seed=seed, rng=random.Random(seed), metric=METRIC, log=EventLog("run")), None)
    return phase


def search(phase: TrialPhase, reward: Callable[[Genome], float | None], trials: int) -> list[float]:
    """Rewards of the first `trials` proposals, in ask order. A reward of None is a failed trial (0 in the list)."""
    rewards: list[float] = []
    while len(rewards) < trials:
        results = []
        for proposal in phase.ask():
            value = reward(proposal.genome)
            status, metrics = ("failed", {}) if value is None else ("completed", {METRIC: value})
            results.append(Result(len(rewards), proposal.genome, status, metrics, Cost()))  # type: ignore[arg-type]
            rewards.append(value or 0.0)
        phase.tell(results)
        phase.context.log.drain()
    return rewards[:trials]


def count(algorithm: str, seed: int, n: int, trials: int, phase: TrialPhase | None = None, **options: Any) -> list[float]:
    """Rewards of a search that learns to count to `n`."""
    space = SequenceSpace(SequenceConfig(n=n), NO_INPUT)
    return search(begun(algorithm, space, seed, phase, **options), LearnToCount().reward, trials)


def best_and_last(runs: list[list[float]], last: int) -> tuple[float, float]:
    """Means over runs: of the best reward, and of the mean of the last `last` rewards."""
    return fmean(max(run) for run in runs), fmean(fmean(run[-last:]) for run in runs)
