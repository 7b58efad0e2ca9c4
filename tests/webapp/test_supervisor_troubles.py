"""What must not end a supervisor or cost anybody a lease: a full disk, a database that is away, a laptop that slept."""

from __future__ import annotations

import errno
import platform
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.patience import PATIENCE
from webapp.core.models import Job, Worker
from webapp.jobs import failures, reaper, supervisor
from webapp.jobs.claim import claim
from webapp.jobs.reaper import Reaper, expire_leases
from webapp.jobs.supervisor import Child, Supervisor

from .builders import make_job, make_run, make_worker

pytestmark = pytest.mark.django_db


def full(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_full_disk_does_not_end_the_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Child("cpu-1", ["/bin/false"], worker=True)
    watcher = Supervisor([dead])
    monkeypatch.setattr(watcher._reaper, "tick", full)
    monkeypatch.setattr(supervisor, "stuck_workers", full)
    monkeypatch.setattr(supervisor, "release_worker", full)
    monkeypatch.setattr(supervisor, "release_dead_workers", full)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    watcher.start()
    assert dead.process is not None
    Worker.objects.filter(pk=make_worker().pk).update(host=platform.node(), pid=dead.pid)
    dead.process.wait(PATIENCE)
    watcher.watch()
    assert dead.process is None
    monkeypatch.setattr(Child, "start", full)
    dead.wait = 0.0
    watcher.watch()
    assert dead.process is None and dead.wait > 0, "it waits before it is started once more"


def test_a_lease_that_cannot_be_taken_back_yet_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = []
    for _ in range(2):
        run = make_run()
        Job.objects.filter(run=run).update(runnable=False)
        make_job(run)
        job = claim(make_worker())
        assert job is not None and job.kind == "trial"
        run_out(job)
        jobs.append(job)
    Job.objects.filter(pk=jobs[0].pk).update(failures=99)
    monkeypatch.setattr(failures.outcomes, "keep", full)
    assert expire_leases() == 1
    assert list(Job.objects.filter(pk__in=[job.pk for job in jobs]).order_by("created").values_list("state", flat=True)) == [
        "leased", "ready",
    ]


def test_after_a_sleep_one_heartbeat_passes_before_a_lease_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    make_run()
    job = claim(make_worker())
    assert job is not None
    run_out(job)
    now = [time.time()]
    monkeypatch.setattr(reaper.time, "time", lambda: now[0])
    watch = Reaper()
    now[0] += 3600
    assert watch.patient(), "nobody is stuck either"
    watch.tick()
    now[0] += 5
    watch.tick()
    assert Job.objects.get(pk=job.pk).state == "leased"
    now[0] += 3
    assert not watch.patient()
    watch.tick()
    assert Job.objects.get(pk=job.pk).state == "ready"


def test_after_the_database_was_away_one_heartbeat_passes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    make_run()
    job = claim(make_worker())
    assert job is not None
    run_out(job)
    now = [time.time()]
    monkeypatch.setattr(reaper.time, "time", lambda: now[0])
    watch = Reaper()
    with monkeypatch.context() as patch:
        patch.setattr(reaper, "wake_coordinators", lambda: (_ for _ in ()).throw(OperationalError("gone")))
        patch.setattr(reaper, "expire_leases", lambda: (_ for _ in ()).throw(OperationalError("gone")))
        for _ in range(20):
            now[0] += 1
            with pytest.raises(OperationalError):
                watch.tick()
    now[0] += 1
    watch.tick()
    assert Job.objects.get(pk=job.pk).state == "leased"
