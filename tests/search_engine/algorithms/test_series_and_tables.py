"""Planted truths of the spaces for series and tables: what must be found is found at stated seeds, and by wrong variants it is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from operator import neg
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search_engine.algorithms.base import Context, Result
from search_engine.algorithms.simplex.darts import DartsConfig, DartsSearch
from search_engine.algorithms.trials.regularized_evolution import RegularizedEvolution, RegularizedEvolutionConfig
from search_engine.base.lazy import load_object
from search_engine.base.training_config import TrainingConfig
from search_engine.catalogue import registry
from search_engine.catalogue.config import check_new
from search_engine.events import Cost, EventLog
from search_engine.search.local_run import LocalRun
from search_engine.spaces.genomes import Genome
from search_engine.training.trainer import Trainer
from tests.golden.expect import assert_golden
from tests.golden.searches import OF_KINDS, of_kind
from tests.search_engine import toys

RELATING = ("gated_linear", "residual_block", "attention")
"""What relates columns; one linear layer is a sum of functions of single columns."""
SEEDS = (0, 1, 2)


def opened(space_id: str, dataset_id: str, seed: int, options: dict[str, Any], data_options: dict[str, Any]) -> tuple[Any, Any]:
    entry, dataset = registry.space(space_id), registry.dataset(dataset_id)
    data = dataset.open(dataset.config(**data_options), Path())
    found = data.search_data(seed)  # type: ignore[union-attr]
    return entry.space(entry.config(**options), found.shape), found


@pytest.mark.parametrize("name", sorted(OF_KINDS))
def test_the_science_of_a_small_search_is_the_golden_one(name: str, tmp_path: Path) -> None:
    result = LocalRun(check_new(of_kind(name), tmp_path), tmp_path, tmp_path).run()
    assert result["status"] == "completed", result["reason"]
    assert_golden(name, toys.science(tmp_path / "events.jsonl"))


# ---- a table: only what relates columns can say the class


def relating_share(search: DartsSearch) -> float:
    """How much of the weights lies on operations that relate columns, mean over the edges."""
    space: Any = search.context.space
    names = space.operations
    columns = [names.index(name) for name in RELATING]
    (alpha,) = search.alpha.parameters
    return float(torch.softmax(alpha.detach(), dim=1)[:, columns].sum(dim=1).mean())


class Flipped(DartsSearch):
    """Climbs the validation loss."""

    def _step_structure(self) -> None:
        for alpha in self.alpha.parameters:
            assert alpha.grad is not None
            alpha.grad = -alpha.grad
        super()._step_structure()


def darts_on_a_table(kind: type[DartsSearch], seed: int) -> DartsSearch:
    space, data = opened("tabular_cell", "switched_column", seed, {"nodes": 1, "search_cells": 1}, {})
    torch.manual_seed(seed)
    context = Context(
        space=space, options=DartsConfig(epochs=12, learning_rate=0.1), seed=seed, rng=random.Random(seed), metric="val_accuracy",
        log=EventLog("phase:0"), data=data, structure_every=10**6,
    )
    search = kind()
    search.begin(context, None)
    while not search.finished:
        search.step()
    return search


@pytest.mark.parametrize("seed", SEEDS)
def test_darts_finds_what_relates_columns(seed: int) -> None:
    search = darts_on_a_table(DartsSearch, seed)
    assert relating_share(search) > 0.6
    edges = search.best()[0].genome.content["normal"]["edges"]
    assert any(operation in RELATING for _, _, operation in edges)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_that_climbs_the_loss_does_not(seed: int) -> None:
    assert relating_share(darts_on_a_table(Flipped, seed)) < 0.5


# ---- series: only a dilated convolution reaches from the pulse to its echo

DELAYS = (30, 36)
"""Two layers reach 15 + 12 = 27 moments without a dilated convolution, and 27 + 12 = 39 with one and another of 7 moments."""
ECHO = {"examples": 1000, "length": 96, "delays": DELAYS, "validation_share": 0.3}


class Trained:
    """What a genome of two layers scores once it is trained, each computed once."""

    def __init__(self) -> None:
        self.space, self.data = opened("macro_1d", "echo", 0, {"layers": 2}, ECHO)
        self._known: dict[str, float] = {}

    def __call__(self, genome: Genome) -> float:
        key = self.space.to_string(genome)
        if key not in self._known:
            torch.manual_seed(0)
            config = TrainingConfig(epochs=12, optimizer="adam", learning_rate=0.02, channels=8)
            network = load_object(registry.space("macro_1d").builder)(self.space, genome, "trial", config)
            trainer = Trainer(network, self.data, config, seed=0)
            while not trainer.finished:
                trainer.advance()
            self._known[key] = trainer.metrics()["val_accuracy"]
        return self._known[key]


@pytest.fixture(scope="module")
def trained() -> Trained:
    return Trained()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("dil_conv_7 | sep_conv_7", True), ("dil_conv_7 | dil_conv_7", True), ("sep_conv_7 | sep_conv_7", False),
        ("nor_conv_7 | sep_conv_7 1", False), ("nor_conv_7 | nor_conv_7", False),
    ],
)
def test_no_operation_of_short_reach_hears_the_echo(trained: Trained, text: str, finds: bool) -> None:
    value = trained(trained.space.from_string(text))
    assert value > 0.9 if finds else value < 0.6


def evolve(trained: Trained, seed: int, told: Callable[[float], float] = float) -> list[float]:
    """What the individuals of a search score, in birth order; it is `told` something that need not be that."""
    phase = RegularizedEvolution()
    options = RegularizedEvolutionConfig(population=8, sample=8)
    phase.begin(
        Context(space=trained.space, options=options, seed=seed, rng=random.Random(seed), metric="val_accuracy", log=EventLog("run")), None
    )
    values = []
    for number in range(48):
        [proposal] = phase.ask()
        values.append(trained(proposal.genome))
        phase.tell([Result(number, proposal.genome, "completed", {"val_accuracy": told(values[-1])}, Cost())])
    return values


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_regularized_evolution_breeds_what_hears_the_echo(trained: Trained, seed: int) -> None:
    """Of the 98 networks six score above .9, and their mean is .53. The last half is what the search bred, not what it began with."""
    found, opposite, blind = (evolve(trained, seed, told)[24:] for told in (float, neg, lambda value: 0.0 * value))
    assert max(found) > 0.9
    assert np.mean(found) > max(np.mean(opposite), np.mean(blind)) + 0.1
