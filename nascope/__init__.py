"""NAScope in a script or a notebook.

    import nascope
    run = nascope.search("digits", "random", space="mlp", trials=20)
    run.best.string, run.metrics, run.trials, run.network

What a call writes is the folder that `python -m search_engine run` writes with the same settings: either goes on with the other's.
Importing this imports neither torch nor the engine's catalogue: every function imports what it needs. docs/python.md has all of it with
examples.
"""

from search_engine.base.errors import BadInput

from .architectures import architecture
from .listings import algorithms, datasets, spaces
from .run import Found, Run, open
from .searching import Stopped, search, train

__all__ = [
    "search", "train", "open", "Run", "Found", "architecture", "algorithms", "spaces", "datasets", "BadInput", "Stopped",
]  # fmt: skip
