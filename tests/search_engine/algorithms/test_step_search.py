"""What searches by steps share: counters, cost, where they stand, their part of the checkpoint."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from search_engine.algorithms.base import AlgorithmConfig, Context, Finalist
from search_engine.algorithms.step_search import StepSearch
from search_engine.base.checkpoint import pack, unpack
from search_engine.base.errors import TrialFailure
from search_engine.events import Cost, EventLog


class Multiplying(StepSearch[AlgorithmConfig]):
    """A matrix product a step, from whatever `x` is."""

    title = "Multiplying"
    x = 1.0
    steps: int | None = 3

    @property
    def horizon(self) -> int | None:
        return self.steps

    def step(self) -> Cost:
        self.require_finite("x", self.x)
        with self.flops_once("product"):
            torch.ones(2, 3) @ torch.ones(3, 4)
        self.done += 1
        return self.spend(Cost(forward_backward=4, forward=2, flops=self.flops["product"]))

    def best(self) -> list[Finalist]:
        return []


def begun(**given: Any) -> Multiplying:
    search = Multiplying()
    vars(search).update(given)
    search.begin(Context(None, AlgorithmConfig(), 0, random.Random(0), "val_accuracy", EventLog("phase:0")), None)  # type: ignore[arg-type]
    return search


def test_steps_and_what_they_cost_are_counted_to_the_horizon() -> None:
    search = begun()
    first = search.step()
    assert first.flops == 2 * 2 * 3 * 4 and not search.finished
    before = search.cost
    search.step()
    assert search.spent_since(before) == first
    search.step()
    assert search.finished and search.steps_done == 3
    assert search.cost == Cost(forward_backward=12, forward=6, flops=3 * first.flops)


def test_without_a_horizon_only_the_budget_ends_it() -> None:
    search = begun(steps=None)
    for _ in range(5):
        search.step()
    assert not search.finished and search.where == "at step 6"


def test_a_checkpoint_takes_the_counters_along() -> None:
    search, other = begun(), begun()
    search.step()
    other.load_state_dict(unpack(pack(search.state_dict())))
    assert (other.done, other.cost, other.flops) == (search.done, search.cost, search.flops)
    other.flops["product"] = 7.0
    assert search.flops["product"] != 7.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_fails_with_its_step(value: float) -> None:
    search = begun(x=value)
    with pytest.raises(TrialFailure, match="x is not a number at step 1 of 3; try a smaller learning rate"):
        search.step()


def test_a_data_set_without_samples_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="Multiplying trains on samples; this data set gives none"):
        _ = begun().samples
