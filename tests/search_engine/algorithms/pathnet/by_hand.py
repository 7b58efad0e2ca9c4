"""PathNet driven by hand: tasks and controls one after the other, as the search loop would, on small data."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.pathnet import ENTRY
from search_engine.algorithms.pathnet.controls import CONTROLS
from search_engine.algorithms.pathnet.search import PathNetConfig, PathNetTask
from search_engine.base.checkpoint import pack, unpack
from search_engine.base.generators import derive_seed
from search_engine.catalogue import registry
from search_engine.datasets.base import SearchData
from search_engine.datasets.digits import Digits, DigitsConfig
from search_engine.datasets.splits import permutation
from search_engine.events import Event, EventLog

SMALL: dict[str, Any] = {"population": 8, "generations": 5, "minibatches": 4, "threshold": 0.0}


def digit_tasks(seed: int, classes: int = 5, count: int = 2) -> list[SearchData]:
    """Disjoint tasks of that many digits each, drawn by `seed`."""
    digits = permutation(10, "tasks", seed).tolist()
    chosen = [tuple(digits[task * classes : (task + 1) * classes]) for task in range(count)]
    return [Digits(DigitsConfig(labels=labels)).search_data(seed) for labels in chosen]


def begin(
    phase: PathNetTask, datas: Sequence[SearchData], handover: dict[str, Any] | None = None, seed: int = 0,
    space: dict[str, Any] | None = None, options: dict[str, Any] | None = None,
) -> PathNetTask:  # fmt: skip
    """The phase, begun. What is random in it follows from `seed` and the task: a control has the population, the minibatches and the
    fresh weights of the task that it is compared with."""
    entry = registry.space("modular")
    own = derive_seed(seed, "task", phase.task)
    torch.manual_seed(own)
    context = Context(
        space=entry.space(entry.config(**(space or {})), datas[0].shape, tuple(data.shape for data in datas)),
        options=PathNetConfig(**{**SMALL, **(options or {})}), seed=own, rng=random.Random(own), metric="val_accuracy",
        log=EventLog(phase.name), data=datas[0], domains=list(datas),
    )  # fmt: skip
    phase.begin(context, None if handover is None else unpack(pack(handover)))
    return phase


def run(phase: PathNetTask) -> list[Event]:
    """Every tournament to the end; the events since the phase began."""
    while not phase.finished:
        phase.step()
    return phase.context.log.drain()


def of_kind(events: list[Event], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]


def tournaments(seed: int, **options: Any) -> dict[str, int]:
    """Tournaments until the threshold of task A, of task B after it, and of task B's controls."""
    datas = digit_tasks(seed)
    first = begin(PathNetTask(0), datas, seed=seed, options=options)
    run(first)
    second = begin(PathNetTask(1), datas, first.handover(), seed, options=options)
    run(second)
    done = {"A": first.done, "B": second.done}
    for name in first.options.controls:
        control = begin(CONTROLS[name](1), datas, second.handover(), seed, options=options)
        run(control)
        done[name] = control.done
    return done


__all__ = ["ENTRY", "SMALL", "begin", "digit_tasks", "of_kind", "run", "tournaments"]
