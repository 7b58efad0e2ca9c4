"""Pasts that are kept prepared: whatever is there, old, damaged, of another version or written by two at once, the snapshot is the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from webapp.core import room
from webapp.core.models import Event, Keyframe, Run
from webapp.events import keyframes
from webapp.events.keyframes import Keyframes, facts, past_of
from webapp.events.past import fold
from webapp.events.past.fold import Past
from webapp.jobs import states
from webapp.jobs.reaper import Reaper

from . import long_run
from .api_world import browser, fill, make_experiment, make_user, send, tell
from .installation import Installation, result

METRIC = "val_accuracy"


def added_up(run: Run) -> bytes:
    """Of all its events, one by one."""
    past = Past(METRIC)
    for row in Event.objects.filter(run=run).order_by("seq"):
        past.add(fold.Fact(**row.record()))  # type: ignore[arg-type]
    return past.written()


def last_of(run: Run) -> int:
    run.counter.refresh_from_db()
    return int(run.counter.last_seq)


@pytest.fixture
def run(db: None) -> Run:
    """A run of 60 events."""
    found = make_experiment(make_user("ada")).runs.get()
    fill(found)
    return found


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short runs count as long ones."""
    for name, value in (("CHUNK", 7), ("FAR", 20), ("FAR_OF_ENDED", 5), ("AT_ONCE", 25)):
        monkeypatch.setattr(keyframes, name, value)


def counted(run: Run, until: int, metric: str = METRIC) -> Past:
    """The past up to an event, from the first on."""
    past = Past(metric)
    for fact in facts(run.pk, 0, until):
        past.add(fact)
    return past


def keep(run: Run, until: int) -> None:
    """A keyframe that holds the events up to one."""
    Keyframe.objects.update_or_create(run=run, defaults={"version": fold.VERSION, "seq": until, "body": counted(run, until).written()})


def test_the_past_is_the_same_with_a_keyframe_at_every_event(run: Run, often: None) -> None:
    last, whole = last_of(run), added_up(run)
    for until in range(last + 1):
        keep(run, until)
        assert past_of(run.pk, METRIC, last).written() == whole
    assert past_of(run.pk, METRIC, 30).seq == last, "a keyframe that was written meanwhile is as good"


def test_who_added_up_much_leaves_it_to_the_next(run: Run, often: None, django_assert_num_queries: Callable[[int], Any]) -> None:
    last = last_of(run)
    assert past_of(run.pk, METRIC, 19).seq == 19 and not Keyframe.objects.exists(), "few events are not worth it"
    assert past_of(run.pk, METRIC, last).written() == added_up(run)
    kept = Keyframe.objects.get()
    assert (kept.seq, kept.version) == (last, fold.VERSION)
    whole = added_up(run)
    with django_assert_num_queries(1):
        assert past_of(run.pk, METRIC, last).written() == whole


def test_an_older_keyframe_never_replaces_a_later_one(run: Run, often: None) -> None:
    for seq, then in ((40, 40), (25, 40), (60, 60), (59, 60)):
        assert keyframes._keep(run.pk, counted(run, seq))
        kept = Keyframe.objects.get()
        assert (kept.seq, Past.read(bytes(kept.body)).seq) == (then, then)


def test_what_another_version_prepared_is_thrown_away(run: Run, often: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # One that this version could read, and would take for the truth.
    Keyframe.objects.create(run=run, version=fold.VERSION + 1, seq=10**9, body=counted(run, 60, "another measure").written())
    assert past_of(run.pk, METRIC, last_of(run)).written() == added_up(run)
    kept = Keyframe.objects.get()
    assert (kept.version, kept.seq) == (fold.VERSION, last_of(run))
    monkeypatch.setattr(keyframes, "VERSION", fold.VERSION + 1)
    Keyframes().tick()
    assert Keyframe.objects.get().version == fold.VERSION + 1


def test_a_damaged_keyframe_is_made_anew(run: Run, often: None) -> None:
    last = last_of(run)
    keep(run, last)
    Keyframe.objects.update(body=b"\x00" + bytes(Keyframe.objects.get().body)[1:])
    assert past_of(run.pk, METRIC, last).written() == added_up(run)
    assert bytes(Keyframe.objects.get().body) == added_up(run)


def test_where_nothing_can_be_written_a_past_only_takes_longer(run: Run, often: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "full", lambda: True)
    assert past_of(run.pk, METRIC, last_of(run)).written() == added_up(run)
    monkeypatch.undo()
    monkeypatch.setattr(keyframes, "FAR", 20)

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(keyframes.Keyframe.objects, "bulk_create", refuse)
    assert past_of(run.pk, METRIC, last_of(run)).written() == added_up(run)
    assert not Keyframe.objects.exists()
    keyframe_maker = Keyframes()
    keyframe_maker.tick()
    assert not Keyframe.objects.exists() and keyframe_maker._rest_until > 0


def test_the_reaper_brings_far_runs_nearer_a_bounded_part_at_a_time(run: Run, often: None) -> None:
    other = make_experiment(run.owner, name="other").runs.get()
    fill(other, steps=5)
    reaper = Keyframes()
    seen = []
    for _ in range(12):
        reaper._rest_until = 0.0
        reaper.tick()
        seen.append({kept.run_id: kept.seq for kept in Keyframe.objects.all()})
    assert seen[0] == {run.pk: 25}, "the farthest first, 25 events at once"
    behind = {run_id: last_of(Run.objects.get(pk=run_id)) - seq for run_id, seq in seen[-1].items()}
    assert behind.keys() == {run.pk, other.pk} and all(0 <= left < keyframes.FAR for left in behind.values())
    assert reaper._rest_until > 0, "what is near is left"
    Run.objects.update(state=Run.State.COMPLETED)
    reaper._rest_until = 0.0
    reaper.tick()
    assert Keyframe.objects.get(run=run).seq == last_of(run), "of a run that is over nearly all is prepared"
    assert bytes(Keyframe.objects.get(run=run).body) == added_up(run)


def test_the_reaper_takes_a_bounded_share_of_its_time(run: Run, often: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock runs three seconds further with every look at it."""
    looks = count(100, 3)
    monkeypatch.setattr(keyframes, "time", SimpleNamespace(monotonic=lambda: next(looks)))
    reaper = Keyframes()
    reaper.tick()
    assert Keyframe.objects.get().seq == 25
    assert reaper._rest_until == pytest.approx(106 + 3 * 4), "after three seconds of work it rests for twelve"
    reaper.tick()
    assert Keyframe.objects.get().seq == 25
    for _ in range(4):
        reaper.tick()
    assert Keyframe.objects.get().seq > 25


def test_a_run_that_cannot_be_told_keeps_nobody_waiting(run: Run, often: None) -> None:
    broken = make_experiment(run.owner, name="broken").runs.get()
    fill(broken, steps=40)
    Event.objects.filter(run=broken, kind="trial_told").update(data={"kind": "trial_told"})
    reaper = Reaper()
    for _ in range(8):
        reaper._keyframes._rest_until = 0.0
        reaper.tick()
    assert reaper._keyframes._troubled == {broken.pk}
    assert Keyframe.objects.get(run=run).seq >= last_of(run) - 20


def test_a_keyframe_ends_with_its_run(run: Run, often: None) -> None:
    past_of(run.pk, METRIC, last_of(run))
    states.delete_run(run.pk)
    assert not Keyframe.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_was_deleted_meanwhile_gets_no_keyframe() -> None:
    run = make_experiment(make_user("ada")).runs.get()
    past = past_of(run.pk, METRIC, last_of(run))
    states.delete_run(run.pk)
    assert not keyframes._keep(run.pk, past)
    assert not Keyframe.objects.exists()


@pytest.mark.slow
def test_two_processes_prepare_while_a_third_writes(installation: Installation) -> None:
    config = '{"algorithm": "random", "space": "nb201", "datasets": ["digits"], "budget": {"trials": 2}}'
    run_id = installation.answer("make_run", config)
    last = 1 + 400
    preparing = [installation.program("prepare_pasts", run_id, str(last), str(part)) for part in (7, 30)]
    assert result(installation.program("write_events", run_id, "phase:0", "400")) == 400
    assert all(result(process) > 0 for process in preparing)
    assert installation.answer("prepared_past", run_id) == {"seq": last, "equal": True, "keyframes": 1}


# ---------------------------------------------------------------- long runs


@pytest.mark.django_db
def test_a_long_run_takes_as_many_queries_as_a_short_one(django_assert_max_num_queries: Callable[[int], Any]) -> None:
    owner = make_user("ada")
    short, long = long_run.make(owner, 1_000, 100), long_run.make(owner, 20_000, 1_500)
    reaper = Keyframes()
    for _ in range(6):
        reaper._rest_until = 0.0
        reaper.tick()
    assert {kept.run_id: kept.seq for kept in Keyframe.objects.all()} == {short.pk: last_of(short), long.pk: 20_000}
    client = browser(owner)
    asked = {}
    for run in (short, long):
        tell(run, "phase:0", [(10**6, long_run.say.Notice(name="n", message="after the keyframe"))])
        for what in ("snapshot", f"moment?at={last_of(run) // 2}"):
            with django_assert_max_num_queries(20) as captured:
                assert send(client, "GET", f"runs/{run.pk}/{what}").status_code == 200
            asked[run.pk, what.partition("?")[0]] = len(captured)
    for what in ("snapshot", "moment"):
        assert asked[short.pk, what] == asked[long.pk, what], what


def test_thirty_who_ask_at_once_are_served_by_few_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked before one was begun may have it; who asked later waits for the next, and all of them share that."""
    from webapp.api import snapshot

    begun, go, made = threading.Event(), threading.Event(), []

    class Row:
        pk = revision = 1

        def filter(self, **_: Any) -> Row:
            return self

        def first(self) -> Row:
            return self

    def make(run: Any, detail: str) -> bytes:
        made.append(detail)
        begun.set()
        assert go.wait(60)
        return f"snapshot {len(made)}".encode()

    monkeypatch.setattr(snapshot, "make", make)
    monkeypatch.setattr(snapshot, "run_detail", lambda run: Detail())
    monkeypatch.setattr(snapshot, "tag_of", lambda run, detail: f"never the same: {len(made)}")

    class Detail:
        def model_dump_json(self, **_: Any) -> str:
            return "{}"

    snapshots, answers = snapshot.Snapshots(), []

    def ask() -> None:
        answers.append(snapshots.of(1, Row()).body)  # type: ignore[arg-type, union-attr]

    threads = [threading.Thread(target=ask) for _ in range(30)]
    threads[0].start()
    assert begun.wait(60)
    for thread in threads[1:]:
        thread.start()
    while snapshots._making[1][1] < 30:  # type: ignore[index]
        assert all(thread.is_alive() for thread in threads)
    go.set()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [b"snapshot 1", *[b"snapshot 2"] * 29]
    assert snapshots._making == {}
    assert snapshots.of(1, Row()).body == b"snapshot 3", "who asks afterwards wants what is so now"  # type: ignore[arg-type, union-attr]


def test_few_bodies_are_kept(run: Run) -> None:
    from webapp.api.present import run_rows
    from webapp.api.snapshot import Snapshots

    runs = [run, *(make_experiment(run.owner, name=str(number)).runs.get() for number in range(3))]
    rows = run_rows(Run.objects.all())
    size = len(Snapshots().of(runs[1].pk, rows).body)  # type: ignore[union-attr]
    snapshots = Snapshots(most_bytes=2 * size + 50)
    for one in runs:
        assert snapshots.of(one.pk, rows) is not None
    assert list(snapshots._kept) == [runs[-2].pk, runs[-1].pk], "the latest that fit"


@pytest.mark.django_db
def test_the_tag_tells_what_is_new(run: Run) -> None:
    client = browser(run.owner)
    path = f"runs/{run.pk}/snapshot"
    first = send(client, "GET", path)
    assert first["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": first["ETag"]}
    same = send(client, "GET", path, **known)
    assert (same.status_code, same.content) == (304, b"")
    tell(run, "phase:0", [(99, long_run.say.Notice(name="n", message="something new", step=99))])
    more = send(client, "GET", path, **known)
    assert more.status_code == 200 and more.json()["as_of_seq"] == first.json()["as_of_seq"] + 1
    Run.objects.filter(pk=run.pk).update(progress={"fraction": 0.5, "text": "half", "eta_seconds": 1.0})
    assert send(browser(make_user("eve")), "GET", path).status_code == 404, "what is kept is sent to nobody else"
    half = send(client, "GET", path, **{"If-None-Match": more["ETag"]})
    assert half.status_code == 200 and half.json()["run"]["progress"]["text"] == "half"


@pytest.mark.django_db
def test_it_is_sent_compressed_to_whoever_can_read_that(run: Run) -> None:
    import gzip

    client = browser(run.owner)
    for what in ("snapshot", "moment?at=40"):
        plain = send(client, "GET", f"runs/{run.pk}/{what}")
        small = send(client, "GET", f"runs/{run.pk}/{what}", **{"Accept-Encoding": "br, gzip"})
        assert (small["Content-Encoding"], "Content-Encoding" in plain) == ("gzip", False)
        assert gzip.decompress(small.content) == plain.content and len(small.content) < len(plain.content) / 2
        assert {"Accept-Encoding", "Cookie", "Authorization"} <= set(small["Vary"].split(", "))
        refused = send(client, "GET", f"runs/{run.pk}/{what}", **{"Accept-Encoding": "gzip;q=0"})
        assert refused.content == plain.content
