"""Every registered search space by id, and the module that builds the networks of one."""

from __future__ import annotations

import importlib
import inspect
from functools import lru_cache
from types import ModuleType
from typing import Any

from ..base import plugins
from ..base.entry_checks import check_entry, check_reference
from . import BUILT_IN
from .base import SearchSpace, SpaceEntry


@lru_cache(maxsize=1)
def entries() -> dict[str, SpaceEntry]:
    """All search spaces, those of installed packages (entry point `nascope.spaces`) included."""
    return plugins.load("spaces", BUILT_IN, SpaceEntry, check_space)


def check_space(entry: SpaceEntry) -> None:
    """Raises TypeError or ValueError naming the field where a stranger's space could not be listed or used."""
    check_entry(entry)
    names = [preset.id for preset in entry.presets]
    if len(set(names)) < len(names):
        raise ValueError("presets: two have one id")
    for preset in entry.presets:
        entry.config.model_validate(preset.options)
    space = entry.space
    if isinstance(space, type) and issubclass(space, SearchSpace):
        if inspect.isabstract(space):
            raise TypeError(f"space: {space.__name__} lacks {', '.join(sorted(space.__abstractmethods__))}")
        if space.id != entry.id or space.offers != entry.offers:
            raise ValueError(f"space: {space.__name__} has another id or offers something else than its entry says")
    if not entry.builder:
        if entry.inputs != {"none"}:
            raise ValueError("builder: a space that takes data names what builds its networks; one without networks has inputs={'none'}")
        return
    check_reference("builder", entry.builder, light=False)
    if "supernet" in entry.offers:
        check_reference("builder", f"{entry.builder.partition(':')[0]}:build_supernet", light=False)
    if entry.initialiser:
        check_reference("initialiser", entry.initialiser, light=False)


def builder_module(space: SearchSpace[Any]) -> ModuleType:
    """The module that `SpaceEntry.builder` names; it imports torch. What a space offers beyond single networks (`build_supernet`,
    `block_latencies`, `kept_weights`) stands there too."""
    return importlib.import_module(entries()[space.id].builder.partition(":")[0])
