"""A generation that is evaluated in parts says what it says in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.algorithms.wann import evaluation, search
from search_engine.catalogue.config import check
from search_engine.search.local_run import LocalRun
from tests.search_engine import toys

CONFIG: dict[str, Any] = {
    "algorithm": "wann", "datasets": ["digits"], "seed": 5, "options": {"population": 100, "generations": 4, "batch_size": 200},
    "finale": {"export": False, "baselines": 0, "redundancy": False},
}


def units_and_science(folder: Path, *, reloads: bool = False) -> tuple[int, Any]:
    units = 0
    run = LocalRun(check(CONFIG), folder, folder, slice_seconds=0 if reloads else 1e9)
    run.reloads = reloads

    def counted() -> bool:
        nonlocal units
        units += 1
        return False

    assert run.run(stop=counted)["status"] == "completed"
    return units, toys.science(folder / "events.jsonl")


@pytest.mark.parametrize("reloads", [False, True])
def test_parts_change_nothing_that_is_said(reloads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = units_and_science(tmp_path / "whole")
    monkeypatch.setattr(evaluation, "AT_ONCE", 32 * 6 * 200)
    monkeypatch.setattr(search, "DRAWS_AT_ONCE", 10_000)
    split = units_and_science(tmp_path / "parts", reloads=reloads)
    assert json.dumps(split[1], default=str) == json.dumps(whole[1], default=str)
    assert split[0] > whole[0], "a stop is looked for between the parts"


def test_parts_are_whole_pieces_of_one_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    from search_engine.spaces.neuron_genes.genes import initial_genes

    population = [initial_genes(64, 10, 0.2, random.Random(seed)) for seed in range(100)]
    assert evaluation.parts(population, 6, 200, "cpu") == (None, [slice(0, 100)])
    monkeypatch.setattr(evaluation, "AT_ONCE", 1)
    how, places = evaluation.parts(population, 6, 200, "cpu")
    assert how is not None and len(places) > 1
    assert [place.start for place in places] == list(range(0, 100, how.individuals)) and places[-1].stop == 100


def test_parts_of_unequal_networks_are_computed_by_the_plan_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan hangs on the mean size: small networks in front would have another one by themselves, and another order of sums."""
    import torch

    from search_engine.spaces.neuron_genes.phenotype import compile_population

    from .test_evaluation import population

    everybody = population(64, 0) + population(64, 250, seed=1)
    inputs, labels = torch.randn(13, 200, generator=torch.manual_seed(0)), torch.arange(200) % 2
    weights = (-1.0, 0.5, 2.0)
    whole = evaluation.evaluate(everybody, inputs, labels, weights).log_likelihood
    monkeypatch.setattr(evaluation, "AT_ONCE", 1)
    how, places = evaluation.parts(everybody, len(weights), 200, "cpu")
    assert how == evaluation.plan(compile_population(everybody), len(weights), 200, "cpu")
    assert how != evaluation.plan(compile_population(everybody[places[0]]), len(weights), 200, "cpu"), "else this test shows nothing"
    found = [evaluation.evaluate(everybody[place], inputs, labels, weights, chosen=how).log_likelihood for place in places]
    assert np.array_equal(np.concatenate(found), whole)
