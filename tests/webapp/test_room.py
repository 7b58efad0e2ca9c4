"""A full disk: told even where nothing can be written down, refused with what to do, and over by itself."""

from __future__ import annotations

import errno
import sqlite3
from itertools import pairwise
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from webapp.core import room
from webapp.core.locks import lock_run
from webapp.core.models import Event, Run, RunCounter
from webapp.jobs import resuming, states
from webapp.jobs.claim import claim
from webapp.jobs.failures import give_back
from webapp.jobs.resuming import Resuming
from webapp.jobs.states import NO_SPACE, StateConflict

from .api_world import BODY, browser, make_user, send
from .builders import make_run, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Free bytes, to be changed by the test."""
    left = [10**12]
    monkeypatch.setattr(room, "free_bytes", lambda: left[0])
    monkeypatch.setattr(room, "_refused", float("-inf"))
    return left


def full_database() -> OperationalError:
    error = OperationalError("database or disk is full")
    error.__cause__ = sqlite3.OperationalError("database or disk is full")
    return error


def test_a_run_stands_paused_on_a_full_disk_whatever_its_row_says(free: list[int]) -> None:
    run = make_run()
    ada = browser(run.owner)
    assert send(ada, "GET", f"runs/{run.pk}").json()["state"] == "queued"
    free[0] = 1000
    shown = send(ada, "GET", f"runs/{run.pk}").json()
    assert (shown["state"], shown["reason"], shown["resumes_itself"]) == ("paused", NO_SPACE, True)
    assert [row["state"] for row in send(ada, "GET", "runs").json()["results"]] == ["paused"]
    states.cancel(run.pk)
    assert send(ada, "GET", f"runs/{run.pk}").json()["state"] == "cancelled"
    assert Run.objects.get(pk=make_run().pk).state == "queued"


def test_what_would_begin_work_is_answered_507(free: list[int]) -> None:
    run = make_run()
    ada = browser(run.owner)
    free[0] = 1000
    more = {"unit": "trials", "more": 5}
    of_run = [("clone", {}), ("resume", None), ("more", more), ("finish", None), ("best", None)]
    for path, body in (("experiments", BODY), ("estimates", BODY), *((f"runs/{run.pk}/{what}", body) for what, body in of_run)):
        answer = send(ada, "POST", path, body)
        assert (answer.status_code, answer.json()["code"]) == (507, "no_space"), path
        assert "free some space" in answer.json()["detail"]
    assert Run.objects.count() == 1
    assert send(ada, "POST", f"runs/{run.pk}/pause").status_code == 202
    assert send(browser(make_user("grace")), "POST", f"runs/{run.pk}/resume").status_code == 404, "strangers hear of no disk"


def test_a_request_that_was_answered_before_the_disk_was_full_is_answered_so_again(free: list[int]) -> None:
    ada = browser(make_user("ada"))
    first = send(ada, "POST", "experiments", BODY, **{"Idempotency-Key": "k"})
    free[0] = 1000
    again = send(ada, "POST", "experiments", BODY, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 201) and again.json()["id"] == first.json()["id"]


class _Refusal(Exception):
    sqlstate = "53100"


def test_who_says_that_nothing_can_be_written(free: list[int]) -> None:
    postgresql = OperationalError("could not extend file")
    postgresql.__cause__ = _Refusal()
    assert room.says_full(full_database()) and room.full()
    assert room.says_full(postgresql)
    sqlite = OperationalError("disk I/O error")
    assert not room.says_full(sqlite), "of a disk with space this is no such thing"
    free[0] = 1000
    assert room.says_full(sqlite)
    assert not room.says_full(OperationalError("database is locked"))


def test_a_database_that_cannot_write_is_answered_507_and_remembered(free: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    ada = browser(run.owner)
    monkeypatch.setattr(states, "lock_run", lambda *_: (_ for _ in ()).throw(full_database()))
    for path in ("pause", "cancel"):
        assert send(ada, "POST", f"runs/{run.pk}/{path}").status_code == 507
    assert send(ada, "GET", f"runs/{run.pk}").json()["reason"] == NO_SPACE
    assert send(ada, "GET", "health/ready").json()["checks"]["work"].startswith("the disk is full")


@pytest.mark.parametrize(("error", "status"), [(full_database(), 507), (OSError(errno.ENOSPC, "No space left on device"), 507),
                                               (OperationalError("server closed the connection unexpectedly"), 503), (KeyError("x"), 500)])
def test_what_no_view_sees_is_an_outage_too(
    error: Exception, status: int, free: list[int], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Sessions, pages, the administration."""
    monkeypatch.setattr("webapp.api.problems.connection.close", lambda: None)
    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_response", lambda *_: (_ for _ in ()).throw(error))
    answer = Client(raise_request_exception=False).get("/login")
    assert answer.status_code == status and answer["Content-Type"] == "application/problem+json"


def paused(run: Run) -> Run:
    states.pause_for(lock_run(run.pk), "disk_full", NO_SPACE)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("paused", NO_SPACE)
    return run


def test_runs_go_on_by_themselves_once_there_is_room(free: list[int], settings: Any) -> None:
    run, least = paused(make_run()), settings.NASCOPE_MIN_FREE_BYTES
    for left, goes_on in ((least - 1, 0), (least + 1, 0), (2 * least, 1)):
        free[0] = left
        assert Resuming().look() == goes_on
    run.refresh_from_db()
    assert (run.state, run.reason) == ("queued", "")
    assert "resumed: there is space again" in [data["message"] for data in Event.objects.filter(run=run).values_list("data", flat=True)]


def test_what_the_owner_did_meanwhile_holds(free: list[int]) -> None:
    held, cancelled, already = paused(make_run()), paused(make_run()), make_run()
    states.pause(already.pk)
    states.pause_for(lock_run(already.pk), "disk_full", NO_SPACE)
    states.pause(held.pk)
    states.cancel(cancelled.pk)
    assert Resuming().look() == 0
    assert not any(states.resume_for_space(run.pk) for run in (held, cancelled, already)), "one that was seen just before, neither"
    rows = {run.pk: (run.state, run.reason) for run in Run.objects.all()}
    assert rows[held.pk] == rows[already.pk] == ("paused", "paused by its owner") and rows[cancelled.pk][0] == "cancelled"
    with pytest.raises(StateConflict):
        states.pause(held.pk)
    assert states.resume(held.pk).state == "queued"


def test_only_runs_that_wait_for_space_are_looked_at(free: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes a run's lock, once a second: not for the runs that people paused."""
    waiting = {paused(make_run()).pk, paused(make_run()).pk}
    states.pause(make_run().pk)
    held = make_run()
    assert claim(make_worker()) is not None
    states.pause_for(lock_run(held.pk), "disk_full", NO_SPACE)
    Run.objects.filter(pk=held.pk).update(state=Run.State.PAUSING)
    asked: list[Any] = []
    monkeypatch.setattr(states, "resume_for_space", lambda run_id: asked.append(run_id) or True)
    assert Resuming().look() == 2
    assert sorted(asked) == sorted(waiting)


def test_a_run_that_changes_while_it_is_looked_at_goes_on_by_nobody_s_count(free: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner deleted it, or paused it, just before."""
    deleted, changed = paused(make_run()).pk, paused(make_run()).pk

    def meanwhile(run_id: Any) -> bool:
        if run_id == deleted:
            raise RunCounter.DoesNotExist
        return False

    monkeypatch.setattr(states, "resume_for_space", meanwhile)
    assert Resuming().look() == 0
    assert Run.objects.get(pk=changed).reason == NO_SPACE


def test_an_owner_who_pauses_a_run_that_is_about_to_stand_still_for_space_holds_it(free: list[int]) -> None:
    run = make_run()
    job = claim(make_worker())
    assert job is not None
    states.pause_for(lock_run(run.pk), "disk_full", NO_SPACE)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("pausing", NO_SPACE)
    states.pause(run.pk)
    give_back(job, reason=NO_SPACE, counts=False)
    run.refresh_from_db()
    assert (run.state, run.reason) == ("paused", "paused by its owner")
    assert Resuming().look() == 0


@pytest.mark.parametrize(("later", "wait"), [(19.0, 10.0), (20.0, 5.0)])
def test_only_a_run_that_is_soon_paused_again_waits_longer(
    later: float, wait: float, free: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soon is within four times what it waited."""
    run, now, resumes = make_run(), [1000.0], Resuming()
    monkeypatch.setattr(resuming.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(room, "_refused", float("-inf"))

    def look_at(moment: float) -> int:
        now[0] = moment
        return resumes.look()

    paused(run)
    assert look_at(1000.0) == 1
    paused(run)
    assert look_at(1000.0 + later) == 1
    paused(run)
    assert [look_at(1000.0 + later + wait - 0.5), look_at(1000.0 + later + wait)] == [0, 1]
    paused(other := make_run())
    assert look_at(2000.0) == 1
    assert resumes._last.keys() == {other.pk}, "what is long over is forgotten"


def test_a_run_that_is_paused_again_and_again_waits_longer_each_time(free: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota, say, of which the free space knows nothing."""
    run, now, resumes = make_run(), [0.0], Resuming()
    monkeypatch.setattr(resuming.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(room, "_refused", float("-inf"))
    went_on = []
    for second in range(240):
        now[0] = float(second) + 1000.0
        if Run.objects.get(pk=run.pk).state != "paused":
            paused(run)
        if resumes.look():
            went_on.append(second)
    gaps = [after - before for before, after in pairwise(went_on)]
    assert gaps[:4] == [5, 10, 20, 40] and set(gaps[4:]) <= {60}, gaps


def test_ready_tells_of_a_worker_that_claims_nothing(free: list[int]) -> None:
    worker = make_worker()
    make_run()
    worker.called_at = timezone.now()
    worker.save()
    ready = send(browser(), "GET", "health/ready").json()
    assert (ready["status"], ready["checks"]["work"]) == ("degraded", "1 worker lives and claims nothing although there is work")
