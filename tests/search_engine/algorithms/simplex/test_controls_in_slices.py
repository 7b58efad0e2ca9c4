"""Every collapse control in the search loop: a kill after any step and a fresh process change no event and no result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search_engine.base import checkpoint
from search_engine.catalogue.config import check
from search_engine.search.budget import Meter
from search_engine.search.phase_work import PhaseWork
from search_engine.search.work import WorkSpec, run_slice
from tests.search_engine.algorithms.simplex.simplex_searches import METHODS

STEPS = 4
CONTROLS: dict[str, dict[str, Any]] = {
    "partial_channels": {"partial_channels": 2, "edge_normalisation": True},
    "shrinking_afresh": {
        "shrink_stages": 3, "shrink_cells": [1, 2, 1], "shrink_partial_channels": [4, 2, 1], "skip_dropout": [0.2, 0.4, 0.7], "skip_cap": 1,
    },
    "shrinking_onward": {"shrink_stages": 2, "shrink_restart": False, "edge_normalisation": True, "partial_channels": 2},
    "widening": {"shrink_stages": 3, "shrink_restart": False, "shrink_partial_channels": [4, 2, 2], "edge_normalisation": True},
    "habits": {"skip_limit": 1, "stable_epochs": 30, "eigenvalue_ratio": 1.3, "eigenvalue_window": 1, "structure_data": "validation"},
}


def work(folder: Path, method: str, control: str) -> PhaseWork:
    algorithm, own = METHODS[method]
    checked = check(
        {
            "algorithm": algorithm, "space": "nb201", "space_options": {"channels": 4}, "datasets": ["digits"], "seed": 3,
            "options": {"steps": STEPS, "batch_size": 8, **own, **CONTROLS[control]},
        }
    )
    spec = WorkSpec(kind="phase", index=0, arguments={"charged": Meter(checked.budget).state_dict()})
    return PhaseWork(spec, checked, folder, folder)


def result(item: PhaseWork, events: list[Any]) -> dict[str, Any]:
    outcome = {name: value for name, value in item.outcome().items() if name != "seconds"}
    return {"events": [event.model_dump(mode="json") for event in events], "outcome": outcome}


OTHERS = [method for method in METHODS if method not in ("first", "second")]


@pytest.mark.parametrize(
    ("method", "control"),
    [
        *(("first", control) for control in CONTROLS),
        *((method, "shrinking_onward") for method in OTHERS),
        pytest.param("second", "shrinking_onward", marks=pytest.mark.slow),
    ],
)
def test_a_kill_after_every_step_changes_no_bit(method: str, control: str, tmp_path: Path) -> None:
    whole = work(tmp_path, method, control)
    expected = result(whole, run_slice(whole, 1000))
    assert expected["outcome"]["status"] == "completed" and expected["outcome"]["steps"] == STEPS
    item, events = work(tmp_path, method, control), []
    while not item.finished:
        events += run_slice(item, 0)
        state = checkpoint.unpack(checkpoint.pack(item.state_dict()))
        item = work(tmp_path, method, control)
        item.load_state_dict(state)
    assert result(item, events) == expected
