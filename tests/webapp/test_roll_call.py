"""Workers that live and claim nothing although there is work: called, then replaced, whatever it was that they lost."""

from __future__ import annotations

import os
import platform
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from webapp.core.models import Job, Run, Worker
from webapp.jobs import roll_call, session
from webapp.jobs.claim import claim
from webapp.jobs.reaper import stuck_workers
from webapp.jobs.roll_call import RollCall
from webapp.jobs.session import Session

from .builders import make_run, make_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(roll_call.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    monkeypatch.setattr(roll_call, "ring", lambda device: made.append(device))
    return made


def living(device: str = "cpu") -> Worker:
    """A worker that lives on, however slow this machine is."""
    worker = make_worker(device)
    Worker.objects.filter(pk=worker.pk).update(last_seen=timezone.now() + timedelta(hours=1))
    return worker


def looks(calls: RollCall, clock: list[float], seconds: int) -> list[UUID]:
    """One look a second; who was called."""
    found: list[UUID] = []
    for _ in range(seconds):
        clock[0] += 1.0
        found += calls.look()
    return found


def called(worker: Worker) -> bool:
    return Worker.objects.get(pk=worker.pk).called_at is not None


def test_a_worker_that_claims_nothing_is_called_within_fifteen_seconds(clock: list[float], rings: list[str]) -> None:
    worker, gpu, calls = living(), living("cuda:0"), RollCall()
    assert looks(calls, clock, 20) == [], "there is no work"
    run = make_run()
    Job.objects.filter(run=run).update(device="cuda")
    assert looks(calls, clock, 5) == []
    assert looks(calls, clock, 10) == [gpu.pk] and rings == ["cuda:0"], "it is called once, and the other cannot take it"
    assert not called(worker)


def test_a_call_is_for_one_worker(clock: list[float], rings: list[str]) -> None:
    worker, gpu, calls = living(), living("cuda:0"), RollCall()
    run = make_run()
    Run.objects.filter(pk=run.pk).update(device="cpu")
    Job.objects.filter(run=run).update(device="auto")
    while not called(worker):
        looks(calls, clock, 1)
    assert not called(gpu)


def test_a_call_is_over_when_there_is_no_work(clock: list[float], rings: list[str]) -> None:
    worker, calls, run = living(), RollCall(), make_run()
    looks(calls, clock, 15)
    assert called(worker)
    Job.objects.filter(run=run).update(state=Job.State.CANCELLED)
    looks(calls, clock, 1)
    assert not called(worker)


def test_a_busy_queue_calls_nobody(clock: list[float], rings: list[str]) -> None:
    """Work is always there, and at every look the worker is idle; but each time it is other work: it was claimed in between."""
    living()
    calls, run = RollCall(), make_run()
    for _ in range(40):
        Job.objects.filter(run=run).update(fence=Job.objects.get(run=run).fence + 1)
        assert looks(calls, clock, 1) == []


def test_one_job_that_waits_beside_an_idle_worker_is_enough(clock: list[float], rings: list[str]) -> None:
    """Others, first in the queue, come and go."""
    worker, calls = living(), RollCall()
    make_run()
    passing = make_run()
    Job.objects.filter(run=passing).update(created=timezone.now() - timedelta(hours=1))
    found: list[UUID] = []
    for _ in range(12):
        Job.objects.filter(run=passing).update(fence=Job.objects.get(run=passing).fence + 1)
        found += looks(calls, clock, 1)
    assert found == [worker.pk]


def test_a_call_is_over_for_the_kind_of_device_that_has_no_work(clock: list[float], rings: list[str]) -> None:
    worker, gpu, calls = living(), living("cuda:0"), RollCall()
    of_gpu, of_cpu = make_run(), make_run()
    Job.objects.filter(run=of_gpu).update(device="cuda")
    Run.objects.filter(pk=of_cpu.pk).update(device="cpu")
    Job.objects.filter(run=of_cpu).update(device="auto")
    looks(calls, clock, 15)
    assert called(worker) and called(gpu)
    Job.objects.filter(run=of_gpu).update(state=Job.State.CANCELLED)
    looks(calls, clock, 1)
    assert called(worker) and not called(gpu)


def test_of_two_reapers_the_second_does_not_make_a_call_younger(
    clock: list[float], rings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does not answer is replaced so long after the first call."""
    worker, calls = living(), RollCall()
    make_run()
    looks(calls, clock, 5)
    before = timezone.now() - timedelta(seconds=8)
    Worker.objects.filter(pk=worker.pk).update(called_at=before)
    monkeypatch.setattr(roll_call, "idle_workers", lambda: [(worker.pk, "cpu", False)])
    looks(calls, clock, 10)
    assert Worker.objects.get(pk=worker.pk).called_at == before


@pytest.mark.parametrize(("heartbeat", "call", "answer"), [(0.5, 5.0, 5.0), (5.0, 10.0, 15.0)])
def test_a_call_comes_after_two_heartbeats_and_is_answered_within_three(
    heartbeat: float, call: float, answer: float, settings: Any
) -> None:
    settings.NASCOPE_HEARTBEAT_SECONDS = heartbeat
    assert (roll_call.call_seconds(), roll_call.answer_seconds()) == (call, answer)


def test_a_worker_that_was_busy_meanwhile_is_not_called(clock: list[float], rings: list[str]) -> None:
    worker, calls = living(), RollCall()
    make_run()
    other = make_run()
    looks(calls, clock, 8)
    job = claim(worker)
    assert job is not None
    looks(calls, clock, 1)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FINISHED)
    assert looks(calls, clock, 8) == []
    assert looks(calls, clock, 8) == [worker.pk], "and of the rest it claims nothing"
    assert Job.objects.filter(run=other, state="ready").exists() or Job.objects.filter(state="ready").count() == 1


def test_what_was_seen_before_a_sleep_calls_nobody(clock: list[float], rings: list[str]) -> None:
    living()
    calls = RollCall()
    make_run()
    looks(calls, clock, 8)
    calls.forget()
    assert looks(calls, clock, 8) == []


def test_who_answers_a_call_is_not_replaced(settings: Any) -> None:
    """The heartbeat hears it and looks at once; a claim ends the call."""
    settings.NASCOPE_HEARTBEAT_SECONDS = 3600.0  # this test beats
    looked: list[bool] = []
    worker = Session("cpu")
    worker.look_now = lambda: looked.append(True)
    try:
        make_run()
        Worker.objects.filter(pk=worker.worker.pk).update(called_at=timezone.now())
        worker._renew()
        assert looked == [True] and called(worker.worker)
        worker.hold(claim(worker.worker))
        worker.hold(None)
        worker._renew()
        assert not called(worker.worker) and looked == [True]
    finally:
        worker.end()


class _Ended(Exception):
    pass


@pytest.mark.parametrize("supervised", [False, True])
def test_who_does_not_answer_ends_itself_where_nobody_replaces_it(
    supervised: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.NASCOPE_HEARTBEAT_SECONDS = 3600.0
    now = [0.0]
    worker = Session("cpu")

    def ended(status: int) -> None:
        assert status == session.STUCK
        raise _Ended

    try:
        run = make_run()
        if supervised:
            monkeypatch.setenv("NASCOPE_PARENT_PID", str(os.getppid()))
        Worker.objects.filter(pk=worker.worker.pk).update(called_at=timezone.now())
        monkeypatch.setattr(session.os, "_exit", ended)
        monkeypatch.setattr(session.time, "monotonic", lambda: now[0])
        worker._renew()
        now[0] += 3 * 3600.0 + 1
        if supervised:
            worker._renew()
        else:
            with pytest.raises(_Ended):
                worker._renew()
            Job.objects.filter(run=run).update(runnable=False)
            worker._renew()
    finally:
        worker.end()


@pytest.mark.parametrize("stands_still", ["heart", "work", "nothing"])
def test_a_process_whose_heart_or_work_stands_still_ends(stands_still: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The heart itself may wait for a database that went away without a word."""
    settings.NASCOPE_HEARTBEAT_SECONDS = 3600.0
    monkeypatch.setattr(session.os, "_exit", lambda status: (_ for _ in ()).throw(_Ended))
    worker = Session("cpu")
    try:
        make_run()
        worker.hold(claim(worker.worker) if stands_still == "work" else None)
        now = time.monotonic() + settings.NASCOPE_PROGRESS_DEADLINE + 1
        worker._beaten = 0.0 if stands_still == "heart" else now
        monkeypatch.setattr(session.time, "monotonic", lambda: now)
        if stands_still == "nothing":
            worker._end_if_stuck()
        else:
            with pytest.raises(_Ended):
                worker._end_if_stuck()
    finally:
        worker.end()


def test_the_supervisor_replaces_who_does_not_answer(settings: Any) -> None:
    worker = make_worker()
    Worker.objects.filter(pk=worker.pk).update(host=platform.node())
    assert stuck_workers([worker.pid]) == []
    Worker.objects.filter(pk=worker.pk).update(called_at=timezone.now() - timedelta(seconds=3 * settings.NASCOPE_HEARTBEAT_SECONDS - 5))
    assert stuck_workers([worker.pid]) == []
    Worker.objects.filter(pk=worker.pk).update(called_at=timezone.now() - timedelta(seconds=3 * settings.NASCOPE_HEARTBEAT_SECONDS + 5))
    assert [found.pk for found in stuck_workers([worker.pid])] == [worker.pk]
