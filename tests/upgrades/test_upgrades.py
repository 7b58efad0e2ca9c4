"""Searches that an earlier version left off go on under this one to the end that they had undisturbed, or end with the true reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.golden.machine import difference
from tests.patience import PATIENCE

from .__main__ import SAVED
from .installation import LOCAL_NAME
from .searches import LEFT, LEFT_TABLE

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = sorted((path.name for path in SAVED.iterdir() if path.name.isdigit()), key=int)
EXACT = {name for name, left in {**LEFT, **LEFT_TABLE}.items() if left.exact}


def resumed(name: str, **environment: str) -> dict[str, Any]:
    """What a process of its own makes of the saved installation."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.upgrades", "resume", name], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def saved(name: str, file: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((SAVED / name / file).read_text())
    return content


def judge(name: str, found: dict[str, Any], *, newest: bool) -> list[str]:
    """What is wrong with what this version made of `saved/<name>`; see the package for what is asked."""
    wrong = []
    outdated: dict[str, list[str]] = {}
    forms = saved(name, "forms.json")
    for state, before in forms.items():
        now = found["forms"].get(state, {"outdated": "it was not found"})
        if "outdated" in now:
            # `a trial, trial:1` is a state of the run `a trial`.
            outdated.setdefault(state.rpartition(", ")[0] or state, []).append(now["outdated"])
        elif now["versions"] == before["versions"] and now["form"] != before["form"]:
            changed = sorted(set(now["form"]) ^ set(before["form"]))
            wrong.append(
                f"the state of {state} has another form than before under the same version {before['versions']}: {'; '.join(changed[:5])}. "
                "Raise the version, and write the step from the one before or let such runs end (search_engine.base.migrations)"
            )
        if newest and now != before:
            wrong.append(f"the state of {state} is not the newest that is saved: python -m tests.upgrades make")
    ends = saved(name, "ends.json")
    elsewhere = difference(found["machine"], ends["machine"])
    for run, before in ends["ends"].items():
        now = found["ends"][run]
        if run in outdated and now["state"] in ("failed", "refused"):
            if not any(reason in now["reason"] for reason in outdated[run]) or "machine" in now["reason"] + now["reproducible_note"]:
                wrong.append(f"{run} ended with '{now['reason']}' ({now['reproducible_note']}), and the reason is '{outdated[run][0]}'")
            continue
        compared = ["state", "reason", "keys", "facts"]
        if run in EXACT or not elsewhere:
            compared += ["science", "reproducible_note"]
        differ = {field: (before[field], now.get(field)) for field in compared if now.get(field) != before[field]}
        # What begins again under another version may compute otherwise, and then says so.
        if differ and not (run in outdated and "gave another result" in now["reproducible_note"]):
            wrong.append(f"{run} came to another end than undisturbed: {differ}")
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERS)
def test_what_was_left_off_goes_on_or_ends_with_the_true_reason(name: str) -> None:
    assert judge(name, resumed(name), newest=name == NUMBERS[-1]) == []


@pytest.mark.parametrize("name", [f"{number}-table" for number in NUMBERS if (SAVED / f"{number}-table").exists()])
def test_a_search_of_a_table_goes_on_too(name: str, data_dir: Path) -> None:
    assert judge(name, resumed(name, NASCOPE_DATA=str(data_dir)), newest=name == f"{NUMBERS[-1]}-table") == []


def test_every_kind_of_state_is_saved() -> None:
    """Trials, groups, phases, the finale, the coordinator in each, and the command line's."""
    states = {state.rpartition(", ")[2].partition(":")[0] for state in saved(NUMBERS[-1], "forms.json")}
    assert states == {"run", "trial", "group", "phase", "final", LOCAL_NAME}
    assert set(saved(NUMBERS[-1], "ends.json")["ends"]) == {*LEFT, LOCAL_NAME}
    assert sum(path.stat().st_size for path in SAVED.rglob("*") if path.is_file()) < 3_000_000


# ---- the judge itself: what it must not let pass


def good() -> dict[str, Any]:
    name = NUMBERS[-1]
    return {"machine": saved(name, "ends.json")["machine"], "forms": saved(name, "forms.json"), "ends": saved(name, "ends.json")["ends"]}


def test_what_is_as_it_was_is_let_pass() -> None:
    assert judge(NUMBERS[-1], good(), newest=True) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found["forms"]["steps, phase:0"]["form"].append("new: number"), "another form than before under the same version"),
        (lambda found: found["forms"]["steps, phase:0"].update(versions=[1, 99], form=[]), "not the newest that is saved"),
        (lambda found: found["ends"]["a formula"].update(science="0"), "a formula came to another end"),
        (lambda found: found["ends"]["steps"].update(keys="0"), "steps came to another end"),
        (lambda found: found["ends"]["steps"].update(state="failed", reason="because of the machine"), "steps came to another end"),
    ],
    ids=["a form", "a version that is not saved", "science by a formula", "keys", "an end without a cause"],
)
def test_the_judge_finds(change: Any, said: str) -> None:
    found = good()
    change(found)
    assert any(said in line for line in judge(NUMBERS[-1], found, newest=True))


def test_a_run_that_cannot_go_on_must_say_why_and_blame_nothing_else() -> None:
    why = "DARTS (Search) was saved with state version 5, and this version of NAScope goes on from 6"
    found = good()
    found["forms"]["steps, phase:0"] = {"outdated": why}
    found["ends"]["steps"].update(state="failed", reason=f"phase 1 of the search failed: {why}", reproducible_note="")
    assert judge(NUMBERS[-1], found, newest=False) == []
    found["ends"]["steps"]["reproducible_note"] = f"phase 1 of the search failed because of the machine: {why}"
    assert len(judge(NUMBERS[-1], found, newest=False)) == 1
    found["ends"]["steps"].update(reason="3 failures without progress", reproducible_note="")
    assert len(judge(NUMBERS[-1], found, newest=False)) == 1
