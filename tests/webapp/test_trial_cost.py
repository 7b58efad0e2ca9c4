"""What a trial costs in the database: statements, transactions, bytes, and how often an event is written out. The numbers are ceilings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from search_engine.events import CandidateBorn, TrialTold
from tests.search_engine import toys
from webapp.core.models import Event, Job, Run
from webapp.events import store
from webapp.jobs import files
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import TINY, make_run
from .programs import count_trial

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db(transaction=True)
def test_a_trained_trial_is_two_commits_of_few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its outcome is in its row, no file is written for it, and nothing is listed."""
    from webapp.jobs import outcomes

    kept: list[dict[str, str]] = []
    keep = outcomes.keep
    monkeypatch.setattr("webapp.jobs.slices.keep", lambda job, outcome: kept.append(keep(job, outcome)) or kept[-1])
    listed: list[Any] = []
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, pattern: listed.append(self) or glob(self, pattern))
    counted = count_trial.count()
    assert counted["transactions"] == 2
    assert counted["statements"] <= count_trial.STATEMENTS[connection.vendor]
    assert counted["characters"] <= count_trial.CHARACTERS[connection.vendor]
    assert kept[0]["outcome"] and not kept[0]["outcome_path"]
    assert not [folder for folder in listed if folder.name in ("checkpoints", "outcomes")]


def test_it_is_as_many_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": postgres_url, "DJANGO_SETTINGS_MODULE": "webapp.settings", "NASCOPE_HOME": str(tmp_path)}
    environment.pop("REDIS_URL", None)
    subprocess.run([sys.executable, "manage.py", "migrate", "--skip-checks", "-v", "0"], cwd=ROOT, env=environment, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.webapp.programs.count_trial"], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted["transactions"] == 2
    assert counted["statements"] <= count_trial.STATEMENTS["postgresql"]
    assert counted["characters"] <= count_trial.CHARACTERS["postgresql"]


@pytest.mark.django_db(transaction=True)
def test_an_event_is_written_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dumps: list[str] = []
    for payload in (CandidateBorn, TrialTold):
        real = payload.model_dump

        def counted(self: Any, *arguments: Any, real: Any = real, **named: Any) -> Any:
            dumps.append(self.kind)
            return real(self, *arguments, **named)

        monkeypatch.setattr(payload, "model_dump", counted)
    count_trial.count()
    run = Run.objects.get()
    for kind in ("candidate_born", "trial_told"):
        assert dumps.count(kind) == Event.objects.filter(run=run, kind=kind).count() > 0


@pytest.mark.django_db(transaction=True)
def test_a_commit_of_instant_trials_takes_as_many_statements_for_400_as_its_rows_need() -> None:
    """Rows go in together: what a statement may hold decides how many there are, not how many trials."""
    with toys.registered():
        run, session = make_run({"algorithm": "random", "space": "bits", "datasets": ["ones"], "budget": {"trials": 1000}}), Session("cpu")
        try:
            assert serve_one(session)
            run.counter.refresh_from_db()
            before = run.counter.trials_told
            with CaptureQueriesContext(connection) as captured:
                assert serve_one(session)
            run.counter.refresh_from_db()
        finally:
            session.end()
    told = run.counter.trials_told - before
    assert told > 100
    assert len(captured) <= 40 and len(captured) / told < 0.25


@pytest.mark.django_db(transaction=True)
def test_events_that_a_dead_lease_left_are_looked_for_by_whoever_has_them_still_in_memory(settings: Any) -> None:
    """This process stands at the last checkpoint; another held the job since, streamed the next events and died."""
    from webapp.jobs.failures import give_back

    settings.NASCOPE_SLICE_SECONDS = 0.0
    run, session, other = make_run({**TINY, "training": {**TINY["training"], "epochs": 3}}), Session("cpu"), Session("cpu")
    try:
        while not Job.objects.filter(run=run, kind="trial").exclude(checkpoint_path="").exists():
            assert serve_one(session)
        job = Job.objects.filter(run=run, kind="trial").exclude(checkpoint_path="").get()
        Job.objects.filter(run=run).exclude(pk=job.pk).update(runnable=False)
        from webapp.jobs import slices
        from webapp.jobs.claim import claim

        taken = claim(other.worker)
        assert taken == job
        work = slices._open(taken, slices.checked_run(run.pk))
        said: list[Any] = []
        slices.run_slice(work, 60.0, lambda: False, said.extend)
        assert said
        store.append_fenced(taken, said)
        give_back(taken, reason="its worker was killed")
        Job.objects.filter(run=run).update(runnable=True)
        while serve_one(session):
            pass
    finally:
        session.end()
        other.end()
    run.refresh_from_db()
    assert (run.state, run.reproducible) == ("completed", True)
    assert not Event.objects.filter(run=run, kind="ops", data__message__icontains="IntegrityError").exists()


def test_what_follows_its_commit() -> None:
    job = Job(kind="trial", source="trial:3", fence=1)
    assert files.follows_its_commit(job)
    job.fence = 2
    assert not files.follows_its_commit(job)
    job.checkpoint_path = "checkpoints/trial-3.1.safetensors"
    assert files.follows_its_commit(job)
    job.fence = 4
    assert not files.follows_its_commit(job)
