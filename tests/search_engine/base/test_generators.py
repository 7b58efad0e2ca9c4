"""The process-wide generators as one piece of work sees them."""

from __future__ import annotations

import random

import numpy as np

from search_engine.base import checkpoint
from search_engine.base.generators import GlobalGenerators


def test_what_is_there_now_is_what_is_left_there() -> None:
    """A checkpoint that is taken inside the block goes on as one that is taken after it."""
    generators = GlobalGenerators(5)
    with generators.active():
        drawn = random.random(), float(np.random.random())
        now = generators.now()
    assert checkpoint.pack(now) == checkpoint.pack(generators.state_dict())
    further = GlobalGenerators(0)
    further.load_state_dict(now)
    with further.active(), generators.active():
        own = random.random()
    with further.active():
        assert random.random() == own != drawn[0]
