"""Finish now: the search ends where it is, what it found is finished, and the record says that another run would not end there."""

from __future__ import annotations

from typing import Any

import pytest

from search_engine.search.stop_reasons import ENDED
from webapp.core.models import Event, Job, Run
from webapp.jobs import advance, continuing, states
from webapp.jobs.failures import give_back
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .api_world import browser, make_user, send
from .builders import make_run
from .searches import lose_every_other_slice, science, serve_all
from .test_api_real_run import conforms
from .test_continuing import INSTANT, STEPS, TRAINED

pytestmark = pytest.mark.django_db(transaction=True)

OPEN_END: dict[str, Any] = {**INSTANT, "budget": {"trials": 5000}}


def begun(run: Run, monkeypatch: pytest.MonkeyPatch, trials: int = 10) -> None:
    """So many trials of an instant search, a few events a commit."""
    monkeypatch.setattr(advance, "EVENTS", 4)
    session = Session("cpu")
    while run.counter.trials_told < trials and serve_one(session):
        run.counter.refresh_from_db()
    session.end()


def said(run: Run) -> list[str]:
    return [data["what"] for data in Event.objects.filter(run=run, kind="ops").order_by("seq").values_list("data", flat=True)]


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_search_by_trials_ends_where_it_is_and_can_go_on_from_there(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(OPEN_END)
    begun(run, monkeypatch)
    if state == "paused":
        states.pause(run.pk)
    finishing = states.finish(run.pk)
    assert (finishing.state, finishing.ending) == ("running", True)
    serve_all(run)
    assert run.state == "completed" and ENDED in run.reason
    assert (run.reproducible, run.reproducible_note) == (False, ENDED)
    assert 10 <= run.counter.trials_told < 30
    assert said(run)[-3:] == (["finishing", "turned", "completed"] if state == "running" else ["resumed", "turned", "completed"])
    there = continuing.possible(run)
    longer = continuing.go_on(run.pk, there.unit, 35 - there.have)
    serve_all(longer)
    whole = make_run({**INSTANT, "budget": {"trials": 35}})
    serve_all(whole)
    assert longer.reproducible and science(longer) == science(whole), "it goes on from a point that the long run passes"


def test_it_is_heard_when_the_coordinator_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for while a step is being computed, and while one is that is then lost."""
    run = make_run(OPEN_END)
    begun(run, monkeypatch)
    real, calls = advance._write, [0]

    def asked_meanwhile(*arguments: Any) -> str:
        calls[0] += 1
        if calls[0] == 2:
            states.finish(run.pk)
        if calls[0] == 3:
            give_back(Job.objects.get(state="leased"), reason="its worker froze", counts=False)
        return real(*arguments)

    monkeypatch.setattr(advance, "_write", asked_meanwhile)
    serve_all(run)
    assert run.state == "completed" and ENDED in run.reason and calls[0] < 12


def test_it_may_be_asked_for_twice_and_not_when_it_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(OPEN_END)
    with pytest.raises(states.StateConflict, match="a run that is queued cannot be finished now"):
        states.finish(run.pk)
    begun(run, monkeypatch)
    states.finish(run.pk)
    before = Event.objects.count(), Job.objects.count()
    assert states.finish(run.pk).ending
    assert (Event.objects.count(), Job.objects.count()) == before
    serve_all(run)
    for state in ("completed", "failed", "cancelled"):
        Run.objects.filter(pk=run.pk).update(state=state, ending=False)
        with pytest.raises(states.StateConflict, match=f"a run that is {state} cannot be finished now"):
            states.finish(run.pk)


def test_a_search_that_has_found_nothing_ends_with_the_reason() -> None:
    run = make_run({**TRAINED, "algorithm": "random", "options": {}, "budget": {"trials": 2}})
    Run.objects.filter(pk=run.pk).update(state="running", started="2026-01-01T00:00Z")
    states.finish(run.pk)
    serve_all(run)
    assert run.state == "failed" and "a single trial" in run.reason


def test_a_search_by_steps_ends_before_its_next_step_although_slices_are_lost(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    ada = make_user("ada")
    client = browser(ada)
    long = {**STEPS, "options": {"steps": 200, "batch_size": 8}}
    run = make_run({**long, "budget": {"samples": 3000}}, ada)
    refused = send(client, "POST", f"runs/{run.pk}/finish")
    assert (refused.status_code, refused.json()["code"], refused.json()["state"]) == (409, "wrong_state", "queued")
    settings.NASCOPE_SLICE_SECONDS = 0.01
    session = Session("cpu")
    while not Job.objects.filter(run=run, kind="phase").exclude(checkpoint_digest="").exists():
        assert serve_one(session)
    session.end()
    answer = send(client, "POST", f"runs/{run.pk}/finish")
    assert answer.status_code == 202, answer.content
    conforms(answer.json(), "Run")
    assert answer.json()["ending"] is True
    lose_every_other_slice(monkeypatch)
    monkeypatch.setattr("webapp.jobs.failures.settings.NASCOPE_MAX_JOB_FAILURES", 1000)
    finale = 0
    session = Session("cpu")
    while serve_one(session):
        if Event.objects.filter(run=run, kind="search_stopped").exists() and not finale:
            finale = send(client, "POST", f"runs/{run.pk}/finish").status_code
    session.end()
    run.refresh_from_db()
    assert run.state == "completed", run.reason
    assert finale == 202, "it is finishing already"
    assert (run.reproducible, run.reproducible_note) == (False, ENDED)
    steps = Event.objects.filter(run=run, source="phase:0", science=True).order_by("-step").values_list("step", flat=True).first()
    assert steps is not None and steps < 100
    # A slice that was lost may have said more than the search then did: what goes on with it says that again, and it stands once.
    monkeypatch.undo()
    settings.NASCOPE_SLICE_SECONDS = 2.0
    there = continuing.possible(run)
    assert there.unit == "samples" and there.have < 3000
    longer = continuing.go_on(run.pk, "samples", 64)
    serve_all(longer)
    whole = make_run({**long, "budget": {"samples": there.have + 64}})
    serve_all(whole)
    assert longer.state == "completed", longer.reason
    assert science(longer) == science(whole)
