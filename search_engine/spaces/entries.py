"""Every registered search space by id, and the module that builds the networks of one."""

from __future__ import annotations

import importlib
from functools import lru_cache
from types import ModuleType
from typing import Any

from ..base import plugins
from . import BUILT_IN
from .base import SearchSpace, SpaceEntry


@lru_cache(maxsize=1)
def entries() -> dict[str, SpaceEntry]:
    """All search spaces, those of installed packages (entry point `nascope.spaces`) included."""
    return plugins.load("spaces", BUILT_IN, SpaceEntry)


def builder_module(space: SearchSpace[Any]) -> ModuleType:
    """The module that `SpaceEntry.builder` names; it imports torch. What a space offers beyond single networks (`build_supernet`,
    `block_latencies`, `kept_weights`) stands there too."""
    return importlib.import_module(entries()[space.id].builder.partition(":")[0])
