"""NAScope, neural architecture search that you can watch, in a script or a notebook.

    import nascope
    run = nascope.search("digits", "random", space="mlp", trials=20)
    run.best.string, run.metrics, run.trials, run.network

What a call writes is the folder that `python -m search_engine run` writes with the same settings: either goes on with the other's.
Importing this imports nothing else: what a name stands for is loaded when it is first asked for, and every function imports what it needs.
docs/python.md has all of it with examples.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search_engine.base.errors import BadInput

    from .architectures import architecture
    from .listings import algorithms, datasets, spaces
    from .run import Found, Run, open
    from .searching import Stopped, finish, more, search, train

__all__ = [
    "search", "train", "more", "finish", "open", "Run", "Found", "architecture", "algorithms", "spaces", "datasets", "BadInput", "Stopped",
]  # fmt: skip

_HOMES = {
    "search": "searching", "train": "searching", "more": "searching", "finish": "searching",
    "Stopped": "searching", "open": "run", "Run": "run", "Found": "run", "BadInput": "run",
    "architecture": "architectures", "algorithms": "listings", "spaces": "listings", "datasets": "listings",
}
"""In which module of this package each name is."""


def __getattr__(name: str) -> Any:
    """Load what is promised. Raises ImportError where another package stands in the place of one of NAScope's own."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nascope' has no attribute {name!r}")
    from .own_packages import complaint

    if found := complaint():
        raise ImportError(found)
    for promised, home in _HOMES.items():
        globals()[promised] = getattr(import_module(f"{__name__}.{home}"), promised)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
