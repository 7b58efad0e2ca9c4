"""How long a training is where nobody says so and a data set has few examples: epochs count passes, and a pass over thirty examples is one
step.

Measured with four random networks of `macro_1d`, one seed: basic_motions_1d (30 examples to train on) has the test accuracy 0.50 after
trials of 3 epochs and a finale of 12, and 1.00 after 50 and 200; italy_power_demand_1d (50 examples) 0.50 and 0.94; twice as many bring
nothing more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..base.training_config import TrainingConfig
from .idle import idle

if TYPE_CHECKING:
    from .checked import Checked

OF_A_TRIAL = 50
OF_THE_FINALE = 200
"""So many optimiser steps at least."""


def concerns(checked: Checked) -> bool:
    """Data that people bring, and series: the other sets had their lengths before, and keep them."""
    return checked.dataset.provides == "samples" and (checked.dataset.own or checked.dataset.input_kind == "series")


def long_enough(checked: Checked, training: TrainingConfig, steps: int) -> TrainingConfig:
    """The training with as many epochs as so many steps take, where it has a length in epochs and fewer of them.

    >>> from search_engine.catalogue.config import check
    >>> few = check({"algorithm": "darts", "space": "cell_1d", "datasets": ["basic_motions_1d"]})
    >>> long_enough(few, TrainingConfig(epochs=12), 200).epochs
    200
    >>> long_enough(check({"algorithm": "darts", "datasets": ["digits"]}), TrainingConfig(epochs=12), 1000).epochs
    12
    """
    if not concerns(checked) or training.steps:
        return training
    examples = checked.dataset_options[0].used(sum(size for name, size in checked.dataset.sizes.items() if "test" not in name))
    used = math.ceil(examples * (1 - getattr(checked.dataset_options[0], "validation_share", 0.0)))
    used = min(used, training.train_examples or used)
    epochs = math.ceil(steps / max(1, math.ceil(used / training.batch_size)))
    return training if epochs <= training.epochs else training.model_copy(update={"epochs": epochs})


def of_trials(checked: Checked) -> TrainingConfig:
    """The training of the trials, long enough where the config leaves its length open and there are any whose length it is."""
    given: TrainingConfig = checked.config.training
    fixed = {"epochs", "steps"} & given.model_fields_set or "training.epochs" in idle(checked.algorithm, checked.space, checked.dataset)
    return given if fixed else long_enough(checked, given, OF_A_TRIAL)
