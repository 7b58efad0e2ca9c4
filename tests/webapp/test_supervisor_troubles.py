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


STEPS = [
    "expire_leases", "forget_workers_to_come", "wake_coordinators", "settle_pauses", "ring_for_idle_workers", "_resuming", "_roll_call",
]


@pytest.mark.parametrize("broken", STEPS)
def test_what_fails_keeps_nothing_else_from_being_done(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reaper that stopped at its first trouble would ring for nobody as long as that lasts."""
    watch, done = Reaper(), set[str]()

    def step(name: str) -> Any:
        def look() -> None:
            done.add(name)
            if name == broken:
                raise OSError(errno.ENOSPC, "No space left on device")

        return look

    for name in STEPS[:-2]:
        monkeypatch.setattr(reaper, name, step(name))
    for name in STEPS[-2:]:
        monkeypatch.setattr(getattr(watch, name), "look", step(name))
    with pytest.raises(OSError, match="No space"):
        watch.tick()
    assert done == set(STEPS)


class Clocks:
    """The database's and the monotonic one, as a test says. A database's clock can be put; the monotonic one stands still in a sleep."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database, self.monotonic = time.time(), 1000.0
        monkeypatch.setattr(reaper.clock, "now", lambda: self.database)
        monkeypatch.setattr(reaper.time, "monotonic", lambda: self.monotonic)

    def pass_by(self, seconds: float) -> None:
        self.database += seconds
        self.monotonic += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_makes_the_reaper_patient_for_one_heartbeat(jump: float, clocks: Clocks) -> None:
    watch = Reaper()
    watch.tick()
    for there_and_back in (jump, -jump):
        clocks.database += there_and_back
        assert watch.patient()
        watch.tick()
        seconds = 0
        while watch.patient():
            clocks.pass_by(1.0)
            seconds += 1
            watch.tick()
        assert 7 <= seconds <= 8


def test_the_wall_clock_of_the_reaper_s_machine_is_nobody_s_business(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are on the database's."""
    monkeypatch.setattr(reaper.clock, "now", iter(range(100, 200)).__next__)
    monkeypatch.setattr(reaper.time, "time", lambda: 0.0)
    watch = Reaper()
    watch.tick()
    monkeypatch.setattr(reaper.time, "time", lambda: 86_400.0)
    assert not watch.patient()


def test_after_a_sleep_one_heartbeat_passes_before_a_lease_is_lost(clocks: Clocks) -> None:
    make_run()
    watch = Reaper()
    watch.tick()
    job = claim(make_worker())
    assert job is not None
    run_out(job)
    clocks.database += 3600
    assert watch.patient(), "nobody is stuck either"
    watch.tick()
    clocks.pass_by(5)
    watch.tick()
    assert Job.objects.get(pk=job.pk).state == "leased"
    clocks.pass_by(3)
    assert not watch.patient()
    watch.tick()
    assert Job.objects.get(pk=job.pk).state == "ready"


def test_a_lease_from_before_the_clock_was_put_back_is_over_unless_it_is_renewed() -> None:
    """Its worker died meanwhile: nobody would take the job, nor anybody for dead, until that time comes again."""
    make_run()
    make_run()
    ahead = timezone.now() + timedelta(hours=1)
    dead, living = make_worker(), make_worker()
    jobs = [claim(dead), claim(living)]
    assert all(jobs)
    Worker.objects.update(last_seen=ahead)
    Job.objects.update(lease_until=ahead)
    beat = {"lease_until": timezone.now() + timedelta(seconds=20)}
    Job.objects.filter(pk=jobs[1].pk).update(**beat)  # type: ignore[union-attr]
    Worker.objects.filter(pk=living.pk).update(last_seen=timezone.now())
    Reaper().tick()
    assert [Job.objects.get(pk=job.pk).state for job in jobs if job] == ["ready", "leased"]
    assert [worker.pk for worker in Worker.objects.all()] == [living.pk]


def test_after_the_database_was_away_one_heartbeat_passes_too(clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run()
    watch = Reaper()
    watch.tick()
    job = claim(make_worker())
    assert job is not None
    run_out(job)
    with monkeypatch.context() as patch:
        patch.setattr(reaper, "wake_coordinators", lambda: (_ for _ in ()).throw(OperationalError("gone")))
        patch.setattr(reaper, "expire_leases", lambda: (_ for _ in ()).throw(OperationalError("gone")))
        for _ in range(20):
            clocks.pass_by(1)
            with pytest.raises(OperationalError):
                watch.tick()
    clocks.pass_by(1)
    watch.tick()
    assert Job.objects.get(pk=job.pk).state == "leased"
