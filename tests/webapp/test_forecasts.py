"""The time left on the page: from the rows of the run's jobs, with what finished runs taught and the other runs that share the workers."""

from __future__ import annotations

from typing import Any

import pytest

from search_engine.catalogue import registry
from search_engine.search.forecast import Plan, work_left
from webapp.core.checked import checked_run
from webapp.core.models import Job, Run, RunCounter
from webapp.jobs import advance, forecasts
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .api_world import browser, send
from .builders import TINY, make_job, make_owner, make_run, make_worker

pytestmark = pytest.mark.django_db
DARTS: dict[str, Any] = {"algorithm": "darts", "space": "cell", "datasets": ["digits"]}


@pytest.fixture(autouse=True)
def _afresh() -> None:
    for kept in (forecasts._said, forecasts._known):
        kept.clear()
    forecasts._profile.cache_clear()


def searching(done: float = 50, seconds: float = 10.0) -> Run:
    """A run whose search is under way."""
    run = make_run(DARTS)
    Run.objects.filter(pk=run.pk).update(state="running")
    RunCounter.objects.filter(run=run).update(charged_samples=done * 64)
    job = make_job(run, "phase")
    progress = {"done": done, "total": 100.0, "text": "", "first": [0.0, 0.0]}
    Job.objects.filter(pk=job.pk).update(served_seconds=seconds, progress=progress, state="ready")
    return run


def found(run: Run) -> dict[str, Any]:
    forecasts._said.clear()
    return forecasts.of_run(RunCounter.objects.get(run=run))


def test_the_finale_counts_while_the_search_is_under_way() -> None:
    made = found(searching())
    assert made["left"][0] == [10.0, 1.0] and len(made["left"]) == 2
    assert made["eta_seconds"] > 10 + 3
    share = forecasts.share_done(made)
    assert share is not None and share < 0.45, "half of the search is less than half of the run"


def test_nothing_is_said_of_a_run_that_has_hardly_begun() -> None:
    made = found(make_run(DARTS))
    assert made == {**forecasts.NOTHING, "work_done": 0.0}
    assert forecasts.share_done(made) is None


def test_other_runs_on_the_same_worker_make_it_longer_and_another_worker_shorter() -> None:
    run = searching()
    alone = found(run)["eta_seconds"]
    other = searching()
    Run.objects.filter(pk=other.pk).update(progress={"left": [[1000.0, 1.0]]})
    make_worker()
    shared = found(run)["eta_seconds"]
    assert shared == pytest.approx(2 * alone, rel=0.2)
    make_worker()
    assert found(run)["eta_seconds"] == pytest.approx(alone, rel=0.2)


def test_between_two_forecasts_the_last_one_runs_down(monkeypatch: pytest.MonkeyPatch) -> None:
    run = searching()
    counter = RunCounter.objects.get(run=run)
    clock = [100.0]
    monkeypatch.setattr("webapp.jobs.forecasts.time.monotonic", lambda: clock[0])
    first = forecasts.of_run(counter)["eta_seconds"]
    Job.objects.filter(run=run, kind="phase").update(served_seconds=1000.0)
    clock[0] += 0.6
    assert forecasts.of_run(counter)["eta_seconds"] == pytest.approx(first - 0.6)
    clock[0] += 0.6
    assert forecasts.of_run(counter)["eta_seconds"] > 5 * first


def test_a_finished_run_teaches_the_next_one() -> None:
    before = searching()
    Job.objects.filter(run=before, kind="phase").update(
        state="taken", progress={"done": 100.0, "total": 100.0, "first": [0.0, 0.0]}, served_seconds=20.0
    )
    final = make_job(before, "final")
    spent = {"finish": 4.0, "test": 1.0, "export": 30.0, "verify": 10.0, "redundancy": 5.0}
    Job.objects.filter(pk=final.pk).update(
        state="taken", served_seconds=50.0, spec={"arguments": {"role": "finalist"}}, progress={"stage": "done", "spent": spent}
    )
    Run.objects.filter(pk=before.pk).update(state="cancelled")
    run = searching()
    untaught = found(run)["eta_seconds"]
    Run.objects.filter(pk=before.pk).update(state="completed")
    forecasts._known.clear()
    plan = Plan.of(checked_run(run.pk))
    assert forecasts.known_for(run.pk, plan).own
    assert untaught > 100, "by the rough rule: as long for an example as the search takes"
    assert found(run)["eta_seconds"] == pytest.approx(10 + 50, rel=0.1)


@pytest.mark.django_db(transaction=True)
def test_a_run_from_its_first_slice_to_its_end(settings: Any) -> None:
    """The bar never falls back by more than an estimate may, all work counts, and at the end nothing is left."""
    settings.NASCOPE_SLICE_SECONDS = 0.0
    forecasts_of, shares = [], []
    run = make_run(TINY)
    session = Session("cpu")
    try:
        while serve_one(session):
            forecasts._said.clear()
            progress = Run.objects.values_list("progress", flat=True).get(pk=run.pk)
            shares.append(progress["fraction"])
            forecasts_of.append(progress["eta_seconds"])
    finally:
        session.end()
    assert Run.objects.get(pk=run.pk).state == "completed"
    assert shares[-1] == 1.0 and forecasts_of[-1] == 0.0
    assert any(seconds is not None and seconds > 0 for seconds in forecasts_of[:-1])
    trials = send(browser(make_owner()), "GET", f"trials?run={run.pk}").json()["results"]
    assert all(trial["cost"]["seconds"] > 0 for trial in trials)


@pytest.mark.parametrize(
    "config",
    [
        {"algorithm": "grid", "space": "sequence", "space_options": {"n": 3}},
        {**registry.algorithm("deepswarm").quick, "algorithm": "deepswarm", "options": {"ant_count": 2, "max_depth": 1}, "budget": None,
         "finale": {"export": False, "redundancy": False, "training": {"epochs": 1, "train_examples": 64}}},
    ],
    ids=["grid", "deepswarm"],
)
@pytest.mark.django_db(transaction=True)
def test_a_search_whose_plan_is_its_budget_says_what_is_left(
    config: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NASCOPE_SLICE_SECONDS = 0.0
    # The coordinator stops after every few events: the page hears of a search that is under way.
    monkeypatch.setattr(advance, "EVENTS", 12)
    run = make_run(config)
    session = Session("cpu")
    plan = Plan.of(checked_run(run.pk))
    seen: list[float] = []
    try:
        while serve_one(session):
            counter = RunCounter.objects.get(run=run)
            if not counter.trials_told:
                continue
            left = work_left(plan, forecasts.situation(plan, counter), forecasts.known_for(run.pk, plan))
            assert left is not None
            forecasts._said.clear()
            assert forecasts.of_run(counter)["eta_seconds"] is not None
            # Not what the page is told: on a fast machine a grid that trains nothing rounds to no seconds at all.
            seen.append(sum(stage.seconds for stage in left))
    finally:
        session.end()
    assert Run.objects.get(pk=run.pk).state == "completed"
    assert len(seen) > 3 and max(seen[:-1]) > 0


@pytest.mark.django_db(transaction=True)
def test_a_search_that_trains_nothing_is_charged_what_it_takes() -> None:
    run = make_run({"algorithm": "random", "space": "sequence", "budget": {"trials": 50}})
    session = Session("cpu")
    try:
        while serve_one(session):
            pass
    finally:
        session.end()
    counter = RunCounter.objects.get(run=run)
    assert counter.charged_seconds > 0 and counter.spent_seconds > 0
    shown = send(browser(make_owner()), "GET", f"trials?run={run.pk}").json()["results"]
    assert all("seconds" not in trial["cost"] for trial in shown), "not 0: nobody measured one"

