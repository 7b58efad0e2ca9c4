"""Claim, lease, fence, failures, reaper, fair sharing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from webapp.core.locks import lock_run
from webapp.core.models import Event, Job, OwnerService, Run, RunCounter, Trial, Worker
from webapp.jobs import claim as claim_module
from webapp.jobs import files, outcomes, states
from webapp.jobs.claim import claim, hurried
from webapp.jobs.failures import give_back
from webapp.jobs.reaper import expire_leases, is_alive, release_worker, ring_for_idle_workers, stuck_workers
from webapp.jobs.session import Session

from .builders import make_job, make_owner, make_run, make_worker
from .installation import Installation, result

pytestmark = pytest.mark.django_db


def run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def work_job(run: Run, kind: str = "phase") -> Job:
    """A job of the run beside its coordinator's, which is put to sleep."""
    Job.objects.filter(run=run, kind="advance").update(runnable=False)
    return make_job(run, kind)


def test_a_claim_raises_the_fence_and_starts_the_run() -> None:
    run, worker = make_run(), make_worker()
    job = claim(worker)
    assert job is not None and (job.kind, job.state, job.fence, job.worker_id) == ("advance", "leased", 1, worker.pk)
    lease_until = Job.objects.get(pk=job.pk).lease_until
    assert lease_until is not None and lease_until > timezone.now()
    run.refresh_from_db()
    assert run.state == "running" and run.started is not None
    assert claim(make_worker()) is None


def test_of_two_processes_one_wins_each_job(installation: Installation) -> None:
    installation.answer("make_jobs", "40")
    racers = [installation.program("claim_all") for _ in range(2)]
    won = [result(racer) for racer in racers]
    assert sorted(won[0] + won[1]) == list(range(40))


def test_a_lease_that_runs_out_is_taken_back_and_its_holder_can_no_longer_write() -> None:
    run = make_run()
    work_job(run)
    job = claim(make_worker())
    assert job is not None
    assert expire_leases() == 0
    run_out(job)
    assert expire_leases() == 1
    again = Job.objects.get(pk=job.pk)
    assert (again.state, again.failures, again.worker_id) == ("ready", 1, None) and again.fence > job.fence
    assert not give_back(job, reason="the old holder")
    said = Event.objects.filter(run=run, data__what="lease_lost").get().data
    assert "failure 1 of 3" in said["message"] and said["values"] == {"source": "phase:0", "failures": 1}


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_renews_the_lease_and_notices_its_loss(settings: object) -> None:
    session = Session("cpu")
    try:
        make_run()
        job = claim(session.worker)
        assert job is not None
        session.hold(job)
        run_out(job)
        session._renew()
        assert Job.objects.get(pk=job.pk).lease_until > timezone.now()  # type: ignore[operator]
        assert not session.should_stop
        give_back(job, reason="taken away")
        session._renew()
        assert session.should_stop
    finally:
        session.end()
    assert not Worker.objects.filter(pk=session.worker.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_for_good_leaves_only_its_outcome() -> None:
    """Neither its last checkpoint nor what a kill left between writing and committing; another job's files stay."""
    run = make_run()
    job = work_job(run)
    folder = files.run_dir(run.pk) / "checkpoints"
    folder.mkdir(parents=True)
    other = folder / "phase-01.1.safetensors"
    for path in (folder / "phase-0.1.safetensors", folder / "phase-0.2.safetensors", folder / ".phase-0.2.safetensors.x1", other):
        path.write_bytes(b"x")
    Job.objects.filter(pk=job.pk).update(fence=2, checkpoint_path="checkpoints/phase-0.1.safetensors", checkpoint_digest="x", failures=2)
    taken = claim(make_worker())
    assert taken == job
    give_back(taken, reason="its worker was killed")
    failed = Job.objects.get(pk=job.pk)
    assert (failed.state, failed.checkpoint_path, failed.checkpoint_digest) == ("finished", "", "")
    assert list(folder.iterdir()) == [other]
    assert outcomes.read(failed)["status"] == "failed"


@pytest.mark.parametrize("kind", ["phase", "trial"])
def test_three_failures_without_a_checkpoint_fail_the_job_with_its_reason(kind: str) -> None:
    run = make_run()
    work_job(run, kind)
    for _ in range(3):
        job = claim(make_worker())
        assert job is not None and job.kind == kind
        give_back(job, reason="its worker was killed")
    job = Job.objects.get(pk=job.pk)
    assert job.state == "finished" and job.reason == "its worker was killed (3 failures without progress)"
    outcome = outcomes.read(job)
    assert (outcome["status"], outcome["machine"], outcome["reason"]) == ("failed", True, job.reason)
    run.refresh_from_db()
    assert not run.reproducible
    # The coordinator is awake again and will be told.
    assert Job.objects.get(run=run, kind="advance").runnable


def test_a_coordinator_that_keeps_failing_fails_its_run() -> None:
    run = make_run()
    for _ in range(3):
        job = claim(make_worker())
        assert job is not None
        give_back(job, reason="ValueError: bad state")
    run.refresh_from_db()
    assert (run.state, run.reason) == ("failed", "ValueError: bad state (3 failures without progress)")
    assert claim(make_worker()) is None


def test_a_drained_worker_is_no_failure() -> None:
    run = make_run()
    job = work_job(run)
    for _ in range(5):
        taken = claim(make_worker())
        assert taken is not None
        give_back(taken, reason="stopped", counts=False)
    assert Job.objects.get(pk=job.pk).failures == 0


def test_what_a_dead_worker_held_is_free_at_once() -> None:
    make_run()
    worker = make_worker()
    job = claim(worker)
    assert job is not None and not is_alive(worker)
    assert release_worker(worker.pk, "its worker was killed") == 1
    assert claim(make_worker()) == job


def test_coordinators_first_then_the_least_served_owner_then_the_least_served_run() -> None:
    rich, poor = make_owner("rich"), make_owner("poor")
    runs = [make_run(owner=rich), make_run(owner=poor), make_run(owner=poor)]
    jobs = [work_job(run, "trial") for run in runs]
    OwnerService.objects.filter(owner=rich).update(service=10)
    RunCounter.objects.filter(run=runs[1]).update(service=5)
    last = make_run(owner=rich)
    order = [claim(make_worker()) for _ in range(4)]
    assert [job and job.run_id for job in order] == [last.pk, runs[2].pk, runs[1].pk, runs[0].pk]
    assert order[3] == jobs[0]


def test_a_coordinator_goes_first_only_with_something_to_tell() -> None:
    """One that merely goes on, slice after slice of instant trials, competes by service; otherwise it would be first for ever."""
    busy, waiting = make_run(owner=make_owner("busy")), make_run(owner=make_owner("waiting"))
    trial = work_job(waiting, "trial")
    Job.objects.filter(run=busy).update(checkpoint_digest="x", runnable=True)
    OwnerService.objects.filter(owner=busy.owner).update(service=10)
    job = claim(make_worker())
    assert job == trial
    give_back(job, reason="", counts=False)
    Job.objects.filter(pk=make_job(busy, "trial").pk).update(state="finished")
    woken = claim(make_worker())
    assert woken is not None and (woken.kind, woken.run_id) == ("advance", busy.pk)


def test_a_newcomer_starts_level_and_not_with_credit() -> None:
    make_run(owner=make_owner("busy"))
    OwnerService.objects.update(service=100)
    make_run(owner=make_owner("new"))
    assert OwnerService.objects.get(owner__username="new").service == 100


def test_a_run_stays_on_the_kind_of_device_that_began_it() -> None:
    run = make_run()
    work_job(run)
    job = claim(make_worker("cuda:0"))
    assert job is not None
    run.refresh_from_db()
    assert run.device == "cuda"
    give_back(job, reason="", counts=False)
    assert claim(make_worker("cpu")) is None
    assert claim(make_worker("cuda:1")) == job


def test_where_there_is_a_gpu_a_run_that_may_choose_waits_for_it() -> None:
    run = make_run()
    job = work_job(run)
    gpu = make_worker("cuda:0")
    assert claim(make_worker("cpu")) is None
    Worker.objects.filter(pk=gpu.pk).update(last_seen=timezone.now() - timedelta(minutes=5))
    assert claim(make_worker("cpu")) == job


def test_the_reaper_rings_only_where_somebody_idle_could_help(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[int, str]] = []
    monkeypatch.setattr("webapp.jobs.reaper.ring", lambda times, device: rung.append((times, device)))
    assert ring_for_idle_workers() == 0
    make_run()
    assert ring_for_idle_workers() == 0
    make_worker()
    make_worker()
    assert ring_for_idle_workers() == 1 and rung == [(1, "cpu")]


def test_a_worker_without_progress_is_found() -> None:
    import platform

    run = make_run()
    worker = make_worker()
    Worker.objects.filter(pk=worker.pk).update(host=platform.node())
    claim(worker)
    assert stuck_workers([worker.pid]) == []
    Worker.objects.filter(pk=worker.pk).update(progress_at=timezone.now() - timedelta(hours=1))
    assert stuck_workers([worker.pid]) == [worker]
    assert stuck_workers([worker.pid + 1]) == []
    assert run.pk


def test_trials_show_that_they_run() -> None:
    from django.db import transaction

    from webapp.core.locks import lock_run
    from webapp.events.store import append

    from .builders import born

    run = make_run()
    with transaction.atomic():
        append(lock_run(run.pk), [born(0)])
    work_job(run, "trial")
    claim(make_worker())
    assert Trial.objects.get(run=run).state == "running"
    states.cancel(run.pk)
    assert Trial.objects.get(run=run).state == "cancelled"


def test_what_a_slice_makes_room_for() -> None:
    """A run that begins, results that nobody has told yet, an estimate; never mere work, or a coordinator that goes on by itself."""
    run = make_run()
    assert hurried("cpu"), "a run that begins"
    advance = Job.objects.filter(run=run, kind="advance")
    advance.update(checkpoint_digest="there")
    assert not hurried("cpu"), "a coordinator that merely goes on"
    done = work_job(run, "trial")
    assert not hurried("cpu"), "work"
    Job.objects.filter(pk=done.pk).update(state=Job.State.FINISHED)
    assert not hurried("cpu"), "its coordinator sleeps"
    advance.update(runnable=True)
    assert hurried("cpu"), "a result to tell"
    Run.objects.filter(pk=run.pk).update(state=Run.State.PAUSED)
    assert not hurried("cpu"), "a paused run waits for its owner"


def test_a_job_that_another_worker_held_since_it_was_looked_at_is_not_taken_with_its_old_row() -> None:
    """It is ready again, but what was looked at names a checkpoint that is gone."""
    run, worker, other = make_run(), make_worker(), make_worker()
    [seen] = claim_module._look(worker.device)
    taken = claim(other)
    assert taken is not None and taken.pk == seen.pk
    give_back(taken, reason="drained", counts=False)
    with transaction.atomic():
        assert not claim_module._take(seen, worker, lock_run(run.pk))
    again = claim(worker)
    assert again is not None and again.fence == taken.fence + 2
