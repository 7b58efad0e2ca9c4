"""The event writer's thread: whatever a batch fails with, the slice hears of it and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.patience import PATIENCE
from webapp.core.models import Event, Job
from webapp.jobs import writer
from webapp.jobs.claim import claim
from webapp.jobs.writer import EventWriter

from .builders import frame, make_run, make_worker

pytestmark = pytest.mark.django_db(transaction=True)


def within_patience(function: Any) -> list[Any]:
    """[what it returned or raised], or [] if it did not end."""
    said: list[Any] = []

    def call() -> None:
        try:
            said.append(function())
        except Exception as error:
            said.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return said


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_batch_that_fails_fails_the_slice_and_not_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    job = claim(make_worker())
    assert job is not None
    tried = threading.Event()

    def broken(job: Job, events: Any, **_: Any) -> None:
        tried.set()
        raise KeyError("no trial 7")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "append_fenced", broken)
        events = EventWriter()
        events.begin(job)
        events.put([frame(1, [0.5])])
        assert tried.wait(PATIENCE)
        [error] = within_patience(events.finish)
        assert isinstance(error, KeyError)
        events.begin(job)
        events.put([frame(1, [0.5])])
        assert within_patience(events.discard) == [None]
    # The thread lives and the next slice is written.
    events.begin(job)
    events.put([frame(1, [0.5])])
    try:
        until = time.monotonic() + PATIENCE
        while not Event.objects.filter(run=run, kind="structure").exists() and time.monotonic() < until:
            threading.Event().wait(0.05)
        assert within_patience(events.finish) == [[]]
        assert Event.objects.filter(run=run, kind="structure").count() == 1
    finally:
        events.end()


@pytest.mark.parametrize(("kind", "checkpoint", "waits"), [("trial", "", True), ("trial", "there", False), ("phase", "", False)])
def test_what_a_trial_says_at_first_goes_with_its_commit(
    monkeypatch: pytest.MonkeyPatch, kind: str, checkpoint: str, waits: bool
) -> None:
    """Most trials are over before a batch is worth its transaction. A phase is watched step by step."""
    monkeypatch.setattr(writer, "FIRST_SECONDS", 2 * PATIENCE)
    wrote = threading.Event()
    monkeypatch.setattr(writer, "append_fenced", lambda *_, **__: wrote.set())
    events, said = EventWriter(), [frame(step, [0.5]) for step in range(writer.BATCH_EVENTS)]
    try:
        events.begin(Job(kind=kind, checkpoint_path=checkpoint))
        events.put(said[:-1])
        assert wrote.wait(5 * writer.BATCH_SECONDS if waits else PATIENCE) != waits
        if waits:
            events.put(said[-1:])
            assert wrote.wait(PATIENCE), "so many do not wait"
        assert within_patience(events.finish) == [[]]
        wrote.clear()
        events.begin(Job(kind=kind, checkpoint_path=checkpoint))
        events.put(said[:3])
        if waits:
            assert within_patience(events.finish) == [said[:3]] and not wrote.is_set()
    finally:
        events.end()
