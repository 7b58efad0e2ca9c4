"""Lists by keyset, snapshot and structure: what they say, that they are bounded, and that their queries do not grow with the rows."""

from __future__ import annotations

import base64
from datetime import timedelta
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from search_engine import events as say
from search_engine.events import decode_floats
from webapp.api import moments, structure
from webapp.core.models import Candidate, Event, Job, Run, Worker
from webapp.events.past import curves

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
            worker = Worker.objects.create(name="w", host="h", pid=1, process_started=0, device="cpu", last_seen=now, progress_at=now)
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
    assert max(many.values()) <= 9, many
    shown = send(client, "GET", "runs").json()["results"][0]
    assert shown["worker"] == {"name": "w", "device": "cpu", "threads": 1}
    assert shown["models"][0]["metrics"] == {"val_accuracy": 0.95, "test_accuracy": 0.97}


def test_a_list_of_experiments_has_the_scores_of_their_runs_and_not_their_models(client: Any, owner: Any) -> None:
    experiment = make_experiment(owner)
    fill(experiment.runs.get())
    [listed] = send(client, "GET", "experiments").json()["results"]
    alone = send(client, "GET", f"experiments/{experiment.pk}").json()
    assert len(alone["runs"][0]["models"]) == 1
    assert listed["runs"] == [{**alone["runs"][0], "models": []}]


def test_a_workers_job_is_told_to_its_owner_only(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    job = Job.objects.get(run=run)
    now = timezone.now()
    worker = Worker.objects.create(name="w", host="h", pid=1, process_started=0, device="cpu", last_seen=now, progress_at=now)
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


def records_of(client: Any, run: Run) -> list[dict[str, Any]]:
    return send(client, "GET", f"runs/{run.pk}/events?limit=5000").json()["events"]  # type: ignore[no-any-return]


def test_the_snapshot_says_what_the_events_say(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    fill(run, steps=20, candidates=6)
    shown = send(client, "GET", f"runs/{run.pk}/snapshot").json()
    records = records_of(client, run)
    of = {kind: [record for record in records if record["kind"] == kind] for kind in {record["kind"] for record in records}}
    assert shown["as_of_seq"] == records[-1]["seq"]
    assert shown["run"]["last_seq"] == shown["as_of_seq"]
    assert shown["events"] == [of[kind][-1] for kind in ("family", "structure", "derived", "incumbent")]
    for name, kind in (("phases", "phase_started"), ("finalists", "finalist"), ("notices", "notice")):
        assert shown[name] == [{"seq": record["seq"], "data": record["data"]} for record in of[kind]]
    [track] = shown["curves"]
    assert (track["source"], track["names"]) == ("phase:0", ["train_loss"])
    assert track["values"] == [[pytest.approx(record["data"]["values"]["train_loss"], rel=1e-6) for record in of["metrics"]]]
    assert list(accumulate(track["steps"])) == list(range(20))
    assert list(accumulate(track["seqs"])) == [record["seq"] for record in of["metrics"]]
    columns = shown["candidates"]
    assert list(accumulate(columns["number"])) == list(range(6))
    assert [columns["statuses"][place] for place in columns["status"]] == ["failed", *["completed"] * 4, "failed"]
    assert columns["value"][1] == pytest.approx(0.50001)
    assert columns["parents"] == [record["data"]["parents"] for record in of["candidate_born"]]
    assert [birth + late for birth, late in zip(accumulate(columns["born"]), columns["told"], strict=True)] == [
        record["seq"] for record in of["trial_told"]
    ]
    assert [model["metrics"] for model in shown["run"]["models"]] == [{"val_accuracy": 0.95, "test_accuracy": 0.97}]


def latest(records: list[dict[str, Any]], at: int) -> list[dict[str, Any]]:
    """What a moment's events are, picked one by one."""
    alone = {"family", "structure", "decisions", "champion", "derived", "incumbent", "population"} | say.FRAME_KINDS
    found = {}
    for record in records:
        kind = record["kind"]
        if record["seq"] <= at and kind in alone:
            of_its_own = record["source"] if kind in ("charts", "mask") else record["data"].get("domain") if kind == "policy" else None
            found[kind, of_its_own] = record
    return sorted(found.values(), key=lambda record: record["seq"])


def busy_run(owner: Any) -> Run:
    """A run of two phases with charts and masks each, policies of two data sets, and steps that grow."""
    run: Run = make_experiment(owner).runs.get()

    def chart(title: str) -> say.Chart:
        return say.Chart(name="fit", title=title, x_title="x", y_title="y", series=[say.series("a", [0, 1], [1, 2])])

    for phase in range(2):
        started = say.PhaseStarted(phase=phase, name="p", title=f"Phase {phase}", language="steps")
        tell(run, "run", [(phase, started)])
        for step in range(3):
            layer = say.MaskLayer(name="l", title="Layer", rows=2, columns=2, kept=3 - phase, total=4)
            drawn = [say.encode_floats([0.5, step, domain]) for domain in range(2)]
            policies = [
                (step, say.PolicyFrame(step=step, domain=domain, probabilities=text)) for domain, text in enumerate(drawn)
            ]
            charts = (step, say.ChartsFrame(step=step, charts=[chart(f"{phase}.{step}")]))
            tell(run, f"phase:{phase}", [charts, (step, say.MaskFrame(step=step, layers=[layer])), *policies])
    common = {"action": "add", "subject": "x", "reason": "it helps", "objective": "BIC", "after": 1.0}
    steps = [say.GrowthStep(number=number, accepted=number % 2 == 0, **common) for number in range(4)]
    tell(run, "phase:1", [(step.number, step) for step in steps])
    tell(run, "final:0", [(0, say.Report(name="redundancy", title="Redundancy", charts=[chart("removed")]))])
    return run


@pytest.mark.parametrize("make", [busy_run, lambda owner: make_experiment(owner).runs.get()], ids=["busy", "filled"])
def test_a_moment_is_the_newest_of_each_kind_at_every_event(client: Any, owner: Any, make: Any) -> None:
    run = make(owner)
    if not Event.objects.filter(run=run, kind="policy").exists():
        fill(run, steps=8, candidates=3)
    records = records_of(client, run)
    last = len(records)
    for at in range(last + 1):
        answer = send(client, "GET", f"runs/{run.pk}/moment?at={at}")
        assert answer["Cache-Control"] == "private, max-age=600"
        assert answer.json() == {"at": at, "events": latest(records, at), "candidates": None}
    later = send(client, "GET", f"runs/{run.pk}/moment?at={last + 7}")
    assert later.json() == {"at": last, "events": latest(records, last), "candidates": None}
    assert later["Cache-Control"] == "no-store", "what comes then is not known yet"
    assert send(client, "GET", f"runs/{run.pk}/snapshot").json()["events"] == latest(records, last)
    for wrong in ("", "?at=-1", "?at=now"):
        assert send(client, "GET", f"runs/{run.pk}/moment{wrong}").status_code == 400


def test_the_snapshot_has_what_grew_and_what_was_reported(client: Any, owner: Any) -> None:
    shown = send(client, "GET", f"runs/{busy_run(owner).pk}/snapshot").json()
    assert [step["data"]["number"] for step in shown["growth"]] == [0, 1, 2, 3]
    assert [report["data"]["title"] for report in shown["reports"]] == ["Redundancy"]


def test_an_empty_run_has_a_snapshot(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    shown = send(client, "GET", f"runs/{run.pk}/snapshot").json()
    assert (shown["events"], shown["curves"], shown["candidates"]["number"]) == ([], [], [])


def test_candidates_at_a_moment_of_a_run_that_has_too_many(client: Any, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_experiment(owner).runs.get()
    tell(run, "run", births(12))
    tell(run, "run", results(7))
    tell(run, "run", births(3, first=12))
    tell(run, "run", results(5, first=7))
    records = records_of(client, run)
    monkeypatch.setattr(moments, "MOST", 10)
    monkeypatch.setattr(moments, "MOST_AT_A_MOMENT", 8)
    for at in range(len(records) + 1):
        born = {record["data"]["number"]: record for record in records if record["kind"] == "candidate_born" and record["seq"] <= at}
        told = {record["data"]["number"]: record["data"] for record in records if record["kind"] == "trial_told" and record["seq"] <= at}
        columns = send(client, "GET", f"runs/{run.pk}/moment?at={at}").json()["candidates"]
        numbers = list(accumulate(columns["number"]))
        assert numbers == sorted(born)[-8:]
        assert list(accumulate(columns["born"])) == [born[number]["seq"] for number in numbers]
        assert [bool(said) for said in columns["told"]] == [number in told for number in numbers]
        assert [columns["statuses"][place] for place in columns["status"]] == [
            told[number]["status"] if number in told else "open" for number in numbers
        ]
        assert columns["value"] == [told[number]["metrics"].get("val_accuracy") if number in told else None for number in numbers]
        assert columns["parents"] == [born[number]["data"]["parents"] for number in numbers]


def test_candidates_are_found_by_their_number(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    fill(run, candidates=6)
    page = send(client, "GET", f"candidates?run={run.pk}&from=4").json()
    assert [row["number"] for row in page["results"]] == [4, 5]
    row = Candidate.objects.get(run=run, number=4)
    assert (page["results"][0]["genome_hash"], page["results"][0]["string"]) == (row.genome.hash, row.genome.string) != ("", "")


def test_long_curves_are_cut_to_their_bounds(client: Any, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "MOST_POINTS", 10)
    run = make_experiment(owner).runs.get()
    fill(run, steps=35, candidates=9)
    tell(run, "final:0", [(step, say.Metrics(step=step, samples=step, values={"val_loss": 1.0})) for step in range(1, 4)])
    long, short = send(client, "GET", f"runs/{run.pk}/snapshot").json()["curves"]
    steps = list(accumulate(long["steps"]))
    assert len(steps) <= 10
    assert (steps[0], steps[-1]) == (0, 34), "the first and the newest point are always there"
    assert len(set(long["steps"][1:-1])) == 1
    assert list(accumulate(short["steps"])) == [1, 2, 3], "a short curve is not thinned for a long one's sake"


def test_figures_that_are_said_seldom_are_not_thinned_with_those_of_every_step(
    client: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "MOST_POINTS", 10)
    run = make_experiment(owner).runs.get()
    values = [{"train_loss": 1.0} if step % 7 else {"train_loss": 1.0, "val_loss": 2.0} for step in range(1, 64)]
    tell(run, "phase:0", [(step, say.Metrics(step=step, samples=step, values=own)) for step, own in enumerate(values, start=1)])
    seldom = next(
        track for track in send(client, "GET", f"runs/{run.pk}/snapshot").json()["curves"] if track["names"] == ["train_loss", "val_loss"]
    )
    assert list(accumulate(seldom["steps"])) == list(range(7, 64, 7))


def test_the_snapshot_has_what_a_search_by_trials_says_of_itself(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    tell(run, "run", [(step, say.Metrics(step=step, samples=0, values={"mean_age": float(step)})) for step in range(1, 4)])
    assert send(client, "GET", f"runs/{run.pk}/snapshot").json()["curves"] == [
        {"source": "run", "names": ["mean_age"], "seqs": [2, 1, 1], "steps": [1, 1, 1], "samples": [0, 0, 0], "values": [[1, 2, 3]]}
    ]


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
