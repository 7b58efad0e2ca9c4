"""Events: consecutive numbers, nothing twice, no hole, and rows that are never behind."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import transaction

from search_engine.events import Event as EngineEvent
from search_engine.events import Metrics
from webapp.core.locks import lock_run
from webapp.core.models import Candidate, Event, Genome, Run, StructureFrame, Trial
from webapp.events.store import StaleFence, append, append_fenced, last_seq, ops, read_after
from webapp.jobs.claim import claim

from .builders import born, frame, incumbent, make_run, make_worker, told

pytestmark = pytest.mark.django_db


def say(run: Run, *events: EngineEvent) -> list[int]:
    with transaction.atomic():
        return [row.seq for row in append(lock_run(run.pk), events)]


def test_numbers_are_consecutive_and_records_read_back() -> None:
    run = make_run()
    first = last_seq(run.pk)
    assert say(run, born(0), told(0, 0.5)) == [first + 1, first + 2]
    assert say(run, ops("waiting", "for a worker")) == [first + 3]
    records = read_after(run.pk, first, limit=2)
    assert [(record["seq"], record["kind"], record["science"]) for record in records] == [
        (first + 1, "candidate_born", True), (first + 2, "trial_told", True),
    ]
    assert records[1]["data"]["metrics"] == {"val_accuracy": 0.5}
    assert last_seq(run.pk) == first + 3


def test_repeats_and_distinct_architectures_are_counted_as_they_come() -> None:
    """Three births of one architecture and one of another, in three commits; whatever else names a genome counts nothing."""
    run = make_run()
    again = told(1, 0.5)
    again = EngineEvent(source="run", step=1, payload=again.payload.model_copy(update={"reused_from": 0}))
    say(run, born(0, architectures=1), born(1, architectures=1), told(0, 0.5))
    say(run, again, incumbent(0, 0.5))
    say(run, born(2, architectures=1), born(3, bits=1, architectures=2))
    run.counter.refresh_from_db()
    assert (run.counter.candidates, run.counter.architectures, run.counter.trials_repeated) == (4, 2, 1)


def test_a_repeated_slice_says_nothing_twice_and_leaves_no_hole() -> None:
    run = make_run()
    first = last_seq(run.pk)
    say(run, frame(1, [0.1, 0.2]), frame(2, [0.3, 0.4]))
    assert say(run, frame(1, [0.1, 0.2]), frame(2, [0.3, 0.4]), frame(3, [0.5, 0.6])) == [first + 3]
    assert list(Event.objects.filter(run=run).order_by("seq").values_list("seq", flat=True)) == list(range(1, first + 4))
    assert StructureFrame.objects.filter(run=run).count() == 3
    assert not Event.objects.filter(run=run, data__what="diverged").exists()
    run.refresh_from_db()
    assert run.reproducible


def test_a_repetition_that_differs_is_said_and_the_first_stays() -> None:
    run = make_run()
    say(run, frame(1, [0.1]))
    say(run, frame(1, [0.7]))
    events = Event.objects.filter(run=run)
    assert events.filter(kind="structure").count() == 1
    message = events.get(kind="ops", data__what="diverged").data
    assert message["values"]["keys"] == [["phase:0", 1, "structure", 0]]
    assert np.frombuffer(StructureFrame.objects.get(run=run).values, "<f4") == pytest.approx([0.1])
    run.refresh_from_db()
    assert not run.reproducible and "phase 1 of the search, step 1" in run.reproducible_note


def test_rows_follow_the_events() -> None:
    run = make_run()
    say(run, born(0, 0), told(0, 0.5), incumbent(0, 0.5), born(1, 1), born(2, 0), told(1, 0, "failed"))
    say(run, frame(5, [0.25, 0.75]))
    assert list(Candidate.objects.filter(run=run).order_by("number").values_list("number", "genome__hash", "parents")) == [
        (0, "hash0", []), (1, "hash1", [0]), (2, "hash0", [1]),
    ]
    # Candidates 0 and 2 share one genome; the incumbent's is a third.
    assert Genome.objects.filter(run=run).count() == 3
    assert list(Trial.objects.filter(run=run).order_by("number").values_list("state", "value", "reason")) == [
        ("completed", 0.5, ""), ("failed", None, "loss is not a number"), ("queued", None, ""),
    ]
    run.refresh_from_db()
    assert run.search_score is not None and run.search_score["value"] == 0.5 and run.search_score["kind"] == "search"
    assert (run.best_candidate, run.best_genome_hash) == (0, "best")
    assert (run.counter.candidates, run.counter.trials_told, run.counter.trials_failed) == (3, 2, 1)
    stored = StructureFrame.objects.get(run=run)
    assert (stored.source, stored.step, stored.group) == ("phase:0", 5, "cell")
    assert np.frombuffer(stored.values, "<f4").tolist() == [0.25, 0.75]


def test_a_number_that_json_cannot_hold_is_left_out() -> None:
    run = make_run()
    say(run, EngineEvent(source="phase:0", step=1, payload=Metrics(step=1, samples=1, values={"bad": float("nan"), "good": 1.0})))
    assert Event.objects.get(run=run, kind="metrics").data["values"] == {"good": 1.0}


def test_an_event_under_a_stale_fence_is_refused() -> None:
    run = make_run()
    job = claim(make_worker())
    assert job is not None and job.run_id == run.pk
    append_fenced(job, [frame(1, [0.1])])
    before = last_seq(run.pk)
    job.fence -= 1
    with pytest.raises(StaleFence):
        append_fenced(job, [frame(2, [0.1])])
    assert last_seq(run.pk) == before
