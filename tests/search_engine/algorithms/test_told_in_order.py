"""Every algorithm that works by trials, whichever it is: killed and reloaded it asks the same (A11); results that finish in reversed order,
a fifth of them failures, change nothing (A12).

The coordinator is driven directly and nothing is trained: what a trial gives is drawn from its architecture's hash.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.algorithms.base import AlgorithmEntry, TrialPhase
from search_engine.base import checkpoint
from search_engine.base.generators import derive_seed
from search_engine.base.row_log import RowLog
from search_engine.catalogue import registry
from search_engine.catalogue.config import CheckedRun, check
from search_engine.events import Cost, Event, decode_floats
from search_engine.search.coordinator import Coordinator
from search_engine.search.starting_weights import weights_file

TRIALS = 14
KILLED_AFTER = 3
WINDOW = 4
COMMON_SPACE = "nb201"
SAMPLERS = ("gp", "tpe", "ensemble")
ENCODED = {"surrogate": ("means", "deviations", "observed", "predicted"), "marginals": ("counts", "means"), "policy": ("probabilities",)}
"""Float arrays in frames, which JSON would not show to be NaN."""


OPTIONS: dict[str, list[dict[str, Any]]] = {
    "bayesian": [{"sampler": sampler} for sampler in SAMPLERS],
    # Its quick run is over when it would be killed.
    "network_morphism": [{"steps": 4}],
}


def checked_run(name: str, options: dict[str, Any]) -> CheckedRun:
    """A run on samples (so that trials are work for somebody), with several open trials where the algorithm has a window."""
    entry = registry.algorithm(name)
    spaces = [space.id for space in registry.spaces_for(entry)]
    options = {**entry.quick.get("options", {}), **options}
    if "window" in entry.config.model_fields:
        options["window"] = WINDOW
    values: dict[str, Any] = {"algorithm": name, "options": options, "budget": {"trials": TRIALS}, "max_failures": 1000, "seed": 5}
    if COMMON_SPACE in spaces:
        values |= {"space": COMMON_SPACE, "datasets": ["digits"]}
    return check(values)


def trial_based(entry: AlgorithmEntry) -> bool:
    return "trials" in entry.needs and isinstance(checked_run(entry.id, {}).phases()[0], TrialPhase)


CASES = [
    pytest.param(entry.id, options, id="-".join([entry.id, *map(str, options.values())]))
    for entry in registry.algorithms().values()
    if trial_based(entry)
    for options in OPTIONS.get(entry.id, [{}])
]


def outcome(number: int, hash_: str) -> dict[str, Any]:
    """What that trial of that architecture gives: one in five fails."""
    failed = number % 5 == 2
    score = derive_seed("score", hash_) % 10_000 / 10_000
    return {
        "status": "failed" if failed else "completed",
        "reason": "planted" if failed else "",
        "machine": False,
        "metrics": {} if failed else {"val_accuracy": score, "val_loss": 1 - score},
        "cost": Cost(forward_backward=100).model_dump(),
        "seconds": 0.0,
    }


class Drive:
    """A coordinator and the work that it has open. `last_first`: always the work opened last finishes first."""

    def __init__(self, checked: CheckedRun, folder: Path, *, last_first: bool, reload_after: int | None = None) -> None:
        self.checked, self.folder, self.last_first, self.reload_after = checked, folder, last_first, reload_after
        self.coordinator = Coordinator(checked, folder, folder)
        self.events: list[Event] = []
        self.open: dict[int, str] = {}
        """Trial number -> hash of its architecture."""
        self.most_open = 0

    def run(self) -> list[Event]:
        """Until the search has stopped; the finale is left alone."""
        outcomes: dict[str, dict[str, Any]] = {}
        while True:
            step = self.coordinator.advance(outcomes, seconds=60)
            assert step.status == "running" and not step.more, step.reason
            self.events += step.events
            self.open |= {spec.index: spec.arguments["hash"] for spec in step.opened if spec.kind == "trial"}
            for spec in step.opened:
                if spec.kind == "trial" and spec.arguments.get("keep"):
                    # What a trial leaves whose weights later ones, or the finale, go on from.
                    tree = {"trial": spec.index, "weights": {}}
                    checkpoint.write(self.folder / weights_file(spec.index), tree, sealed=True)
            self.most_open = max(self.most_open, len(self.open))
            if any(event.kind == "search_stopped" for event in step.events):
                return self.events
            assert self.open, "nothing is open and the search has not stopped"
            if self.reload_after is not None and step.charged["trials"] >= self.reload_after:
                self._reload()
            number = max(self.open) if self.last_first else min(self.open)
            outcomes = {f"trial:{number}": outcome(number, self.open.pop(number))}

    def _reload(self) -> None:
        """What a kill leaves: the checkpoint's files, and the work that others still do."""
        checkpoint.write(self.folder / "state", self.coordinator.state_dict(), RowLog(self.folder, "state.rows"))
        state = checkpoint.read(self.folder / "state")
        self.coordinator = Coordinator(self.checked, self.folder, self.folder)
        self.coordinator.load_state_dict(state)
        self.reload_after = None


def science(events: list[Event]) -> list[tuple[Any, ...]]:
    return sorted((*event.key, event.payload.model_dump_json()) for event in events)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, dict[str, Any]], Drive]:
    """The same search with results in the order asked, never stopped; made once per case."""
    made: dict[str, Drive] = {}

    def get(name: str, options: dict[str, Any]) -> Drive:
        key = f"{name} {options}"
        if key not in made:
            made[key] = Drive(checked_run(name, options), tmp_path_factory.mktemp(name), last_first=False)
            made[key].run()
        return made[key]

    return get


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a11_killed_and_reloaded_it_asks_the_same(name: str, options: dict[str, Any], undisturbed: Any, tmp_path: Path) -> None:
    reloaded = Drive(checked_run(name, options), tmp_path, last_first=False, reload_after=KILLED_AFTER)
    assert science(reloaded.run()) == science(undisturbed(name, options).events)
    assert reloaded.reload_after is None, "it was never reloaded"


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a12_the_order_of_finishing_changes_nothing(name: str, options: dict[str, Any], undisturbed: Any, tmp_path: Path) -> None:
    drive = Drive(checked_run(name, options), tmp_path, last_first=True)
    events = drive.run()
    assert drive.most_open > 1, "nothing could finish in another order"
    assert science(events) == science(undisturbed(name, options).events)
    told = [event.payload for event in events if event.kind == "trial_told"]
    assert [payload.number for payload in told] == list(range(len(told)))
    assert {payload.status for payload in told} == {"completed", "failed"}
    [stopped] = [event.payload for event in events if event.kind == "search_stopped"]
    assert stopped.charged_trials == len(told) and stopped.overshoot == 0
    assert (stopped.reason == "budget") == (len(told) == TRIALS)
    for event in events:
        assert all(map(math.isfinite, numbers(event.payload.model_dump()))), event.kind
        for name in ENCODED.get(event.kind, ()):
            assert np.isfinite(decode_floats(getattr(event.payload, name))).all(), f"{event.kind}.{name}"


def numbers(tree: Any) -> list[float]:
    if isinstance(tree, dict | list):
        return [number for item in (tree.values() if isinstance(tree, dict) else tree) for number in numbers(item)]
    return [tree] if isinstance(tree, float) else []
