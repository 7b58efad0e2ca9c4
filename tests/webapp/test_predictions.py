"""A model is asked: what it takes, the question, a worker's answer, and that nothing of the input is kept."""

from __future__ import annotations

import csv
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from webapp.core.models import Experiment, Job, ModelArtefact, Prediction, Run
from webapp.jobs import asked as asked_files
from webapp.jobs import files, predictions, reaper
from webapp.jobs.causes import Cause
from webapp.jobs.failures import give_back
from webapp.jobs.predictions import keeper
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .api_world import API, browser, make_user, send
from .asked_world import ask, askable, picture
from .builders import TINY, make_run, make_worker
from .own_world import kept
from .searches import end, serve_all

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    keeper.end()


@pytest.fixture(autouse=True)
def _commits(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> None:
    """What is done after a commit is done: a test's own transaction has none."""
    from django.db import transaction

    monkeypatch.setattr(transaction, "on_commit", lambda do, **_: do())


@pytest.fixture
def owner() -> Any:
    return make_user("ada")


def worked() -> None:
    session = Session("cpu")
    try:
        assert serve_one(session)
    finally:
        end([session])


def answer_of(client: Any, response: Any) -> dict[str, Any]:
    """The question that was accepted, once a worker has answered."""
    assert response.status_code == 202, response.content
    worked()
    return send(client, "GET", f"predictions/{response.json()['id']}").json()  # type: ignore[no-any-return]


def left() -> list[str]:
    """What lies on the disk of what was given."""
    return [str(path) for path in asked_files.home().rglob("*") if path.is_file()]


def by_hand(model: ModelArtefact, place: Path, content: bytes, name: str, *more: str) -> list[list[str]]:
    """What the download's own predict.py says, unpacked elsewhere, in a process of its own."""
    with zipfile.ZipFile(files.bundle_file(model.run_id, model.bundle_sha256)) as archive:
        archive.extractall(place)
    (place / name).write_bytes(content)
    words = [sys.executable, "-I", "-B", "predict.py", str(place / name), "--out", str(place / "answers.csv"), *more]
    done = subprocess.run(words, cwd=place / "model", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(csv.reader((place / "answers.csv").read_text(encoding="utf-8-sig").splitlines()))


def same(example: dict[str, Any], head: list[str], row: list[str]) -> None:
    shares = {f"p({item['name']})": item["probability"] for item in example["classes"]}
    assert shares == dict(zip(head[3:], map(float, row[3:]), strict=True)) and example["classes"][0]["name"] == row[1]


# ---- real models


@pytest.mark.django_db(transaction=True)
def test_a_searched_model_of_pictures_says_what_its_download_says(tmp_path: Path) -> None:
    run = make_run({**TINY, "finale": {**TINY["finale"], "export": True, "onnx": False, "redundancy": False}})
    serve_all(run)
    model = ModelArtefact.objects.get(run=run)
    client = browser(run.owner)
    said = send(client, "GET", f"models/{model.pk}/input").json()
    assert (said["form"]["kind"], said["form"]["shape"], said["reason"]) == ("picture", [1, 8, 8], "")
    content = picture(50)
    found = answer_of(client, ask(client, model, content, "?name=photo.png&invert=yes"))
    assert found["state"] == "done", found["reason"]
    head, row = by_hand(model, tmp_path, content, "photo.png", "--invert")
    same(found["result"]["examples"][0], head, row)
    assert found["result"]["picture"] == {"width": 50, "height": 50, "format": "PNG", "taken": [1, 8, 8]}
    assert 0 < found["result"]["model_seconds"] < found["result"]["seconds"]
    assert left() == [] and Job.objects.get(kind="predict").state == "taken"


@pytest.mark.django_db(transaction=True)
def test_a_searched_model_of_one_s_own_table_says_what_its_download_says(owner: Any, tmp_path: Path) -> None:
    client = browser(owner)
    data = kept(client)
    small = {"epochs": 1, "train_examples": 64}
    finale = {"baselines": 0, "export": True, "onnx": False, "redundancy": False, "training": small}
    config = {"algorithm": "random", "space": "mlp", "datasets": [data.registry_id], "seed": 3, "budget": {"trials": 1}, "training": small}
    run = make_run({**config, "finale": finale}, owner)
    serve_all(run)
    model = ModelArtefact.objects.get(run=run)
    columns = send(client, "GET", f"models/{model.pk}/input").json()["form"]["columns"]
    assert [(column["name"], column["kind"], column["categories"]) for column in columns] == [
        ("width", "number", []), ("height", "number", []), ("colour", "category", ["blue", "red"]),
    ]
    content = b"colour,height,width,kind\ngreen,0.5,-0.25,?\n"
    found = answer_of(client, ask(client, model, content, "?name=row.csv"))
    assert found["state"] == "done", found["reason"]
    head, row = by_hand(model, tmp_path, content, "row.csv")
    same(found["result"]["examples"][0], head, row)
    assert "not used by the model: kind" in found["result"]["notes"][0] and "'green'" in found["result"]["notes"][1]


# ---- what can be asked


def test_a_row_and_what_is_wrong_with_one(owner: Any) -> None:
    client, model = browser(owner), askable(owner)
    said = send(client, "GET", f"models/{model.pk}/input").json()
    assert said["form"]["sample"]["text"] == "age,job\n31,cook\n" and said["most_bytes"] == asked_files.MOST_TEXT
    sample = answer_of(client, ask(client, model))
    assert sample["state"] == "done", sample["reason"]
    assert [item["name"] for item in sample["result"]["examples"][0]["classes"]] in (["a", "b"], ["b", "a"])
    same_row = answer_of(client, ask(client, model, b"job,age\ncook,31\n", "?name=row.csv"))
    assert same_row["result"]["examples"] == sample["result"]["examples"]
    for body, reason in (
        (b"age,job\n=1+1,cook\n", "line 2, column 'age': '=1+1' is no number"), (b"age\n3\n", "the column 'job' is missing"),
        (b"1,2,3\n", "it has 3 columns; an example of this model has 2: age, job"), (b"\x00\x01\x02", "no text"),
    ):
        found = answer_of(client, ask(client, model, body, "?name=row.csv"))
        assert found["state"] == "failed" and reason in found["reason"] and found["result"] is None
        assert left() == []
    assert Job.objects.filter(kind="predict").count() == 1, "of each person one, the last"


@pytest.mark.parametrize(("body", "query", "status", "code"), [
    (b"x" * 10_000_000, "?name=row.csv", 413, "too_large"), (b"", "?name=row.csv", 400, "invalid"),
    (b"1,2", "?name=row.exe", 400, "invalid"), (b"1,2", "?name=row.csv&invert=perhaps", 400, "invalid"),
    (b"1,2", "?name=../../row.csv%00", 400, "invalid"),
], ids=["10 MB", "empty", "another kind", "a flag", "a name"])  # fmt: skip
def test_what_is_refused_before_it_is_kept(owner: Any, body: bytes, query: str, status: int, code: str) -> None:
    model = askable(owner)
    refused = ask(browser(owner), model, body, query)
    assert refused.status_code == status, refused.content
    assert refused.json()["field"] and not Prediction.objects.exists() and left() == []


def test_a_body_of_another_kind_is_refused(owner: Any) -> None:
    model = askable(owner)
    client = browser(owner)
    refused = client.post(f"{API}models/{model.pk}/predictions?name=a.csv", {"file": "1,2"})
    assert (refused.status_code, refused.json()["field"]) == (415, "Content-Type")
    assert send(client, "POST", f"models/{model.pk}/predictions?name=a.csv", {}).status_code == 415


@pytest.mark.parametrize(("change", "why"), [
    ({"bundle_path": "", "reason": "nothing is trained on a table"}, "nothing is trained on a table"),
    ({"bundle_damage": "cut"}, "its download is damaged: cut"), ({"bundle_sha256": "0" * 64}, "its download cannot be read"),
    ({"bundle_sha256": ""}, "about to be put in place"),
])  # fmt: skip
def test_a_model_of_which_nothing_can_be_asked_says_why(owner: Any, change: dict[str, Any], why: str) -> None:
    model = askable(owner)
    ModelArtefact.objects.filter(pk=model.pk).update(**change)
    said = send(browser(owner), "GET", f"models/{model.pk}/input").json()
    assert said["form"] is None and why in said["reason"]
    refused = ask(browser(owner), model)
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot_ask") and why in refused.json()["detail"]


def test_code_that_came_from_elsewhere_is_never_run(owner: Any) -> None:
    model = askable(owner)
    waiting = ask(browser(owner), model)
    Experiment.objects.update(imported={"file": "theirs.zip"})
    said = send(browser(owner), "GET", f"models/{model.pk}/input").json()
    assert said["form"] is None and "code that comes from elsewhere is not run" in said["reason"]
    assert ask(browser(owner), model).status_code == 409
    worked()
    found = send(browser(owner), "GET", f"predictions/{waiting.json()['id']}").json()
    assert found["state"] == "failed" and "code that comes from elsewhere is not run" in found["reason"], "asked again by the worker"


def test_a_download_that_is_not_the_recorded_one_is_not_run(owner: Any) -> None:
    client, model = browser(owner), askable(owner)
    asked = ask(client, model)
    path = files.bundle_file(model.run_id, model.bundle_sha256)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (Path(django_settings.NASCOPE_HOME) / model.bundle_path / "model.py").write_text("raise SystemExit('run')\n")
    found = answer_of(client, asked)
    assert found["state"] == "failed" and "digest" in found["reason"]


# ---- one at a time, and its end


def test_waiting_is_explained(owner: Any) -> None:
    client, model = browser(owner), askable(owner)
    Run.objects.update(state="completed")
    asked = ask(client, model).json()
    assert (asked["state"], asked["waiting"]) == ("queued", "no worker is there: it is answered when one starts")
    worker = make_worker()
    assert send(client, "GET", f"predictions/{asked['id']}").json()["waiting"] == "a worker is about to take it"
    Job.objects.create(owner=owner, kind="trial", source="trial:1", state="leased", worker=worker)
    assert "the worker is at work" in send(client, "GET", f"predictions/{asked['id']}").json()["waiting"]


def test_the_next_question_takes_the_place_of_the_one_before(owner: Any) -> None:
    client, model = browser(owner), askable(owner)
    first, second = (ask(client, model, b"31,cook\n", "?name=row.csv").json()["id"] for _ in range(2))
    assert send(client, "GET", f"predictions/{first}").status_code == 404
    assert [str(row.pk) for row in Prediction.objects.all()] == [second] and Job.objects.filter(kind="predict").count() == 1
    assert len(left()) == 1, "what was given first is gone"
    assert send(client, "DELETE", f"predictions/{second}").status_code == 204
    assert left() == [] and not Job.objects.filter(kind="predict").exists()
    another = make_user("eve")
    ask(browser(another), askable(another))
    ask(client, model)
    assert Prediction.objects.count() == 2, "of each person one"


def test_who_answers_what_is_taken_back_stops(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, model = browser(owner), askable(owner)
    asked = ask(client, model).json()["id"]
    monkeypatch.setattr(predictions, "LOOK_SECONDS", 0.0)
    real = predictions._Wanted.__call__
    calls: list[bool] = []

    def taken_back(wanted: Any) -> None:
        calls.append(keeper._answering._process is not None)
        if len(calls) == 1:
            assert send(client, "DELETE", f"predictions/{asked}").status_code == 204
        real(wanted)

    monkeypatch.setattr(predictions._Wanted, "__call__", taken_back)
    worked()
    assert calls == [True] and keeper._answering._process is None, "its process has ended"
    assert left() == [] and not Prediction.objects.exists()


def test_a_worker_that_is_asked_to_end_leaves_the_question_to_the_next(owner: Any) -> None:
    client, model = browser(owner), askable(owner)
    asked = ask(client, model, b"31,cook\n", "?name=row.csv")
    session = Session("cpu")
    job = Job.objects.get(kind="predict")
    try:
        session.stopping.set()
        assert serve_one(session)
    finally:
        end([session])
    job.refresh_from_db()
    assert (job.state, job.failures, Prediction.objects.get().state) == ("ready", 0, "queued") and len(left()) == 1
    found = answer_of(client, asked)
    assert found["state"] == "done", found["reason"]


def test_work_that_fails_for_good_is_told_and_forgotten(owner: Any) -> None:
    model = askable(owner)
    ask(browser(owner), model, b"31,cook\n", "?name=row.csv")
    job = Job.objects.get(kind="predict")
    Job.objects.filter(pk=job.pk).update(state="leased")
    assert give_back(job, reason="needed more memory", cause=Cause.CEILING)
    row = Prediction.objects.get()
    assert (row.state, row.reason) == ("failed", "needed more memory") and left() == []


def test_what_nobody_waits_for_any_more_goes(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = askable(owner)
    ask(browser(owner), model, b"31,cook\n", "?name=row.csv")
    stray = asked_files.home() / "stray"
    stray.mkdir()
    reaper.housekeep()
    assert Prediction.objects.exists() and stray.exists()
    monkeypatch.setattr(asked_files, "KEPT_SECONDS", -1.0)
    reaper.housekeep()
    assert not Prediction.objects.exists() and not Job.objects.filter(kind="predict").exists() and left() == [] and not stray.exists()


def test_a_question_goes_with_its_model(owner: Any) -> None:
    model = askable(owner)
    ask(browser(owner), model, b"31,cook\n", "?name=row.csv")
    assert send(browser(owner), "DELETE", f"runs/{model.run_id}").status_code == 204
    assert not Prediction.objects.exists() and not Job.objects.filter(kind="predict").exists() and left() == []
