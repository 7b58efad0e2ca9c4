"""Who is rung for: workers that hold no lease, whatever they went through."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from webapp.core.models import Job, Worker
from webapp.jobs import advance, session, tasks
from webapp.jobs.claim import claim
from webapp.jobs.failures import give_back
from webapp.jobs.idleness import idle_devices
from webapp.jobs.reaper import ring_for_idle_workers
from webapp.jobs.session import Session

from .builders import make_owner, make_run, make_worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_whoever_holds_no_lease_is_idle() -> None:
    make_run()
    worker = make_worker()
    make_worker("cuda:0")
    assert sorted(idle_devices()) == ["cpu", "cuda:0"]
    job = claim(worker)
    assert job is not None
    assert idle_devices() == ["cuda:0"]
    give_back(job, reason="drained", counts=False)
    assert sorted(idle_devices()) == ["cpu", "cuda:0"]
    Job.objects.filter(pk=job.pk).update(worker=worker)
    assert sorted(idle_devices()) == ["cpu", "cuda:0"], "it worked on it last, which is no lease"


def test_who_is_silent_for_three_heartbeats_is_not_there(settings: Any) -> None:
    settings.NASCOPE_HEARTBEAT_SECONDS = 1000.0
    for device, silent in (("cpu", 2900), ("cuda:0", 3100)):
        Worker.objects.filter(pk=make_worker(device).pk).update(last_seen=timezone.now() - timedelta(seconds=silent))
    assert idle_devices() == ["cpu"]


def test_a_lease_of_a_worker_that_is_forgotten_keeps_nobody_busy() -> None:
    """The row of the dead worker is gone, its lease not yet."""
    make_run()
    job = claim(make_worker())
    assert job is not None
    Job.objects.filter(pk=job.pk).update(worker=None)
    assert idle_devices() == ["cpu"]


def test_a_worker_that_the_database_left_in_the_middle_of_a_commit_is_rung_for(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """It can say nothing to anybody; once the database is back its lease is given back, and what others wait for is rung."""
    settings.NASCOPE_HEARTBEAT_SECONDS = 3600.0  # this test beats
    made: list[tuple[int, str]] = []
    monkeypatch.setattr("webapp.jobs.reaper.ring", lambda times, device: made.append((times, device)))
    worker = Session("cpu")
    monkeypatch.setattr(session, "_current", worker)

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    try:
        make_run()
        with monkeypatch.context() as patch:
            patch.setattr(advance, "lock_for", away)
            patch.setattr(tasks, "give_back", away)
            tasks.serve()
        connection.ensure_connection()
        make_run(owner=make_owner("grace"))
        assert Job.objects.filter(state=Job.State.LEASED, worker_id=worker.worker.pk).count() == 1
        assert ring_for_idle_workers() == 0
        worker._renew()
        worker._renew()
        assert not Job.objects.filter(state=Job.State.LEASED).exists()
        assert ring_for_idle_workers() == 1 and made == [(1, "cpu")]
        [again] = Job.objects.filter(fence=2)
        assert again.runnable and again.worker_id is None and again.failures == 0, "it is no failure of the job"
    finally:
        worker.end()


@pytest.mark.parametrize(
    ("state", "away"), [(None, True), ("08006", True), ("57P01", True), ("25P03", True), ("40P01", False), ("53200", False)]
)
def test_a_database_that_goes_away_in_a_slice_is_no_failure_of_its_job(
    state: str | None, away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the connection that is looked at afterwards is a new one, and well."""

    class Said(Exception):
        sqlstate = state

    def broken(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly") from Said()

    worker = Session("cpu")
    try:
        run = make_run()
        monkeypatch.setattr(advance, "lock_for", broken)
        assert tasks.serve_one(worker)
        job = Job.objects.get(run=run)
        assert (job.state, job.failures) == ("ready", 0 if away else 1)
    finally:
        worker.end()


def test_a_lease_of_this_moment_is_not_given_back() -> None:
    worker = Session("cpu")
    try:
        make_run()
        worker._renew()
        job = claim(worker.worker)
        assert job is not None
        worker._renew()
        worker.hold(job)
        worker._renew()
        worker._renew()
        assert Job.objects.get(pk=job.pk).fence == job.fence and not worker.should_stop
    finally:
        worker.end()
