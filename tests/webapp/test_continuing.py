"""More budget for a run that is over: another goes on with its search, says what one long run says, and survives kills at each commit."""

from __future__ import annotations

from typing import Any

import pytest

from search_engine.base.errors import BadInput
from search_engine.search import continuation
from webapp.core.models import Event, Run, RunCounter
from webapp.jobs import continuing, files, states, taking_over

from .api_world import browser, make_user, send
from .builders import TINY, make_run
from .installation import Installation
from .searches import science, serve_all
from .test_api_real_run import conforms

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1}
FINALE = {"baselines": 0, "export": False, "training": SMALL}
INSTANT: dict[str, Any] = {"algorithm": "random", "options": {"window": 4}, "space": "sequence", "seed": 5}
TRAINED: dict[str, Any] = {
    "algorithm": "regularized_evolution", "options": {"population": 3, "sample": 2, "window": 2}, "space": "nb201", "datasets": ["digits"],
    "seed": 3, "training": SMALL, "finale": FINALE,
}  # fmt: skip
STEPS: dict[str, Any] = {
    "algorithm": "darts", "options": {"steps": 12, "batch_size": 8}, "space": "cell",
    "space_options": {"nodes": 1, "search_cells": 1, "search_channels": 2}, "datasets": ["digits"], "seed": 3, "finale": FINALE,
}  # fmt: skip


def searched(config: dict[str, Any], workers: int = 1) -> Run:
    run = make_run(config)
    serve_all(run, workers)
    assert run.state == "completed", run.reason
    return run


@pytest.mark.parametrize(
    ("config", "first", "more", "whole"),
    [
        (INSTANT, {"trials": 20}, 15, {"trials": 35}),
        pytest.param(TRAINED, {"trials": 4}, 3, {"trials": 7}, marks=pytest.mark.slow),
        pytest.param(STEPS, {"samples": 60}, 60, {"samples": 120}, marks=pytest.mark.slow),
    ],
    ids=["random", "regularized_evolution", "darts"],
)
def test_a_run_that_goes_on_says_what_one_long_run_says(config: dict[str, Any], first: Any, more: float, whole: Any) -> None:
    run = searched({**config, "budget": first})
    there = continuing.possible(run)
    [unit] = first
    assert (there.unit, there.have) == (unit, first[unit])
    longer = continuing.go_on(run.pk, unit, more)
    assert longer.position == 1 and longer.continues_id == run.pk
    serve_all(longer, workers=2)
    assert longer.state == "completed", longer.reason
    long = searched({**config, "budget": whole})
    assert science(longer) == science(long)
    for name in ("samples", "trials", "flops"):
        assert getattr(longer.counter, f"charged_{name}") == getattr(long.counter, f"charged_{name}")
    assert not (files.run_dir(longer.pk) / files.TAKEN).exists()


def test_kills_between_the_commits_of_a_takeover_lose_and_double_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each commit of a few events, and after every other one the process is gone before the next."""
    run = searched({**INSTANT, "budget": {"trials": 20}})
    long = science(searched({**INSTANT, "budget": {"trials": 35}}))
    monkeypatch.setattr(taking_over, "BATCH", 7)
    real, calls = taking_over.progress.taking_over, [0]

    def killed(counter: RunCounter, at: int, of: int, share: float) -> None:
        real(counter, at, of, share)
        shown.append(Run.objects.get(pk=counter.run_id).progress)
        calls[0] += 1
        if calls[0] % 2:
            raise RuntimeError("the cable was pulled")

    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(taking_over.progress, "taking_over", killed)
    longer = continuing.go_on(run.pk, "trials", 15)
    assert longer.progress["fraction"] == pytest.approx(20 / 35) and longer.counter.charged_trials == 20
    monkeypatch.setattr("webapp.jobs.failures.settings.NASCOPE_MAX_JOB_FAILURES", 1000)
    serve_all(longer, workers=2)
    assert longer.state == "completed", longer.reason
    assert calls[0] > 20 and science(longer) == long
    assert all(now["fraction"] == pytest.approx(20 / 35) for now in shown)
    assert shown[-1]["text"] == f"taking over {run.counter.last_seq} of {run.counter.last_seq} events"
    assert longer.counter.trials_told == 35
    times = dict(Event.objects.filter(run=run, science=True).values_list("seq", "time"))
    [first] = Event.objects.filter(run=longer, kind="trial_told", step=0)
    assert first.time in times.values(), "it was told when the first run told it"


def test_a_run_whose_first_is_deleted_before_its_events_were_taken_over_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    run = searched({**INSTANT, "budget": {"trials": 20}})
    monkeypatch.setattr(taking_over, "BATCH", 7)
    longer = continuing.go_on(run.pk, "trials", 15)
    states.delete_run(run.pk)
    serve_all(longer)
    assert (longer.state, longer.reason) == ("failed", f"more: {taking_over.GONE}")
    assert longer.continues_id is None and longer.lineage[0]["have"] == 20


def test_a_run_outlives_the_one_that_it_goes_on_with() -> None:
    run = searched({**INSTANT, "budget": {"trials": 20}})
    longer = continuing.go_on(run.pk, "trials", 15)
    serve_all(longer)
    states.delete_run(run.pk)
    longest = continuing.go_on(longer.pk, "trials", 5)
    serve_all(longest)
    assert longest.state == "completed" and science(longest) == science(searched({**INSTANT, "budget": {"trials": 40}}))
    assert [entry["have"] for entry in longest.lineage] == [20, 35]


def test_damaged_files_are_told_when_it_begins() -> None:
    run = searched({**INSTANT, "budget": {"trials": 20}})
    longer = continuing.go_on(run.pk, "trials", 15)
    path = files.run_dir(longer.pk) / files.TAKEN / continuation.SEARCH
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-9])
    serve_all(longer)
    assert longer.state == "failed" and "this search cannot go on" in longer.reason
    (files.run_dir(run.pk) / continuation.SEARCH).unlink()
    with pytest.raises(BadInput, match="its files are gone"):
        continuing.go_on(run.pk, "trials", 15)
    assert Run.objects.count() == 2


@pytest.mark.parametrize("state", ["queued", "running", "pausing", "paused"])
def test_a_run_that_is_not_over_is_given_nothing(state: str) -> None:
    run = make_run({**INSTANT, "budget": {"trials": 20}})
    Run.objects.filter(pk=run.pk).update(state=state)
    with pytest.raises(states.StateConflict, match=f"a run that is {state} cannot be given more budget"):
        continuing.go_on(run.pk, "trials", 15)


def test_what_cannot_go_on_says_why() -> None:
    exhausted = searched({**INSTANT, "space_options": {"n": 2}, "budget": {"trials": 2000}})
    assert continuing.possible(exhausted).why_not == continuation.ENDED["exhausted"]
    cancelled = make_run(TINY)
    states.cancel(cancelled.pk)
    cancelled.refresh_from_db()
    assert continuing.possible(cancelled).why_not == continuing.CUT_SHORT
    Run.objects.filter(pk=exhausted.pk).update(more=None)
    exhausted.refresh_from_db()
    assert continuing.possible(exhausted).why_not == continuation.OLD
    with pytest.raises(BadInput, match="this search cannot go on"):
        continuing.go_on(exhausted.pk, "trials", 5)


# ---------------------------------------------------------------- over HTTP


def test_more_is_asked_for_over_http_and_the_visits_of_the_whole_search_are_counted() -> None:
    ada = make_user("ada")
    client = browser(ada)
    run = make_run({**TRAINED, "algorithm": "random", "options": {}, "budget": {"trials": 2}}, ada)
    assert "is asked for when it is" in send(client, "GET", f"runs/{run.pk}").json()["more"]["why_not"]
    conflict = send(client, "POST", f"runs/{run.pk}/more", {"unit": "trials", "more": 1})
    assert (conflict.status_code, conflict.json()["state"]) == (409, "queued")
    serve_all(run)
    assert send(client, "GET", f"runs/{run.pk}").json()["more"] == {"unit": "trials", "have": 2, "why_not": ""}
    for body, field in (
        ({"unit": "samples", "more": 1}, "unit"), ({"unit": "trials", "more": 0}, "more"), ({"unit": "trials", "more": 1.5}, "more"),
        ({"unit": "trials"}, "more"), ({"unit": "trials", "more": 10**8}, "more"),
    ):  # fmt: skip
        refused = send(client, "POST", f"runs/{run.pk}/more", body)
        assert (refused.status_code, refused.json()["field"]) == (400, field), (body, refused.content)
    made = send(client, "POST", f"runs/{run.pk}/more", {"unit": "trials", "more": 1})
    assert made.status_code == 201, made.content
    conforms(made.json(), "Run")
    assert made.json()["continues"] == {"run": str(run.pk), "unit": "trials", "have": 2}
    longer = Run.objects.get(pk=made.json()["id"])
    serve_all(longer)
    shown = send(client, "GET", f"runs/{longer.pk}").json()
    conforms(shown, "RunDetail")
    assert shown["lineage"] == [{"run": str(run.pk), "unit": "trials", "have": 2, "test_visits": 1}]
    assert (shown["test_visits"]["run"], shown["test_visits"]["experiment"]) == (1, 2)
    assert shown["took"]["search"] > 0 and shown["took"]["finale"] > 0
    assert send(client, "GET", f"runs/{run.pk}").json()["continued_by"] == [str(longer.pk)]
    states.delete_run(run.pk)
    assert send(client, "GET", f"runs/{longer.pk}").json()["lineage"] == [{"run": None, "unit": "trials", "have": 2, "test_visits": 1}]


# ---------------------------------------------------------------- a worker dies


@pytest.mark.slow
def test_a_worker_that_is_killed_in_a_takeover_leaves_the_rest_to_another(installation: Installation) -> None:
    answer = installation.answer("go_on_after_kill", NASCOPE_LEASE_SECONDS="1", NASCOPE_HEARTBEAT_SECONDS="0.2")
    assert answer["taken"] == 14 and 0 < answer["rows"] <= 14
    assert (answer["state"], answer["equal"], answer["holes"]) == ("completed", True, 0)
