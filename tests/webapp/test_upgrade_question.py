"""Before `up` migrates the database it says which runs would end, and asks."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from search_engine.search import upgrade as engine_upgrade
from tests.search_engine import toys
from webapp.core.models import Job, Run
from webapp.jobs import advance, files, upgrade
from webapp.jobs.management.commands import up
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import make_run
from .test_advance import INSTANT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An open run with a checkpoint."""
    with toys.registered():
        monkeypatch.setattr(advance, "EVENTS", 10)
        run, session = make_run(INSTANT), Session("cpu")
        assert serve_one(session)
        session.end()
        yield run


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """This program as a later version that cannot go on with such runs."""
    monkeypatch.setattr(engine_upgrade, "STATE_VERSION", 99)


def said(**options: Any) -> tuple[str, int]:
    output, status = io.StringIO(), 0
    try:
        call_command("check_runs", stdout=output, **options)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return output.getvalue(), status


def test_runs_that_go_on_are_not_named(run: Run) -> None:
    assert upgrade.endings() == []
    assert said() == ("every open run goes on\n", 0)
    assert said(json=True) == ("[]\n", 0)


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("state", ["queued", "running", "pausing", "paused"])
def test_an_open_run_of_another_version_is_named_with_the_reason(run: Run, state: str) -> None:
    Run.objects.filter(pk=run.pk).update(state=state)
    text, status = said()
    assert status == 1 and text.startswith(f"would end: test, random, seed 3 ({run.pk}): the run was saved with state version ")
    assert text.endswith("and this version of NAScope goes on from 99\n")
    [row] = json.loads(said(json=True)[0])
    assert row["run"] == str(run.pk) and row["reason"] in text


@pytest.mark.usefixtures("newer")
def test_what_has_ended_or_not_begun_is_not_named(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="completed")
    make_run(INSTANT)
    assert upgrade.endings() == []


def test_a_phase_is_looked_at_too() -> None:
    from search_engine.catalogue.config import check

    from .test_causes import STEPS

    checked = check(STEPS)
    version = checked.phases()[0].state_version
    whole = {"version": 1, "state": {"version": version}}
    assert engine_upgrade.why_it_ends(checked, "phase:0", whole) == ""
    assert "goes on from" in engine_upgrade.why_it_ends(checked, "phase:0", {"version": 1, "state": {"version": version - 1}})
    assert "phase:0 was saved with state version 7" in engine_upgrade.why_it_ends(checked, "phase:0", {**whole, "version": 7})


def test_a_run_whose_algorithm_is_gone_or_whose_file_is_damaged_is_named(run: Run) -> None:
    job = Job.objects.get(run=run, kind="advance")
    path = files.run_dir(run.pk) / job.checkpoint_path
    whole = path.read_bytes()
    path.write_bytes(b"")
    [ending] = upgrade.endings()
    assert ending.reason == f"checkpoint {path.name} does not have the digest that was recorded"
    path.write_bytes(whole)
    Run.objects.filter(pk=run.pk).update(config={**run.config, "algorithm": "mine"})
    [ending] = upgrade.endings()
    assert "there is no 'mine'" in ending.reason


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "flag", "starts"),
    [("y\n", False, True), ("\n", False, False), ("no\n", False, False), (None, False, False), (None, True, True)],
    ids=["yes", "enter", "no", "no terminal", "no terminal, but the flag"],
)
def test_up_asks_before_it_ends_a_run(monkeypatch: pytest.MonkeyPatch, terminal: str | None, flag: bool, starts: bool) -> None:
    found = [upgrade.Ending("1", "mine", "the run was saved with state version 4")]
    monkeypatch.setattr(upgrade, "endings_by_another_process", lambda: found)
    monkeypatch.setattr(sys, "stdin", io.StringIO() if terminal is None else Terminal(terminal))
    told = io.StringIO()
    if starts:
        up._ask_about_runs(told, end_runs=flag)
    else:
        with pytest.raises(CommandError, match=r"nothing was changed: start the version .* or give --end-runs"):
            up._ask_about_runs(told, end_runs=flag)
    assert "cannot go on with 1 open run, which would end:" in told.getvalue() and "mine (1): the run was saved" in told.getvalue()


def test_nobody_is_asked_where_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "endings_by_another_process", list)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    told = io.StringIO()
    up._ask_about_runs(told, end_runs=False)
    assert told.getvalue() == ""
