"""DARTS as work in slices: equal bits however it is cut."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from search_engine.base import checkpoint
from search_engine.catalogue.config import check
from search_engine.search.budget import Meter
from search_engine.search.phase_work import PhaseWork
from search_engine.search.work import WorkSpec, run_slice

CONFIG = {
    "algorithm": "darts", "space": "nb201", "space_options": {"channels": 4}, "datasets": ["digits"], "seed": 3,
    "options": {"steps": 6, "warm_up_epochs": 0},
}


def work(folder: Path, **changes: Any) -> PhaseWork:
    checked = check({**CONFIG, **changes})
    spec = WorkSpec(kind="phase", index=0, arguments={"charged": Meter(checked.budget).state_dict()})
    return PhaseWork(spec, checked, folder, folder)


def facts(item: PhaseWork, events: list[Any]) -> dict[str, Any]:
    outcome = {name: value for name, value in item.outcome().items() if name != "seconds"}
    return {"events": [event.model_dump(mode="json") for event in events], "outcome": outcome}


def at_once(folder: Path, **changes: Any) -> dict[str, Any]:
    item, events = work(folder, **changes), []
    while not item.finished:
        events += run_slice(item, 1000)
    return facts(item, events)


def test_a_reload_after_every_step_changes_no_bit(tmp_path: Path) -> None:
    item, events = work(tmp_path), []
    while not item.finished:
        events += run_slice(item, 0)
        state = checkpoint.unpack(checkpoint.pack(item.state_dict()))
        item = work(tmp_path)
        item.load_state_dict(state)
    assert facts(item, events) == at_once(tmp_path)


def test_work_loads_torch_before_its_generators_are_seeded(tmp_path: Path) -> None:
    """A process that loads torch only inside its first slice would start from an unseeded generator."""
    code = (
        "import sys; from pathlib import Path; from tests.search_engine.algorithms.simplex.test_darts_work import work\n"
        "before = 'torch' in sys.modules; work(Path(sys.argv[1])); print(before, 'torch' in sys.modules)"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["False", "True"]


def test_a_budget_cuts_the_search_short_and_does_not_reshape_it(tmp_path: Path) -> None:
    whole, cut = at_once(tmp_path), at_once(tmp_path, budget={"samples": 300})
    assert cut["outcome"]["reason"] == "budget" and cut["outcome"]["steps"] == 3
    assert cut["outcome"]["cost"]["forward_backward"] == pytest.approx(3 * 127, abs=3)
    steps = [event for event in whole["events"] if event["step"] <= 3]
    assert cut["events"] == steps
    assert whole["outcome"]["reason"] == "horizon" and whole["outcome"]["steps"] == 6
