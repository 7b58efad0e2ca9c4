"""Searches on the simplex by method, small enough for a test: what every collapse control must work with."""

from __future__ import annotations

import random
from typing import Any

import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.search import SimplexSearch
from search_engine.catalogue import registry
from search_engine.events import EventLog
from tests.search_engine.searches import SMALL, image_data

METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "first": ("darts", {}),
    "second": ("darts", {"estimator": "finite_difference"}),
    "gumbel": ("gumbel_softmax", {}),
    "hard_gumbel": ("gumbel_softmax", {"hard": True, "levels": "bilevel"}),
    "dirichlet": ("dirichlet", {}),
}
"""Name -> (algorithm, its options)."""


def simplex_search(method: str, space: str, seed: int = 0, structure_every: int = 1, **options: Any) -> SimplexSearch:
    """A fresh search of one of `METHODS` on a small `cell` or `nb201` super-network and 48 images (3 steps an epoch)."""
    algorithm, own = METHODS[method]
    entry, algorithm_entry, data = registry.space(space), registry.algorithm(algorithm), image_data()
    torch.manual_seed(seed)
    config = algorithm_entry.config(**{"batch_size": 8, "structure_learning_rate": 0.1, **own, **options})
    context = Context(
        space=entry.space(entry.config(**SMALL[space]), data.shape), options=config, seed=seed, rng=random.Random(seed),
        metric="val_accuracy", log=EventLog("phase:0"), data=data, structure_every=structure_every,
    )
    (search,) = algorithm_entry.phases(config)
    search.begin(context, None)
    return search  # type: ignore[return-value]


def run(search: SimplexSearch, steps: int | None = None) -> list[Any]:
    """Steps (default: to the end) and the events that they said."""
    done = 0
    while not search.finished and (steps is None or done < steps):
        search.step()
        done += 1
    return search.context.log.drain()


def of_kind(events: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in events if event.kind == kind]
