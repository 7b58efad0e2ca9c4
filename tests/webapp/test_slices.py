"""Science does not depend on how the work was cut: slices, reloads, the web or the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from tests.checkpoints_left import checkpoints_left
from webapp.core.models import Event, Job, ModelArtefact, Run, Trial
from webapp.jobs import files, states
from webapp.jobs.failures import give_back
from webapp.jobs.session import Session
from webapp.jobs.slices import run_work
from webapp.jobs.tasks import serve_one

from .builders import TINY, make_run
from .searches import Science, lose_every_other_slice, science, science_of_command_line, serve_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Science:
    """The science of the same search on the command line."""
    return science_of_command_line(TINY, tmp_path_factory.mktemp("cli"))


@pytest.mark.parametrize(("seconds", "residents"), [(2.0, 6), (0.0, 0)], ids=["whole slices", "one unit a slice, reloaded each time"])
def test_the_web_says_the_same_science_as_the_command_line(
    command_line: Science, settings: Any, seconds: float, residents: int
) -> None:
    settings.NASCOPE_SLICE_SECONDS = seconds
    settings.NASCOPE_RESIDENT_JOBS = residents
    run = make_run()
    slices = serve_all(run)
    assert (run.state, run.reproducible) == ("completed", True)
    assert science(run) == command_line
    assert list(Event.objects.filter(run=run).order_by("seq").values_list("seq", flat=True)) == list(range(1, run.counter.last_seq + 1))
    if seconds == 0.0:
        assert slices >= 12
    counter = run.counter
    assert counter.charged_trials == 2 and counter.charged_samples == Trial.objects.count() * (128 + counter_validation(run) / 3)
    assert run.search_score is not None and run.search_score["value"] == max(Trial.objects.values_list("value", flat=True))
    model = ModelArtefact.objects.get(run=run)
    assert model.metrics["test_accuracy"] > 0 and model.bundle_path == "" and model.reason
    assert not checkpoints_left(Path(django_settings.NASCOPE_HOME) / "runs" / str(run.pk))


def counter_validation(run: Run) -> int:
    """Validation examples of a trial, from what it was charged."""
    return int(Trial.objects.filter(run=run).first().cost["forward"])  # type: ignore[union-attr]


def test_a_slice_that_raises_is_repeated_from_its_checkpoint_with_equal_science(
    command_line: Science, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every slice computes and streams its events, and every second one is then lost before its commit."""
    settings.NASCOPE_SLICE_SECONDS = 0.0
    lose_every_other_slice(monkeypatch)
    run = make_run()
    serve_all(run)
    assert run.state == "completed" and run.reproducible
    assert science(run) == command_line
    assert Event.objects.filter(run=run, kind="ops", data__message__icontains="the cable was pulled").exists()


def test_what_a_kill_left_between_a_file_and_its_commit_goes_with_the_next_commit(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.jobs import slices

    class Killed(BaseException):
        """Nothing can be tidied up any more."""

    def killed(*_: object) -> None:
        raise Killed

    settings.NASCOPE_SLICE_SECONDS = 0.0
    # Long enough that the slice which is killed would have written a checkpoint, not an outcome.
    run, session = make_run({**TINY, "training": {**TINY["training"], "epochs": 4}}), Session("cpu")
    folder = files.run_dir(run.pk)

    def of_trials() -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.glob("*/*trial-*")}

    def named() -> set[str]:
        rows = Job.objects.filter(run=run, kind="trial").values_list("checkpoint_path", "outcome_path")
        return {path for row in rows for path in row if path}

    try:
        while not Job.objects.filter(run=run, kind="trial").exclude(checkpoint_path="").exists():
            assert serve_one(session)
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(slices, "lock_for", killed)
            while True:
                assert serve_one(session)
        session.hold(None)
        assert of_trials() > named()
        job = Job.objects.get(run=run, state="leased")
        give_back(job, reason="its worker was killed")
        while Job.objects.get(pk=job.pk).fence < job.fence + 2 or Job.objects.get(pk=job.pk).state == "leased":
            assert serve_one(session)
        assert of_trials() == named()
    finally:
        session.end()


def test_work_under_a_lost_lease_is_discarded(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.jobs import slices

    real = slices.run_slice

    def cancelled_meanwhile(work: Any, seconds: float, stop: Any, say: Any) -> Any:
        events = real(work, seconds, stop)
        states.cancel(run.pk)
        return events

    monkeypatch.setattr(slices, "run_slice", cancelled_meanwhile)
    run = make_run()
    serve_all(run)
    assert run.state == "cancelled"
    assert not Event.objects.filter(run=run, kind="trial_told").exists()
    assert list(Trial.objects.filter(run=run).values_list("state", flat=True)) == ["cancelled"]
    assert not checkpoints_left(Path(django_settings.NASCOPE_HOME) / "runs" / str(run.pk))


@pytest.mark.parametrize("seconds", [60.0, 0.0], ids=["at its outcome", "at a checkpoint"])
def test_nothing_is_written_by_a_slice_whose_lease_went_to_another_meanwhile(
    seconds: float, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp.jobs import slices

    real = slices.run_slice
    settings.NASCOPE_SLICE_SECONDS = seconds
    given: list[Job] = []

    def taken_back(work: Any, seconds: float, stop: Any, say: Any) -> Any:
        # Its events come with the commit, not by the writer's thread, which asks for itself.
        events = real(work, seconds, stop)
        job = Job.objects.get(state="leased")
        give_back(job, reason="its worker stopped answering", counts=False)
        given.append(Job.objects.get(pk=job.pk))
        return events

    monkeypatch.setattr(slices, "run_slice", taken_back)
    run, session = make_run(), Session("cpu")
    try:
        while not given:
            assert serve_one(session)
    finally:
        session.end()
    now = Job.objects.get(pk=given[0].pk)
    assert {field.name: getattr(now, field.attname) for field in Job._meta.concrete_fields} == {
        field.name: getattr(given[0], field.attname) for field in Job._meta.concrete_fields
    }
    assert not Event.objects.filter(run=run, source=now.source).exists()
    assert run.counter.spent_samples == 0
    assert not list(files.run_dir(run.pk).rglob("*trial-*"))


def test_a_run_paused_between_slices_goes_on_with_equal_science(command_line: Science, settings: Any) -> None:
    settings.NASCOPE_SLICE_SECONDS = 0.0
    run = make_run()
    session = Session("cpu")
    try:
        for _ in range(5):
            assert serve_one(session)
        assert states.pause(run.pk).state == "paused"
        assert not serve_one(session)
        states.resume(run.pk)
    finally:
        session.end()
    serve_all(run)
    assert run.state == "completed" and science(run) == command_line


@pytest.mark.parametrize(
    ("somebody_waits", "own_seconds", "units"), [(True, 0.0, 1), (False, 0.0, None), (True, 1e9, None)],
    ids=["room is made at the next unit", "nobody waits", "its own seconds are its own"],
)
def test_a_slice_makes_room_for_a_run_that_begins(settings: Any, somebody_waits: bool, own_seconds: float, units: int | None) -> None:
    """`units`: how many of the trial's a slice does that could do all; None = all."""
    settings.NASCOPE_SLICE_SECONDS, settings.NASCOPE_YIELD_SECONDS = 1e9, own_seconds
    run = make_run()
    session = Session("cpu")
    try:
        assert serve_one(session), "the coordinator opens a trial"
        trial = Job.objects.get(run=run, kind="trial")
        if somebody_waits:
            make_run({**TINY, "seed": 4})
        Job.objects.filter(pk=trial.pk).update(
            state=Job.State.LEASED, fence=1, worker=session.worker, lease_until=timezone.now() + timedelta(hours=1)
        )
        trial.refresh_from_db()
        session.hold(trial)
        run_work(session, trial)
    finally:
        session.end()
    trial.refresh_from_db()
    if units is None:
        assert trial.state == Job.State.FINISHED
    else:
        assert trial.state == Job.State.READY
        assert trial.progress["done"] == units < trial.progress["total"]


def test_a_budget_in_seconds_cuts_the_trial_under_way_and_begins_no_other() -> None:
    """Four trials are open at once; the first unit of the first one uses the budget up."""
    run = make_run({**TINY, "options": {"window": 4}, "budget": {"seconds": 1e-6}})
    serve_all(run)
    assert (run.state, run.reason) == ("failed", "no trial gave a result within the budget of 1e-06 s")
    trials = list(Trial.objects.filter(run=run).order_by("number"))
    assert [trial.state for trial in trials] == ["cancelled"] * 4
    assert {trial.reason for trial in trials} == {"the budget in seconds was used up before it was finished"}
    assert sum(trial.cost["forward_backward"] > 0 for trial in trials) <= 1 and run.counter.charged_trials == 0


def test_a_final_training_that_is_ended_by_its_bound_is_marked() -> None:
    finale = {**TINY["finale"], "seconds": 1e-6}
    run = make_run({**TINY, "budget": {"trials": 1}, "finale": finale})
    serve_all(run)
    assert run.state == "completed" and not run.reproducible
    assert "a final training ended after 1 of" in run.reproducible_note and "finale.seconds" in run.reproducible_note
