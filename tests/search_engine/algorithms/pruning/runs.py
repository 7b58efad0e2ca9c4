"""Lottery tickets and supermasks opened without the loop: digits on the plain network, one phase object to step by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from search_engine.algorithms.base import Context, StepPhase
from search_engine.algorithms.pruning.lottery_ticket.search import LotteryTicket
from search_engine.catalogue import registry
from search_engine.catalogue.config import parse
from search_engine.datasets.base import SearchData
from search_engine.events import EventLog
from search_engine.spaces.plain_network import PlainNetworkConfig, PlainNetworkSpace

SMALL_TICKET: dict[str, Any] = {
    "steps": 8, "checkpoints": (2, 4), "early_step": 4, "rate": 0.4, "output_rate": 0.3, "target_share": 0.25, "compared_rounds": 2,
    "space": {"widths": [20, 12]},
}  # fmt: skip


@lru_cache(maxsize=8)
def digits(seed: int) -> SearchData:
    """Train and validation parts of that seed."""
    entry = registry.dataset("digits")
    samples: Any = entry.open(entry.config(), Path())
    data: SearchData = samples.search_data(seed)
    return data


def begin(phase: StepPhase, algorithm: str, seed: int, handover: dict[str, Any] | None = None, **options: Any) -> Any:
    """The phase, begun on digits. `space` among the options are the space's own."""
    space_options = options.pop("space", {})
    data = options.pop("data", None) or digits(seed)
    space = PlainNetworkSpace(PlainNetworkConfig(**space_options), data.shape)
    torch.manual_seed(seed)
    context = Context(
        space=space, options=parse("options", registry.algorithm(algorithm).config, options), seed=seed, rng=random.Random(seed),
        metric="val_accuracy", log=EventLog("phase:0"), data=data, domains=[data],
    )  # fmt: skip
    phase.begin(context, handover)
    return phase


def run(phase: Any, steps: int = 10**9) -> list[Any]:
    """Step until it is finished, or so often; returns the payloads that it said."""
    while not phase.finished and steps > 0:
        phase.step()
        steps -= 1
    return [event.payload for event in phase.context.log.drain()]


def of_kind(payloads: list[Any], kind: str) -> list[Any]:
    return [payload for payload in payloads if payload.kind == kind]


def small_ticket(seed: int = 0, **options: Any) -> Any:
    """A lottery ticket search of a few small rounds."""
    return begin(LotteryTicket(), "lottery_ticket", seed, **{**SMALL_TICKET, **options})


def rounds_of(search: Any) -> Iterator[int]:
    """Step the search; yields at the start of every round, its number."""
    yield 0
    while not search.finished:
        before = len(search.trained)
        search.step()
        if len(search.trained) > before and not search.finished:
            yield len(search.trained)
