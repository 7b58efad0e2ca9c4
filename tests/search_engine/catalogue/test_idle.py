"""A setting works, or is refused, or is said to be idle: for every algorithm on every space that it searches."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_engine.algorithms.base import NEVER_TWICE
from search_engine.base.errors import BadInput
from search_engine.catalogue import registry
from search_engine.catalogue.config import check, check_new
from search_engine.catalogue.idle import idle, without_company
from search_engine.search.local_run import LocalRun
from tests.search_engine.catalogue.reading import reading
from tests.search_engine.catalogue.settings import only_choice, settings
from tests.search_engine.catalogue.small import OPTIONS, PAIRS, own_space, small

EVENTFUL = {
    "options.failed": "where a trial fails",
    "options.rule": "where a neighbour is better",
    "options.candidates": "where neurons are added, which `auto` does on data of one feature",
    "options.refit_steps": "as candidates",
}
"""Fields that are read when something happens that a small run does not bring about: tested where they belong."""


@pytest.mark.parametrize(
    ("algorithm", "space"),
    [pytest.param(*pair, marks=pytest.mark.slow if pair[1] == own_space(pair[0]) else pytest.mark.night) for pair in PAIRS],
)
def test_what_a_run_never_reads_is_declared_idle(algorithm: str, space: str, tmp_path: Path) -> None:
    """Declare it in `AlgorithmEntry.idle` or `SpaceEntry.idle`, or say what company it needs (`works_with` of its config class)."""
    checked = check_new(small(algorithm, space))
    with reading(checked) as found:
        result = LocalRun(checked, tmp_path, tmp_path).run()
    assert result["status"] == "completed", result["reason"]
    declared = set(idle(checked.algorithm, checked.space, checked.dataset)) | set(without_company(checked))
    # Where every candidate chooses its optimiser, some run without momentum.
    declared |= {f"{place}.momentum" for place in ("training", "finale.training") if f"{place}.optimizer" in declared}
    unread = settings(checked) - found.fields - declared - set(EVENTFUL)
    assert sorted(field for field in unread if not only_choice(checked, field)) == []


@pytest.mark.parametrize(("algorithm", "space"), PAIRS)
def test_what_is_declared_idle_is_a_setting(algorithm: str, space: str) -> None:
    checked = check(small(algorithm, space))
    declared = idle(checked.algorithm, checked.space, checked.dataset)
    assert set(declared) <= settings(checked)
    assert all(why and not why.endswith(".") for why in declared.values())
    assert set(without_company(checked)) <= settings(checked)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"algorithm": "random", "space": "mlp", "budget": {"trials": 2}, "training": {"learning_rate": 1e-9}}, "training.learning_rate"),
        ({"algorithm": "lottery_ticket", "training": {"learning_rate": 10}}, "training.learning_rate"),
        ({"algorithm": "evidence", "finale": {"training": {"epochs": 3}}}, "finale.training.epochs"),
        ({"algorithm": "wann", "finale": {"baselines": 0}}, "finale.baselines"),
        ({"algorithm": "grid", "space": "cell", "space_options": {"search_cells": 3}}, "space_options.search_cells"),
        ({"algorithm": "enas", "space": "nb201", "options": {"skip_target": 0.5}}, "options.skip_target"),
        ({"algorithm": "random", "space": "sequence", "budget": {"trials": 2}, "structure_every": 5}, "structure_every"),
    ],
)
def test_a_value_for_what_is_idle_is_refused_in_a_new_run(values: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput, match="does not use it") as caught:
        check_new(values)
    assert (caught.value.field, caught.value.code) == (field, "idle")
    # A run that was begun before goes on.
    check(values)


def test_every_algorithm_is_looked_at() -> None:
    assert {algorithm for algorithm, _ in PAIRS} == set(registry.algorithms())


@pytest.mark.parametrize(
    ("values", "lacking"),
    [
        ({"algorithm": "adanet"}, {"surrogate"}),
        ({"algorithm": "adanet", "datasets": ["breast_cancer"]}, set()),
        ({"algorithm": "evidence"}, {"hessian", "level_one_steps"}),
        ({"algorithm": "evidence", "space_options": {"bases": ["tanh"]}}, set()),
        ({"algorithm": "evidence", "datasets": ["wine"], "space_options": {"max_degree": 1}}, {"hessian", "initial_beta"}),
        ({"algorithm": "adddel"}, {"candidates", "hidden", "refit_steps"}),
        ({"algorithm": "adddel", "datasets": ["wine"]}, {"candidates", "hidden"}),
        ({"algorithm": "adddel", "options": {"unit": "neuron"}}, set()),
        ({"algorithm": "adddel", "options": {"unit": "weight", "removal": "obd"}}, {"candidates"}),
    ],
)
def test_what_hangs_on_space_and_data_is_said(values: dict[str, object], lacking: set[str]) -> None:
    here = {"surrogate", "hessian", "level_one_steps", "initial_beta", "candidates", "hidden", "refit_steps"}
    assert {field.removeprefix("options.") for field in without_company(check(values))} & here == lacking


@pytest.mark.parametrize("algorithm", [entry.id for entry in registry.algorithms().values() if NEVER_TWICE in entry.idle])
def test_who_proposes_nothing_twice_does_not(algorithm: str, tmp_path: Path) -> None:
    """To the last architecture of a small space, with several open trials."""
    values = {"algorithm": algorithm, "space": "sequence", "space_options": {"n": 3}, "options": {"window": 4}, "budget": {"trials": 100}}
    options = {**values["options"], **OPTIONS.get(algorithm, {})}  # type: ignore[dict-item]
    result = LocalRun(check_new({**values, "options": options}), tmp_path, tmp_path).run()
    assert result["tried"]["repeated"] == 0 and result["tried"]["architectures"] > 10
