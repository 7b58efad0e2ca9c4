"""A run that begins with a finished model, as it is measured before it starts: the same, with fresh weights.

Its own weights lie in the run's folder, which is not there yet; what a step takes does not hang on them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..algorithms.given import place_weights
from ..catalogue.config import CheckedRun, check
from .resources import Resources


def with_fresh_weights(checked: CheckedRun, data_dir: Path, folder: Path) -> CheckedRun:
    """The run with weights of the given network's form in `folder`; the run itself where it begins with none."""
    given = Resources(checked, data_dir).given
    if given is None:
        return checked
    import torch
    from safetensors.torch import save

    with torch.random.fork_rng(devices=[]):
        state = given.network().state_dict()
    weights = save({name: value.contiguous() for name, value in state.items()})
    place_weights(weights, folder)
    own = given.config.model_copy(update={"weights": hashlib.sha256(weights).hexdigest()})
    return check(checked.config.model_copy(update={"model": own}))
