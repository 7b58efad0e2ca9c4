"""Lists by keyset, snapshot and structure: what they say, that they are bounded, and that their queries do not grow with the rows."""

from __future__ import annotations

import base64
import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from search_engine import events as say
from search_engine.events import decode_floats
from webapp.api import snapshot as snapshots
from webapp.api import structure
from webapp.core.models import Candidate, Event, Genome, Job, Run, Trial, Worker

from .api_world import births, browser, fill, make_experiment, make_user, results, send, space, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Any:
    return make_user("ada")


@pytest.fixture
def client(owner: Any) -> Any:
    return browser(owner)


def queries(client: Any, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = send(client, "GET", path)
    assert response.status_code == 200, response.content
    return len(captured)


def walk(client: Any, path: str) -> list[dict[str, Any]]:
    """All rows of a keyset list, page by page."""
    rows: list[dict[str, Any]] = []
    page = send(client, "GET", path).json()
    while True:
        rows += page["results"]
        if page["next"] is None:
            return rows
        page = send(client, "GET", f"{path}{'&' if '?' in path else '?'}cursor={page['next']}").json()


def test_pages_hold_every_row_once_although_rows_come_meanwhile(client: Any, owner: Any) -> None:
    made = [make_experiment(owner, name=f"number {index}").pk for index in range(7)]
    # Equal times: the id decides.
    owner.experiments.all().update(created=timezone.now() - timedelta(hours=1))
    first = send(client, "GET", "experiments?limit=3").json()
    make_experiment(owner, name="newer")
    rest = send(client, "GET", f"experiments?limit=200&cursor={first['next']}").json()
    ids = [row["id"] for row in first["results"] + rest["results"]]
    assert sorted(ids) == sorted(map(str, made))
    assert rest["next"] is None
    assert send(client, "GET", "experiments?limit=1").json()["results"][0]["name"] == "newer"


def test_lists_take_as_many_queries_for_ten_rows_as_for_one(client: Any, owner: Any) -> None:
    def grow(runs: int) -> None:
        now = timezone.now()
        for run in make_experiment(owner, seeds=list(range(runs))).runs.all():
            fill(run)
            job = Job.objects.get(run=run)
            worker = Worker.objects.create(
                name="w", host="h", pid=1, process_started=0, device="cpu", last_seen=now, progress_at=now, job=job
            )
            Job.objects.filter(pk=job.pk).update(state="leased", worker=worker)

    grow(1)
    run = Run.objects.first()
    paths = ["experiments", "runs", "models", "workers", f"trials?run={run.pk}", f"candidates?run={run.pk}", f"genomes?run={run.pk}"]
    paths += [f"trials?run={run.pk}&order=-value"]
    few = {path: queries(client, path) for path in paths}
    for _ in range(3):
        grow(2)
    tell(run, "run", births(40, first=6))
    many = {path: queries(client, path) for path in paths}
    assert many == few
    assert max(many.values()) <= 7, many
    shown = send(client, "GET", "runs").json()["results"][0]
    assert shown["worker"] == {"name": "w", "device": "cpu", "threads": 1}
    assert shown["models"][0]["metrics"] == {"test_accuracy": 0.97}


def test_a_workers_job_is_told_to_its_owner_only(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    job = Job.objects.get(run=run)
    now = timezone.now()
    worker = Worker.objects.create(name="w", host="h", pid=1, process_started=0, device="cpu", last_seen=now, progress_at=now, job=job)
    Job.objects.update(state="leased", worker=worker)
    assert send(client, "GET", "workers").json()[0]["job"] == {"id": str(job.pk), "kind": "advance", "run": str(run.pk)}
    assert send(browser(make_user("grace")), "GET", "workers").json()[0]["job"] == {"id": None, "kind": "advance", "run": None}


def test_trials_in_birth_order_and_best_first(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    tell(run, "run", births(30))
    tell(run, "run", results(25))
    assert [row["number"] for row in walk(client, f"trials?run={run.pk}&limit=7")] == list(range(30))
    ranked = walk(client, f"trials?run={run.pk}&order=-value&limit=7")
    assert sorted(row["number"] for row in ranked) == list(range(30))
    values = [row["value"] for row in ranked]
    told = [value for value in values if value is not None]
    assert told == sorted(told, reverse=True)
    assert values[len(told) :] == [None] * (30 - len(told)), "what has no value comes last"
    assert {row["reason"] for row in ranked if row["state"] == "failed"} == {"loss is not a number"}


def test_a_genome_by_hash_with_its_drawing(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    fill(run)
    candidate = send(client, "GET", f"candidates?run={run.pk}").json()["results"][2]
    found = send(client, "GET", f"genomes?run={run.pk}&hash={candidate['genome_hash']}").json()["results"]
    genome = next(row for row in found if row["id"] == candidate["genome"])
    assert candidate["number"] in genome["candidates"]
    assert genome["drawings"], "a genome asked for by its hash comes with its drawings"
    alone = send(client, "GET", f"genomes/{genome['id']}").json()
    assert alone == genome
    drawing = next(iter(alone["drawings"].values()))
    assert drawing["nodes"] and drawing["edges"]
    assert space().from_string(alone["string"]).content == alone["content"]


def test_events_after_a_number(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    fill(run)
    last = run.counter.__class__.objects.get(run=run).last_seq
    seen: list[int] = []
    while True:
        page = send(client, "GET", f"runs/{run.pk}/events?limit=7&after={seen[-1] if seen else 0}").json()
        for record in page["events"]:
            say.EventRecord.model_validate(record)
        seen += [record["seq"] for record in page["events"]]
        assert page["last_seq"] == last
        if not page["has_more"]:
            break
    assert seen == list(range(1, last + 1))


def test_the_snapshot_says_what_the_events_say(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    fill(run, steps=20, candidates=6)
    shown = send(client, "GET", f"runs/{run.pk}/snapshot").json()
    records = send(client, "GET", f"runs/{run.pk}/events?limit=5000").json()["events"]
    of = {kind: [record["data"] for record in records if record["kind"] == kind] for kind in {record["kind"] for record in records}}
    assert shown["as_of_seq"] == records[-1]["seq"]
    assert shown["run"]["last_seq"] == shown["as_of_seq"]
    assert shown["family"] == of["family"][-1]
    assert shown["structure"] == {key: of["structure"][-1][key] for key in ("step", "groups", "samples")}
    assert (shown["derived"], shown["incumbent"]) == (of["derived"][-1], of["incumbent"][-1])
    assert (shown["phases"], shown["finalists"], shown["notices"]) == (of["phase_started"], of["finalist"], of["notice"])
    assert shown["champion"] is None
    curve = shown["metrics"]["phase:0"]["train_loss"]
    assert curve["values"] == [data["values"]["train_loss"] for data in of["metrics"]]
    assert curve["steps"] == list(range(20))
    columns = shown["candidates"]
    assert columns["number"] == list(range(6))
    assert columns["status"] == ["failed", "completed", "completed", "completed", "completed", "failed"]
    assert columns["value"][1] == pytest.approx(0.50001)
    assert columns["parents"] == [data["parents"] for data in of["candidate_born"]]
    assert columns["genome_hash"] == [data["genome_hash"] for data in of["candidate_born"]]
    assert [model["metrics"] for model in shown["models"]] == [{"test_accuracy": 0.97}]


def test_the_snapshot_has_charts_of_every_phase_and_what_grew(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()

    def chart(title: str) -> say.Chart:
        return say.Chart(name="fit", title=title, x_title="x", y_title="y", series=[say.series("a", [0, 1], [1, 2])])

    for phase in range(2):
        started = say.PhaseStarted(phase=phase, name="p", title=f"Phase {phase}", language="steps")
        tell(run, "run", [(phase, started)])
        frames = [(step, say.ChartsFrame(step=step, charts=[chart(f"{phase}.{step}")])) for step in range(3)]
        layer = say.MaskLayer(name="l", title="Layer", rows=2, columns=2, kept=3 - phase, total=4)
        tell(run, f"phase:{phase}", [*frames, (0, say.MaskFrame(step=0, layers=[layer]))])
    common = {"action": "add", "subject": "x", "reason": "it helps", "objective": "BIC", "after": 1.0}
    steps = [say.GrowthStep(number=number, accepted=number % 2 == 0, **common) for number in range(4)]
    tell(run, "phase:1", [(step.number, step) for step in steps])
    tell(run, "final:0", [(0, say.Report(name="redundancy", title="Redundancy", charts=[chart("removed")]))])
    shown = send(client, "GET", f"runs/{run.pk}/snapshot").json()
    newest = {(item["source"], item["kind"]): item for item in shown["pictures"]}
    assert set(newest) == {(f"phase:{phase}", kind) for phase in range(2) for kind in ("charts", "mask")}
    assert [newest[f"phase:{phase}", "charts"]["charts"][0]["title"] for phase in range(2)] == ["0.2", "1.2"]
    assert [newest[f"phase:{phase}", "mask"]["layers"][0]["kept"] for phase in range(2)] == [3, 2]
    assert [step["number"] for step in shown["growth"]] == [0, 1, 2, 3]
    assert [report["title"] for report in shown["reports"]] == ["Redundancy"]


def test_an_empty_run_has_a_snapshot(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    shown = send(client, "GET", f"runs/{run.pk}/snapshot").json()
    assert (shown["family"], shown["structure"], shown["metrics"], shown["candidates"]["number"]) == (None, None, {}, [])


def test_a_snapshot_of_ten_thousand_candidates_takes_as_many_queries_as_of_six(client: Any, owner: Any) -> None:
    small, large = make_experiment(owner, seeds=[1, 2]).runs.order_by("position")
    fill(small, candidates=6)
    fill(large, candidates=6)
    genome, seq = Genome.objects.filter(run=large).first(), Event.objects.filter(run=large).count()
    common = {"run": large, "genome": genome, "operator": "mutate", "born_seq": seq}
    new = [Candidate(number=number, parents=[number - 1], **common) for number in range(6, 10_000)]
    Candidate.objects.bulk_create(new)
    Trial.objects.bulk_create(
        Trial(run=large, number=row.number, candidate=row, state="completed", value=0.5 + row.number / 100_000) for row in new
    )
    assert Candidate.objects.filter(run=large).count() == 10_000
    assert queries(client, f"runs/{large.pk}/snapshot") == queries(client, f"runs/{small.pk}/snapshot")
    assert queries(client, f"runs/{large.pk}/snapshot") <= 18
    started = time.perf_counter()
    response = send(client, "GET", f"runs/{large.pk}/snapshot")
    print(f"snapshot of 10,000 candidates: {time.perf_counter() - started:.3f} s, {len(response.content):,} bytes")
    columns = response.json()["candidates"]
    assert columns["number"] == list(range(10_000))
    assert columns["value"][9_999] == pytest.approx(0.5 + 9_999 / 100_000)


def test_long_curves_and_many_candidates_are_cut_to_their_bounds(client: Any, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MAX_POINTS", 10)
    monkeypatch.setattr(snapshots, "MAX_CANDIDATES", 4)
    run = make_experiment(owner).runs.get()
    fill(run, steps=35, candidates=9)
    tell(run, "final:0", [(step, say.Metrics(step=step, samples=step, values={"val_loss": 1.0})) for step in range(1, 4)])
    shown = send(client, "GET", f"runs/{run.pk}/snapshot").json()
    steps = shown["metrics"]["phase:0"]["train_loss"]["steps"]
    assert len(steps) <= 10
    assert steps[-1] == 34, "the newest point is always there"
    assert len({after - before for before, after in pairwise(steps)}) == 1
    assert shown["metrics"]["final:0"]["val_loss"]["steps"] == [1, 2, 3], "a short curve is not thinned for a long one's sake"
    assert shown["candidates"]["number"] == [5, 6, 7, 8]


def test_figures_that_are_said_seldom_are_not_thinned_with_those_of_every_step(
    client: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MAX_POINTS", 10)
    run = make_experiment(owner).runs.get()
    values = [{"train_loss": 1.0} if step % 7 else {"train_loss": 1.0, "val_loss": 2.0} for step in range(1, 64)]
    tell(run, "phase:0", [(step, say.Metrics(step=step, samples=step, values=own)) for step, own in enumerate(values, start=1)])
    curves = send(client, "GET", f"runs/{run.pk}/snapshot").json()["metrics"]["phase:0"]
    assert curves["val_loss"]["steps"] == list(range(7, 64, 7))
    assert len(curves["train_loss"]["steps"]) <= 20 and curves["train_loss"]["steps"] == sorted(curves["train_loss"]["steps"])


def test_the_snapshot_has_what_a_search_by_trials_says_of_itself(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    tell(run, "run", [(step, say.Metrics(step=step, samples=0, values={"mean_age": float(step)})) for step in range(1, 4)])
    curves = send(client, "GET", f"runs/{run.pk}/snapshot").json()["metrics"]
    assert curves == {"run": {"mean_age": {"steps": [1, 2, 3], "samples": [0, 0, 0], "values": [1, 2, 3]}}}


def test_one_edge_over_time(client: Any, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_experiment(owner).runs.get()
    fill(run, steps=20)

    def series(query: str) -> tuple[list[int], np.ndarray[Any, Any]]:
        answer = send(client, "GET", f"runs/{run.pk}/structure?group=cell&{query}").json()
        assert base64.b64decode(answer["values"])
        return answer["steps"], decode_floats(answer["values"]).reshape(len(answer["steps"]), len(answer["operations"]))

    steps, values = series("edge=2")
    assert steps == list(range(20))
    # `fill` writes edge * 100 + operation + step / 1000.
    assert np.allclose(values, 200 + np.arange(values.shape[1])[None, :] + np.arange(20)[:, None] / 1000, atol=1e-3)
    assert series("edge=0&from=5&to=9")[0] == [5, 6, 7, 8, 9]
    assert series("edge=0&every=6")[0] == [0, 6, 12, 18]
    monkeypatch.setattr(structure, "MAX_STEPS", 6)
    assert series("edge=0")[0] == [3, 7, 11, 15, 19]
    for query, field in (("group=other&edge=0", "group"), ("group=cell&edge=99", "edge"), ("group=cell", "edge")):
        refused = send(client, "GET", f"runs/{run.pk}/structure?{query}")
        assert (refused.status_code, refused.json()["field"]) == (400, field)


def test_events_of_others_never_reach_a_snapshot(client: Any, owner: Any) -> None:
    mine, other = make_experiment(owner, seeds=[1, 2]).runs.order_by("position")
    fill(other)
    assert send(client, "GET", f"runs/{mine.pk}/snapshot").json()["as_of_seq"] == Event.objects.filter(run=mine).count()
