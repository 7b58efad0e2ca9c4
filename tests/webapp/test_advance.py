"""The coordinator's step as a slice: many instant trials, short commits, the same science however they are cut."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from search_engine.base import checkpoint
from search_engine.base.row_log import RowLog
from tests.search_engine import toys
from webapp.core.locks import lock_run
from webapp.core.models import Event, Job, Run, Trial
from webapp.events.store import append
from webapp.jobs import advance, files
from webapp.jobs.failures import give_back
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .builders import born, make_run, told

INSTANT: dict[str, Any] = {"algorithm": "random", "space": "bits", "datasets": ["ones"], "seed": 3, "budget": {"trials": 100}}


@pytest.fixture
def _toys() -> Iterator[None]:
    with toys.registered():
        yield


def search(events: int | None, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], list[int]]:
    """The science of an instant search, and how many events each commit carried."""
    monkeypatch.setattr(advance, "EVENTS", events)
    run, session = make_run(INSTANT), Session("cpu")
    lengths, before = [], 1
    try:
        while serve_one(session):
            run.counter.refresh_from_db()
            lengths.append(run.counter.last_seq - before)
            before = run.counter.last_seq
    finally:
        session.end()
    assert Run.objects.get(pk=run.pk).state == "completed"
    return stored(run), lengths


def stored(run: Run) -> list[Any]:
    """The science in the database."""
    rows = Event.objects.filter(run=run, science=True).order_by("seq")
    return list(rows.values_list("source", "step", "kind", "ordinal", "data"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_toys")
def test_a_commit_carries_a_limited_number_of_events_and_the_science_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, one = search(None, monkeypatch)
    cut, many = search(20, monkeypatch)
    assert cut == whole
    assert max(one) > 200 and max(many) < 30 and len(many) > 8


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_toys")
def test_workers_that_take_turns_read_of_what_grows_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = search(None, monkeypatch)
    opened: list[int] = []
    real = RowLog._bytes

    def counted(self: RowLog, begin: int, end: int) -> bytes:
        opened.append(begin)
        return real(self, begin, end)

    monkeypatch.setattr(RowLog, "_bytes", counted)
    monkeypatch.setattr(advance, "EVENTS", 10)
    run, sessions, names = make_run(INSTANT), [Session("cpu"), Session("cpu")], set()
    rng = random.Random(0)
    while serve_one(rng.choice(sessions)):
        names |= {path.name for path in files.run_dir(run.pk).glob("checkpoints/*.rows")}
    for session in sessions:
        session.end()
    # Each reads the log from its beginning once at most, and it stays one file under all fences.
    assert names == {"run.1.rows"}
    assert len(opened) > 5 and opened.count(0) <= 2
    assert stored(run) == whole


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_toys")
def test_whoever_wakes_up_after_its_lease_was_lost_writes_into_a_log_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen at every third step, before or after it wrote its line, and woken when another went on: the other has a log of its own."""
    whole, _ = search(None, monkeypatch)
    monkeypatch.setattr(advance, "EVENTS", 10)
    run, session, other = make_run(INSTANT), Session("cpu"), Session("cpu")
    real, calls, logs = checkpoint.write, [0], set()

    def frozen(path: Path, tree: Any, log: RowLog | None = None, **sealed: bool) -> str:
        if log is None:
            # What a longer search would begin with.
            return real(path, tree, **sealed)
        calls[0] += 1
        logs.add(log.name)
        if calls[0] % 3 != 2:
            return real(path, tree, log)
        before = calls[0] % 2 and real(path, tree, log)
        give_back(Job.objects.get(state="leased"), reason="its worker froze", counts=False)
        calls[0] += 1
        # The successor commits meanwhile.
        assert serve_one(other)
        return before or real(path, tree, log)

    monkeypatch.setattr("webapp.jobs.advance.checkpoint.write", frozen)
    while serve_one(session):
        current = Job.objects.get(run=run, kind="advance")
        kept = {path.name for path in files.run_dir(run.pk).glob("checkpoints/*")}
        # Once the search is over nothing grows any more: a new log may have no line.
        over = Event.objects.filter(run=run, kind="search_stopped").exists()
        assert current.state == "cancelled" or (len(kept) in ((1, 2) if over else (2,)) and Path(current.checkpoint_path).name in kept)
    session.end()
    other.end()
    assert calls[0] > 12 and len(logs) > 4
    assert stored(run) == whole


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_toys")
def test_a_commit_costs_as_many_queries_and_bytes_after_1000_trials_as_after_100(monkeypatch: pytest.MonkeyPatch) -> None:
    run, session = make_run({**INSTANT, "budget": {"trials": 2000}}), Session("cpu")
    job = Job.objects.get(run=run, kind="advance")
    cost: dict[int, tuple[int, int]] = {}
    for told_before in (100, 1000):
        monkeypatch.setattr(advance, "EVENTS", 500)
        while run.counter.trials_told < told_before:
            assert serve_one(session)
            run.counter.refresh_from_db()
        monkeypatch.setattr(advance, "EVENTS", 4)
        assert serve_one(session)
        [log] = files.run_dir(run.pk).glob("checkpoints/*.rows")
        before = log.stat().st_size
        with CaptureQueriesContext(connection) as captured:
            assert serve_one(session)
        job.refresh_from_db()
        size = (files.run_dir(run.pk) / job.checkpoint_path).stat().st_size
        rows = sum(len(query["sql"]) for query in captured.captured_queries)
        cost[told_before] = (len(captured), log.stat().st_size - before + size + rows)
    session.end()
    assert cost[1000][0] <= cost[100][0] and cost[1000][1] <= 1.25 * cost[100][1]


@pytest.mark.django_db
def test_a_batch_of_results_is_written_by_upserts() -> None:
    """One CASE branch per row and field (what `bulk_update` writes) took seconds per thousand results, under the write lock."""
    run = make_run()
    with transaction.atomic():
        append(lock_run(run.pk), [born(number) for number in range(1000)])
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        append(lock_run(run.pk), [told(number, number / 1000) for number in range(1000)])
    statements = [query["sql"] for query in captured.captured_queries if "core_trial" in query["sql"]]
    assert any("ON CONFLICT" in sql for sql in statements)
    assert not any("CASE WHEN" in sql for sql in statements)
    rows = Trial.objects.filter(run=run).order_by("number").values_list("state", "value", "candidate__number")
    assert list(rows) == [("completed", number / 1000, number) for number in range(1000)]
