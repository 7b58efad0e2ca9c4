"""Searches over structure distributions for tests: on the plant and on small real spaces, also with a broken structure."""

from __future__ import annotations

import random
from typing import Any

import torch

from search_engine.algorithms.base import Context
from search_engine.algorithms.simplex.search import SimplexSearch
from search_engine.catalogue import registry
from search_engine.datasets.base import SearchData
from search_engine.events import EventLog
from search_engine.spaces.base import SpaceConfig
from search_engine.structures import StructureDistribution
from tests.search_engine.algorithms.simplex import planted
from tests.search_engine.searches import SMALL, image_data

PLANT: dict[str, tuple[str, dict[str, Any]]] = {
    "relaxed": ("gumbel_softmax", {"learning_rate": 0.005}),
    "relaxed bilevel": ("gumbel_softmax", {"learning_rate": 0.005, "levels": "bilevel"}),
    "hard": ("gumbel_softmax", {"hard": True, "evaluate": "all", "temperature_start": 10.0, "structure_beta1": 0.9}),
    "dirichlet": ("dirichlet", {}),
    "logit_normal": ("logit_normal", {}),
}
"""The settings in which each method is asked for the planted structure: whole halves as batches, Adam 0.03 for the structure."""


def _begun(algorithm: str, context_of: Any, options: dict[str, Any], broken: Any) -> SimplexSearch:
    entry = registry.algorithm(algorithm)
    checked = entry.config(**options)
    (search,) = entry.phases(checked)
    assert isinstance(search, SimplexSearch)
    if broken is not None:
        make = search.make_structure
        search.make_structure = lambda *args: broken(make(*args))  # type: ignore[method-assign]
    search.begin(context_of(checked), None)
    return search


def plant_search(name: str, seed: int = 0, broken: Any = None, structure_every: int = 600, **options: Any) -> SimplexSearch:
    """A fresh search for the planted structure under the settings `PLANT[name]`; `broken` may damage its structure."""
    algorithm, own = PLANT[name]
    torch.manual_seed(seed)

    def context(checked: Any) -> Context:
        return Context(
            space=planted.PlantedSpace(SpaceConfig(), planted.SHAPE), options=checked, seed=seed, rng=random.Random(seed),
            metric="val_accuracy", log=EventLog("phase:0"), data=planted.planted_data(seed), structure_every=structure_every,
        )

    with planted.registered():
        return _begun(algorithm, context, {"steps": 600, "batch_size": 512, **own, **options}, broken)


def small_search(algorithm: str, space: str, data: SearchData | None = None, weights_seed: int = 0, **options: Any) -> SimplexSearch:
    """A fresh search on a small `cell` or `nb201`."""
    entry, data = registry.space(space), data or image_data()
    torch.manual_seed(weights_seed)

    def context(checked: Any) -> Context:
        return Context(
            space=entry.space(entry.config(**SMALL[space]), data.shape), options=checked, seed=0, rng=random.Random(0),
            metric="val_accuracy", log=EventLog("phase:0"), data=data,
        )

    return _begun(algorithm, context, {"batch_size": 8, **options}, None)


def run(search: SimplexSearch, steps: int | None = None) -> list[Any]:
    """Steps (default: to the end) and the events that they said."""
    done = 0
    while not search.finished and (steps is None or done < steps):
        search.step()
        done += 1
    return search.context.log.drain()


def without_gradient(made: StructureDistribution) -> StructureDistribution:
    """A structure whose draws have lost their way back to its parameters."""
    return _altered(made, lambda value: value.detach())


def with_wrong_sign(made: StructureDistribution) -> StructureDistribution:
    """A structure whose draws hand gradients back with the sign turned round."""
    return _altered(made, lambda value: 2 * value.detach() - value)


def _altered(made: StructureDistribution, change: Any) -> StructureDistribution:
    sample = made.sample

    def altered(*args: Any, **named: Any) -> Any:
        return {group: change(value) for group, value in sample(*args, **named).items()}

    made.sample = altered  # type: ignore[method-assign]
    return made
