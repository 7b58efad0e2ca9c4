"""A small network with everything that resuming could lose, and small data, for the tests of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from search_engine.base.generators import GlobalGenerators
from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Part, SearchData
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.training.trainer import Trainer

TRAIN, VALIDATION, BATCH = 50, 23, 16


def small_data(seed: int = 0, shape: tuple[int, ...] = (1, 6, 6)) -> SearchData:
    """Images whose class is where the bright half lies, with noise."""
    rng = np.random.RandomState(seed)

    def part(count: int) -> Part:
        labels = rng.randint(0, 2, count)
        inputs = rng.randint(0, 120, (count, *shape))
        if len(shape) == 3:
            for image, label in zip(inputs, labels, strict=True):
                image[:, :, label * 3 : label * 3 + 3] += 100
        else:
            inputs[np.arange(count), labels] += 100
        return Part(inputs=inputs.astype(np.uint8), labels=labels.astype(np.int64), indices=np.arange(count))

    mean, std = ((0.4,), (0.2,)) if len(shape) == 3 else ((0.4,) * shape[0], (0.2,) * shape[0])
    return SearchData("small", DataShape(shape, 2), part(TRAIN), part(VALIDATION), Preprocessing(255.0, mean, std), ("left", "right"))


def small_network(seed: int = 0) -> nn.Module:
    """Convolution, batch normalisation (running statistics), dropout (the global generator)."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(144, 2)
    )


def small_trainer(config: TrainingConfig, seed: int = 5, **changes: Any) -> Trainer:
    return Trainer(changes.get("network") or small_network(), changes.get("data") or small_data(), config, seed=seed)


def run_with_reloads(config: TrainingConfig, reload_at: set[int]) -> tuple[Trainer, list[dict[str, float]]]:
    """Train to the end; after those steps go on in a new trainer (through the bytes of a checkpoint) with new global generators."""
    from search_engine.base import checkpoint

    generators = GlobalGenerators(11)
    with generators.active():
        trainer = small_trainer(config)
    reports: list[dict[str, float]] = []
    while not trainer.finished:
        with generators.active():
            trainer.advance()
        if trainer.steps_done in reload_at:
            tree = checkpoint.unpack(checkpoint.pack({"trainer": trainer.state_dict(), "generators": generators.state_dict()}))
            generators = GlobalGenerators(99)
            with generators.active():
                trainer = small_trainer(config, network=small_network(seed=77))
            trainer.load_state_dict(tree["trainer"])
            generators.load_state_dict(tree["generators"])
        reports += trainer.epoch_reports()
    return trainer, reports
