"""The coordinator's step as a slice: many instant trials, short commits, the same science however they are cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.search_engine import toys
from webapp.core.locks import lock_run
from webapp.core.models import Event, Run, Trial
from webapp.events.store import append
from webapp.jobs import advance
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
    rows = Event.objects.filter(run=run, science=True).order_by("seq")
    return list(rows.values_list("source", "step", "kind", "ordinal", "data")), lengths


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_toys")
def test_a_commit_carries_a_limited_number_of_events_and_the_science_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, one = search(None, monkeypatch)
    cut, many = search(20, monkeypatch)
    assert cut == whole
    assert max(one) > 200 and max(many) < 30 and len(many) > 8


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
