"""Trials that are trained together through the web: one job, the rows of all its trials, the command line's science whatever happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from search_engine.search.group_work import GroupWork
from search_engine.training.group_trainer import GroupTrainer
from tests.checkpoints_left import checkpoints_left
from webapp.core.models import Event, Job, Run, Trial
from webapp.jobs import files, forecasts, states, trials
from webapp.jobs.failures import give_back
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import make_run
from .searches import Science, lose_every_other_slice, science, science_of_command_line, serve_all

pytestmark = pytest.mark.django_db(transaction=True)

GROUPED: dict[str, Any] = {
    "algorithm": "grid", "options": {"window": 8, "order": "lexicographic"}, "space": "mlp",
    "space_options": {"max_layers": 1, "epochs_divisor": 5}, "datasets": ["digits"], "seed": 3, "budget": {"trials": 15}, "together": 6,
    "training": {"train_examples": 128},
    "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"train_examples": 128}},
}
"""Fifteen networks in groups of six, three, three, and what the budget leaves."""


@pytest.fixture(scope="module")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Science:
    return science_of_command_line(GROUPED, tmp_path_factory.mktemp("cli"))


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> Science:
    return science_of_command_line({**GROUPED, "together": 1}, tmp_path_factory.mktemp("alone"))


def groups(run: Run) -> list[list[int]]:
    found = [trials.members(job) for job in Job.objects.filter(run=run, kind="trial").order_by("created")]
    return [numbers for numbers in found if numbers]


def states_of(numbers: list[int]) -> set[str]:
    return set(Trial.objects.filter(number__in=numbers).values_list("state", flat=True))


@pytest.mark.parametrize(("seconds", "residents"), [(2.0, 6), (0.0, 0)], ids=["whole slices", "one unit a slice, reloaded each time"])
def test_the_web_says_the_science_of_the_command_line(command_line: Science, settings: Any, seconds: float, residents: int) -> None:
    settings.NASCOPE_SLICE_SECONDS, settings.NASCOPE_RESIDENT_JOBS = seconds, residents
    run = make_run(GROUPED)
    serve_all(run)
    assert (run.state, run.reproducible, run.config["together"]) == ("completed", True, 6)
    assert science(run) == command_line
    assert [len(group) for group in groups(run)][:3] == [6, 3, 3]
    rows = list(Trial.objects.filter(run=run).order_by("number"))
    told = {row["number"]: row for row in Event.objects.filter(run=run, kind="trial_told").values_list("data", flat=True)}
    assert [row.number for row in rows] == sorted(told) == list(range(15))
    for row in rows:
        own = told[row.number]
        assert (row.state, row.metrics, row.cost, row.value) == ("completed", own["metrics"], own["cost"], own["metrics"]["val_accuracy"])
    counter = run.counter
    assert (counter.charged_trials, counter.trials_told) == (15, 15)
    # Each trial is charged its share of the group's seconds; all of them together are what was spent.
    assert 0 < counter.charged_seconds < counter.spent_seconds
    assert not checkpoints_left(Path(django_settings.NASCOPE_HOME) / "runs" / str(run.pk))


@pytest.mark.parametrize("workers", [2, 8])
def test_any_number_of_workers_gives_the_same_bits(command_line: Science, settings: Any, workers: int) -> None:
    """They take turns: groups are at work beside each other, and end in another order."""
    settings.NASCOPE_SLICE_SECONDS = 0.0
    run = make_run(GROUPED)
    serve_all(run, workers)
    assert (run.state, run.reproducible) == ("completed", True) and science(run) == command_line


def first_group(run: Run, session: Session) -> Job:
    """The search's first group, after some of its steps."""
    while not (found := [job for job in Job.objects.filter(run=run, kind="trial").order_by("created") if trials.members(job)]):
        assert serve_one(session)
    job = found[0]
    while job.state != "finished" and not job.progress.get("done"):
        assert serve_one(session)
        job.refresh_from_db()
    return job


def test_all_trials_of_a_group_run_from_its_claim_to_their_results(command_line: Science, settings: Any) -> None:
    settings.NASCOPE_SLICE_SECONDS = 0.0
    run, session = make_run(GROUPED), Session("cpu")
    try:
        job = first_group(run, session)
        assert states_of(trials.members(job)) == {"running"} and states_of([6, 7]) == {"queued"}
        run.refresh_from_db()
        assert 0 < run.progress["fraction"] < 6 / 15
        assert run.progress["text"].startswith("0 of 15 trials; 6 together at step ")
    finally:
        session.end()
    serve_all(run)
    assert science(run) == command_line


def test_the_progress_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a group whose trials were not asked one after the other more is done than can be told. Without the forecast of the whole run:
    its share of the work hangs on the clock."""
    monkeypatch.setattr(forecasts, "of_run", lambda counter: forecasts.NOTHING)
    run, session = make_run({**GROUPED, "options": {"window": 12}, "budget": {"trials": 12}, "together": 12}), Session("cpu")
    shown = []
    try:
        while serve_one(session):
            run.refresh_from_db()
            if run.phase != "Finale":
                shown.append(run.progress["fraction"])
    finally:
        session.end()
    assert groups(run)[0][1] > 1, "this search shows it"
    assert shown == sorted(shown) and shown[-1] > 0.8


def test_a_run_paused_in_the_middle_of_a_group_goes_on_with_equal_bits(command_line: Science, settings: Any) -> None:
    settings.NASCOPE_SLICE_SECONDS, settings.NASCOPE_RESIDENT_JOBS = 0.0, 0
    run, session = make_run(GROUPED), Session("cpu")
    try:
        first_group(run, session)
        assert states.pause(run.pk).state == "paused" and not serve_one(session)
        states.resume(run.pk)
    finally:
        session.end()
    serve_all(run)
    assert run.state == "completed" and science(run) == command_line


def test_a_run_cancelled_in_the_middle_of_a_group_leaves_none_of_its_trials_open(settings: Any) -> None:
    settings.NASCOPE_SLICE_SECONDS = 0.0
    run, session = make_run(GROUPED), Session("cpu")
    try:
        first_group(run, session)
        states.cancel(run.pk)
        assert not serve_one(session)
    finally:
        session.end()
    assert states_of(list(range(8))) == {"cancelled"} and not Event.objects.filter(run=run, kind="trial_told").exists()
    assert not checkpoints_left(files.run_dir(run.pk))


def test_slices_that_are_lost_after_their_events_were_said_change_nothing(
    command_line: Science, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kill does: every other slice is computed, its events are stored, and its commit never comes."""
    settings.NASCOPE_SLICE_SECONDS = 0.0
    lose_every_other_slice(monkeypatch)
    run = make_run(GROUPED)
    serve_all(run)
    assert (run.state, run.reproducible) == ("completed", True) and science(run) == command_line
    said = list(Event.objects.filter(run=run, kind="ops").values_list("data__message", flat=True))
    what = "RuntimeError: the cable was pulled; it goes on from its last checkpoint (failure 1 of 3)"
    assert f"trials 0, 1, 2, 3, 4 and 5 together: {what}" in said


def trials_told(of: Science) -> list[Any]:
    """Numbers and metrics of the trials, in order; what was charged by then hangs on how the work was cut."""
    rows = [json.loads(row[4]) for row in of if row[2] == "trial_told"]
    return sorted((row["number"], row["status"], json.dumps(row["metrics"], sort_keys=True)) for row in rows)


def test_a_group_whose_workers_die_falls_apart_into_its_trials(one_by_one: Science, settings: Any) -> None:
    """A kernel that kills what needs too much memory does so each time, and at any time: here after an epoch was said and stored."""
    settings.NASCOPE_SLICE_SECONDS = 0.0
    run, session = make_run(GROUPED), Session("cpu")
    try:
        job = first_group(run, session)
        while not Event.objects.filter(run=run, source="trial:0", kind="metrics").exists():
            assert serve_one(session)
        for _ in range(3):
            Job.objects.filter(pk=job.pk).update(state="leased", fence=Job.objects.get(pk=job.pk).fence + 1)
            job.refresh_from_db()
            assert give_back(job, reason="its worker was killed")
        while serve_one(session):
            pass
    finally:
        session.end()
    run.refresh_from_db()
    assert run.state == "completed" and not run.reproducible
    assert groups(run) == [[0, 1, 2, 3, 4, 5]], "after it none is made"
    assert trials_told(science(run)) == trials_told(one_by_one)
    assert {key[:4] for key in science(run)} == {key[:4] for key in one_by_one}, "nothing is said twice, nothing is missing"
    said = list(Event.objects.filter(run=run, kind="ops").values_list("data__message", flat=True))
    assert sum("goes on from its last checkpoint" in message for message in said) == 2, "what was said already is known to be"
    reason = "its worker was killed (3 failures without progress)"
    assert f"trials 0, 1, 2, 3, 4 and 5 together failed: {reason}; they and all later ones are trained one by one" in said
    assert run.counter.charged_trials == 15 and states_of(list(range(15))) == {"completed"}


def test_a_group_that_runs_out_of_memory_falls_apart_into_its_trials(
    one_by_one: Science, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NASCOPE_SLICE_SECONDS = 0.0
    advance = GroupTrainer.advance

    def full(self: GroupTrainer) -> None:
        if self.steps_done == 5 and len(self.members) == 6:
            raise MemoryError
        advance(self)

    monkeypatch.setattr(GroupTrainer, "advance", full)
    run, session = make_run(GROUPED), Session("cpu")
    try:
        while serve_one(session):
            pass
        assert session.machine_failures == 1
    finally:
        session.end()
    run.refresh_from_db()
    assert run.state == "completed" and not run.reproducible
    assert run.reproducible_note == "trials 0, 1, 2, 3, 4 and 5 together failed because of the machine: the machine ran out of memory"
    alone = {int(job.source.partition(":")[2]) for job in Job.objects.filter(run=run, source__startswith="trial:")}
    done = set(range(6)) - alone
    assert done and len(done) < 6, "what was done by then has its result"
    ours, theirs = ([row for row in trials_told(of) if row[0] not in done] for of in (science(run), one_by_one))
    assert ours == theirs
    assert {key[:4] for key in science(run)} == {key[:4] for key in one_by_one}
    assert not Event.objects.filter(run=run, kind="ops", data__what="diverged").exists(), "an epoch that the group said is not said again"


def test_a_trial_that_fails_for_itself_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    build = GroupWork._build

    def broken(self: GroupWork, trial: Any) -> Any:
        if trial.spec.index == 2:
            raise ValueError("no such layer")
        return build(self, trial)

    monkeypatch.setattr(GroupWork, "_build", broken)
    run = make_run(GROUPED)
    serve_all(run)
    assert (run.state, run.reproducible) == ("completed", True)
    failed = Trial.objects.get(run=run, state="failed")
    assert (failed.number, failed.reason, failed.metrics) == (2, "ValueError: no such layer", {})
    assert run.counter.trials_failed == 1 and states_of([0, 1, *range(3, 15)]) == {"completed"}


def test_a_clone_is_trained_together_too() -> None:
    run = make_run(GROUPED)
    assert states.clone_run(run, seed=9).config["together"] == 6
