"""The validation after an epoch is scored batch by batch: a stop is looked for between them, and what is said stays the same to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from search_engine.base.training_config import TrainingConfig
from search_engine.datasets.base import Part, SearchData
from search_engine.spaces.data_shape import DataShape, Preprocessing
from search_engine.training.evaluation import BATCH, evaluate
from search_engine.training.trainer import Trainer

CONFIG = TrainingConfig(epochs=2, batch_size=64, augment="none")


def part(examples: int, seed: int) -> Part:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(examples, 6)).astype(np.float32)
    return Part(inputs=inputs, labels=(inputs[:, 0] > 0).astype(np.int64), indices=np.arange(examples))


DATA = SearchData(
    dataset="signs", shape=DataShape((6,), 2), train=part(128, 0), validation=part(2 * BATCH + 7, 1),
    preprocessing=Preprocessing(1.0, (0.0,) * 6, (1.0,) * 6), class_names=("a", "b"),
)


def trainer() -> Trainer:
    torch.manual_seed(0)
    return Trainer(torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 2)), DATA, CONFIG, seed=0)


def finish(training: Trainer, *, reload_each: bool = False) -> tuple[int, list[Any]]:
    units = 0
    while not training.finished:
        training.advance()
        units += 1
        if reload_each:
            state, fresh = training.state_dict(), torch.get_rng_state()
            training = trainer()
            torch.set_rng_state(fresh)
            training.load_state_dict(state)
    return units, [*training.epoch_reports(), training.metrics(), training.cost, *map(torch.Tensor.tolist, training.network.parameters())]


def test_each_batch_of_the_validation_is_a_unit() -> None:
    units, _ = finish(trainer())
    # The last step of an epoch scores the first of its three batches.
    assert units == 2 * (2 + 2)


def test_a_reload_between_any_two_of_them_changes_nothing() -> None:
    assert finish(trainer(), reload_each=True) == finish(trainer())


def test_the_scores_are_those_of_the_whole_part() -> None:
    training = trainer()
    finish(training)
    whole = evaluate(training.network, DATA.validation, DATA.preprocessing)
    assert (training.metrics()["val_loss"], training.metrics()["val_accuracy"]) == (whole["loss"], whole["accuracy"])


def test_one_that_ends_early_in_the_middle_is_scored_to_the_end() -> None:
    training = trainer()
    while training.steps_done < 2 or training.epoch_reports():
        training.advance()
    assert not training.finished and not training.metrics()
    training.end_early()
    assert training.finished and training.metrics()["epoch"] == 1 and training.cost.forward == len(DATA.validation)
