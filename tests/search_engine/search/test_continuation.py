"""More budget: a search that goes on where another was cut does what one long search does, and says when it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.catalogue.config import CheckedRun, check, check_new
from search_engine.search import continuation
from search_engine.search.local_run import Interrupted, LocalRun
from tests.search_engine import toys

FINALE = {"baselines": 0, "onnx": False, "redundancy": False, "export": False}
QUICK = {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 2}
SEQUENCE = {"space": "sequence", "budget": {"trials": 20}}
TRAINED = {
    "space": "nb201", "datasets": ["digits"], "budget": {"trials": 4}, "training": QUICK, "finale": {**FINALE, "training": QUICK},
}  # fmt: skip
EVOLUTION = {"population": 3, "sample": 2, "window": 3}
STEPS = {"algorithm": "darts", "space": "nb201", "datasets": ["digits"], "finale": {**FINALE, "training": QUICK}}
CONSTANT = {"steps": 4, "batch_size": 32, "learning_rate": 0.02, "final_learning_rate": 0.02}

CUT = {
    "random, 4 open": ({"algorithm": "random", "options": {"window": 4}, **SEQUENCE}, "trials", 15),
    "grid": ({"algorithm": "grid", **SEQUENCE}, "trials", 15),
    "evolution": ({"algorithm": "regularized_evolution", "options": {"population": 6, "sample": 3, "window": 3}, **SEQUENCE}, "trials", 15),
    "REINFORCE": ({"algorithm": "nas_rl", **SEQUENCE}, "trials", 15),
    "a generation, cut": ({"algorithm": "generational", "space": "bits", "datasets": ["ones"], "budget": {"trials": 6}}, "trials", 7),
    "trained, 3 open": ({"algorithm": "regularized_evolution", "options": EVOLUTION, **TRAINED}, "trials", 3),
    "trained together": ({"algorithm": "random", "together": 3, "options": {"window": 3}, **TRAINED}, "trials", 3),
    "steps by a budget": ({**STEPS, "options": {"steps": 9, "batch_size": 32}, "budget": {"samples": 150.0}}, "samples", 150.0),
    "steps by the plan": ({**STEPS, "options": CONSTANT}, "steps", 3),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _toys() -> Iterator[None]:
    with toys.registered(algorithms=(toys.GENERATIONAL,)):
        yield


def run(checked: CheckedRun, folder: Path, *, reloads: bool = False, beginning: continuation.Beginning | None = None) -> dict[str, Any]:
    local = LocalRun(checked, folder.parent, folder, slice_seconds=1e9 if not reloads else 0.0, beginning=beginning)
    local.reloads = reloads
    return local.run()


def searched(folder: Path) -> list[tuple[Any, ...]]:
    """The science of search and finale; why the search stopped is the same in words."""
    return toys.science(folder / "events.jsonl")


@pytest.mark.parametrize("case", sorted(CUT))
def test_a_search_that_goes_on_is_one_long_search(case: str, tmp_path: Path) -> None:
    config, unit, more = CUT[case]
    short = check_new(config, tmp_path)
    first = run(short, tmp_path / "first", reloads=True)
    assert first["status"] == "completed", first["reason"]
    there = continuation.possible(tmp_path / "first", short, first["stop_reason"])
    assert first["more"] == {"unit": unit, "have": there.have}
    long = check(continuation.longer(short.config, there, unit, more), tmp_path)
    second = run(long, tmp_path / "second", reloads=True, beginning=continuation.Beginning.of(tmp_path / "first"))
    whole = run(long, tmp_path / "whole")
    assert searched(tmp_path / "second") == searched(tmp_path / "whole")
    assert len(searched(tmp_path / "whole")) > len(searched(tmp_path / "first"))
    counted = ("trials", "samples", "flops")
    assert [second["budget"][name] for name in counted] == [whole["budget"][name] for name in counted]
    assert second["test_visits"] == second["tested"] + first["tested"]
    # And again from there, which is the third visit where there is a test split.
    there = continuation.possible(tmp_path / "second", long, second["stop_reason"])
    longest = check(continuation.longer(long.config, there, unit, more), tmp_path)
    third = run(longest, tmp_path / "third", beginning=continuation.Beginning.of(tmp_path / "second"))
    assert third["test_visits"] == 3 * first["tested"]


def test_what_was_open_and_is_finished_since_is_not_done_again(tmp_path: Path) -> None:
    config, unit, more = CUT["trained, 3 open"]
    short = check_new(config, tmp_path)
    run(short, tmp_path / "first")
    beginning = continuation.Beginning.of(tmp_path / "first")
    assert len(beginning.reused) == 2 and not beginning.anew
    there = continuation.possible(tmp_path / "first", short, "budget")
    local = LocalRun(check(continuation.longer(short.config, there, unit, more)), tmp_path, tmp_path / "second", beginning=beginning)
    assert not local.queue
    # Without their results they are done again, and the science is the same.
    (tmp_path / "first" / continuation.OUTCOMES).unlink()
    beginning = continuation.Beginning.of(tmp_path / "first")
    assert len(beginning.anew) == 2
    long = check(continuation.longer(short.config, there, unit, more))
    run(long, tmp_path / "third", beginning=beginning)
    local.run()
    assert searched(tmp_path / "third") == searched(tmp_path / "second")


def test_one_that_was_killed_while_it_went_on_resumes(tmp_path: Path) -> None:
    config, unit, more = CUT["steps by the plan"]
    short = check_new(config, tmp_path)
    run(short, tmp_path / "first")
    there = continuation.possible(tmp_path / "first", short, "horizon")
    long = check(continuation.longer(short.config, there, unit, more))
    beginning = continuation.Beginning.of(tmp_path / "first")
    asked = iter([False, True])
    with pytest.raises(Interrupted):
        LocalRun(long, tmp_path, tmp_path / "second", slice_seconds=0.0, beginning=beginning).run(stop=lambda: next(asked))
    result = LocalRun(long, tmp_path, tmp_path / "second", resume=True, beginning=beginning).run()
    run(long, tmp_path / "whole")
    assert searched(tmp_path / "second") == searched(tmp_path / "whole")
    assert result["test_visits"] == 2


@pytest.mark.parametrize(("case", "limit"), [("trained, 3 open", 7), ("steps by a budget", 400.0)])
def test_a_search_is_ended_where_it_is(case: str, limit: float, tmp_path: Path) -> None:
    config, unit, _ = CUT[case]
    checked = check_new({**config, "budget": {unit: limit}}, tmp_path)
    assert checked.budget is not None
    asked = iter([False, False, True])
    with pytest.raises(Interrupted):
        LocalRun(checked, tmp_path, tmp_path / "run", slice_seconds=0.0).run(stop=lambda: next(asked))
    local = LocalRun(checked, tmp_path, tmp_path / "run", resume=True)
    local.finish_now()
    local.reloads = True
    result = local.run()
    assert (result["status"], result["stop_reason"], result["reproducible"]) == ("completed", "ended", False)
    assert result["best"] and result["tested"] == 1 and "owner" in result["reproducible_note"]
    used = result["budget"][unit]
    assert 0 < used < checked.budget.limit
    # What it has left of its budget, and more, can be had later: then it is the search that was never ended.
    there = continuation.possible(tmp_path / "run", checked, "ended")
    long = check(continuation.longer(checked.config, there, unit, int(checked.budget.limit - there.have)))
    assert long.budget == checked.budget
    run(long, tmp_path / "second", beginning=continuation.Beginning.of(tmp_path / "run"))
    run(checked, tmp_path / "whole")
    assert searched(tmp_path / "second") == searched(tmp_path / "whole")


@pytest.mark.parametrize(
    ("config", "reason", "words"),
    [
        ({"algorithm": "grid", **SEQUENCE}, "exhausted", "no architecture is left"),
        ({**STEPS, "options": {"steps": 2, "batch_size": 32}}, "horizon", "follows the planned length"),
        ({"algorithm": "network_morphism", "budget": {"trials": 2}}, "budget", "weights of earlier ones"),
    ],
)  # fmt: skip
def test_what_cannot_go_on_says_why(config: dict[str, Any], reason: str, words: str, tmp_path: Path) -> None:
    checked = check(config)
    found = continuation.possible(tmp_path, checked, reason)
    assert not found.unit and words in found.why_not
    with pytest.raises(BadInput, match="cannot go on"):
        continuation.longer(checked.config, found, "trials", 5)


@pytest.mark.parametrize(
    ("unit", "more", "field"),
    [("samples", 5, "unit"), *(("trials", number, "more") for number in (0, 1.5, float("nan"), float("inf"), 1e12))],
)
def test_an_amount_that_is_none_is_refused(unit: str, more: float, field: str) -> None:
    checked = check({"algorithm": "random", **SEQUENCE})
    with pytest.raises(BadInput) as refused:
        continuation.longer(checked.config, continuation.Possible("trials", 20), unit, more)
    assert refused.value.field == field


def test_files_that_are_damaged_or_gone_are_told(tmp_path: Path) -> None:
    checked = check({"algorithm": "random", **SEQUENCE})
    run(checked, tmp_path / "first")
    kept = tmp_path / "first" / continuation.SEARCH
    data = kept.read_bytes()
    kept.write_bytes(data[:-5] + bytes(5))
    assert "begin a new one" in continuation.possible(tmp_path / "first", checked, "budget").why_not
    with pytest.raises(BadInput, match="cannot go on"):
        continuation.Beginning.of(tmp_path / "first")
    kept.unlink()
    with pytest.raises(BadInput, match="cannot go on"):
        continuation.Beginning.of(tmp_path / "first")


def test_the_result_says_what_it_goes_on_with(tmp_path: Path) -> None:
    checked = check({"algorithm": "random", **SEQUENCE})
    run(checked, tmp_path / "first")
    long = check(continuation.longer(checked.config, continuation.Possible("trials", 20), "trials", 5))
    run(long, tmp_path / "second", beginning=continuation.Beginning.of(tmp_path / "first"))
    result = json.loads((tmp_path / "second" / "result.json").read_text())
    assert result["continues"] == {"folder": str(tmp_path / "first"), "test_visits": 0} and result["tried"]["trials"] == 25
