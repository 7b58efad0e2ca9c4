"""Import a heavy module at first use; find an object by its written name.

The registry and the config classes must import without torch (start-up of table runs, and of the web process), while an
algorithm is one file with its config at the top and its rule below. So algorithm files write

    if TYPE_CHECKING:
        import torch
    else:
        torch = lazy_module("torch")
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class _LazyModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


def lazy_module(name: str) -> Any:
    """A stand-in for module `name` that imports it when an attribute is first read."""
    return _LazyModule(name)


def load_object(path: str) -> Any:
    """The object named by `module:name`.

    >>> load_object("search_engine.spaces.nb201:ENTRY").id
    'nb201'
    """
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
