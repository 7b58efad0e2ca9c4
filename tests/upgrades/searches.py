"""One search of every kind, and the moment at which it is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.production.searches import COLONY, GRADIENT, GROWTH, TABLE, TICKET, TINY, TOGETHER, TRAINED

_SMALL_FINALE = {"baselines": 0, "export": False, "redundancy": False}
_BRIEF = {**TINY, "train_examples": 64}


@dataclass(frozen=True)
class Left:
    """`when`: whether the run, of which the arguments are id and jobs, has come to the moment."""

    config: dict[str, Any]
    when: Callable[[Any], bool]
    exact: bool = False
    """Whether no arithmetic of torch's is in it, so that every machine gives the same."""


def _under_way(kind: str, done: float = 1.0) -> Callable[[Any], bool]:
    """A job of the kind has a checkpoint, so far in."""

    def when(jobs: Any) -> bool:
        return any(job.progress.get("done", 0) >= done for job in jobs.filter(kind=kind, state="ready").exclude(checkpoint_path=""))

    return when


def _told(trials: int) -> Callable[[Any], bool]:
    return lambda jobs: jobs.get(kind="advance").run.counter.trials_told >= trials


def _after(first: Callable[[Any], bool], second: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda jobs: first(jobs) and second(jobs)


LEFT: dict[str, Left] = {
    "a trial": Left(
        {**TRAINED, "budget": {"trials": 4}, "training": {**_BRIEF, "epochs": 4}, "finale": {**_SMALL_FINALE, "training": _BRIEF}},
        _after(_told(1), _under_way("trial", 2)),
    ),
    "a trial from another's weights": Left(
        {**COLONY, "budget": {"trials": 7}, "training": {"epochs": 1, "train_examples": 128, "batch_size": 32},
         "finale": {**_SMALL_FINALE, "training": _BRIEF}},
        _after(_told(4), _under_way("trial", 1)),
    ),
    "trials together": Left(
        {**TOGETHER, "budget": {"trials": 10}, "finale": {**_SMALL_FINALE, "training": _BRIEF}},
        lambda jobs: any("at step" in job.progress.get("text", "") for job in jobs.filter(source__startswith="group:", state="ready")),
    ),
    "steps": Left({**GRADIENT, "finale": {**_SMALL_FINALE, "training": _BRIEF}}, _under_way("phase", 4)),
    "a population": Left({**GROWTH, "finale": {"export": False, "redundancy": False}}, _under_way("phase", 4)),
    "a handover that nobody was told": Left(
        {**TICKET, "finale": {**TICKET.get("finale", {}), **_SMALL_FINALE}},
        lambda jobs: jobs.filter(kind="phase", state="finished").exclude(outcome_path="").exists(),
    ),
    "a formula": Left(
        {"algorithm": "regularized_evolution", "options": {"population": 12, "sample": 4}, "space": "sequence", "space_options": {"n": 8},
         "datasets": ["learn_to_count"], "seed": 11, "budget": {"trials": 120}},
        _told(40), exact=True,
    ),
    "the finale": Left(
        {**TRAINED, "budget": {"trials": 2}, "training": _BRIEF,
         "finale": {**_SMALL_FINALE, "training": {**_BRIEF, "epochs": 6}}},
        _under_way("final", 3),
    ),
}
"""By name, without data files."""

LEFT_TABLE: dict[str, Left] = {"a table": Left(TABLE, _told(25), exact=True)}

LOCAL: dict[str, Any] = {
    "algorithm": "random", "space": "nb201", "datasets": ["digits"], "seed": 3, "budget": {"trials": 3},
    "training": {**_BRIEF, "epochs": 4}, "finale": {**_SMALL_FINALE, "training": _BRIEF},
}
"""The command line's, left in the middle of a trial."""
