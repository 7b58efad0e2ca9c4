"""Making, repeating, listing, changing and deleting experiments and runs over REST."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from search_engine.catalogue import registry
from search_engine.catalogue.config import RunConfig
from search_engine.catalogue.presets import PRESETS
from tests.narrower import NARROWER
from webapp.api.problems import MOST_LISTED
from webapp.api.throttles import CreateRate, ValidateRate
from webapp.core.models import Estimate, Event, Experiment, Genome, IdempotencyKey, Job, Run

from .api_world import API, BODY, browser, fill, make_experiment, make_user, send, streamed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_throttle_left() -> None:
    cache.clear()


@pytest.fixture
def owner() -> Any:
    return make_user("ada")


@pytest.fixture
def client(owner: Any) -> Any:
    return browser(owner)


def test_an_experiment_becomes_runs_that_wait_for_a_worker(client: Any) -> None:
    body = {**BODY, "algorithms": [{"id": "random"}, {"id": "regularized_evolution", "options": {"population": 7}}], "seeds": [3, 4]}
    response = send(client, "POST", "experiments", body)
    made = response.json()
    assert response.status_code == 201, made
    assert made["states"] == {"queued": 4}
    assert [(run["algorithm"]["id"], run["seed"]) for run in made["runs"]] == [
        ("random", 3), ("random", 4), ("regularized_evolution", 3), ("regularized_evolution", 4),
    ]  # fmt: skip
    assert made["runs"][3]["options"]["population"] == 7
    assert made["budget"] == {"kind": "trials", "limit": 5, "count_repeats": True}
    assert made["config"]["finale"]["finalists"] == 1, "the stored body has its defaults filled in"
    assert all(item["options"]["window"] >= 1 for item in made["config"]["algorithms"]), "and says how many trials are open at once"
    assert Job.objects.filter(kind="advance", state="ready").count() == 4
    stored = Run.objects.get(pk=made["runs"][0]["id"])
    assert RunConfig.model_validate(stored.config).budget.trials == 5  # type: ignore[union-attr]
    assert send(client, "GET", f"experiments/{made['id']}").json() == made
    detail = send(client, "GET", f"runs/{stored.pk}").json()
    assert detail["config"] == stored.config
    assert detail["experiment"] == {"id": made["id"], "name": made["name"]}


def test_every_preset_can_be_started(client: Any) -> None:
    presets = send(client, "GET", "presets").json()
    assert [item["id"] for item in presets] == [item["id"] for item in PRESETS]
    assert presets[0]["title"] == "DARTS on handwritten digits"
    for preset in presets:
        if preset["missing_files"]:
            refused = send(client, "POST", "experiments", preset["experiment"])
            assert refused.status_code == 400 and preset["missing_files"][0].split("/")[0] in refused.content.decode()
            continue
        said = send(client, "POST", "experiments/validate", preset["experiment"]).json()
        assert (said["valid"], said["problems"]) == (True, [])
        # The thesis's own warning of its second way; but for how many points a grid has, nothing else is to be said of a search
        # that is offered.
        own = any(choice["options"].get("compress") == "with_inheritance" for choice in preset["experiment"]["algorithms"])
        advice = [sentence for sentence in said["advice"] if "The grid has" not in sentence]
        assert len(advice) == own and all("unstable" in sentence for sentence in advice)
        assert bool(said["finish"]) == (preset["experiment"]["datasets"] != ["learn_to_count"]), "how its networks are finished"
        assert send(client, "POST", "experiments", preset["experiment"]).status_code == 201


def test_every_compatible_combination_is_valid_input(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form offers what `compatibility` lists: the check must agree (data files aside)."""
    monkeypatch.setattr(ValidateRate, "RATE", 10_000)
    for item in send(client, "GET", "compatibility").json():
        datasets = [item["dataset"]] * registry.algorithm(item["algorithm"]).domains.least
        body = {**BODY, "algorithms": [{"id": item["algorithm"]}], "space": item["space"], "datasets": datasets}
        body |= {"dataset_options": [], "budget": {item["budgets"][0]: 10}}
        if narrower := NARROWER.get((item["space"], item["dataset"])):
            [problem] = [one for one in send(client, "POST", "experiments/validate", body).json()["problems"] if one["code"] == "invalid"]
            assert problem["field"] == f"space_options.{next(iter(narrower))}"
            body["space_options"] = narrower
        problems = send(client, "POST", "experiments/validate", body).json()["problems"]
        assert [problem for problem in problems if problem["code"] != "missing_data"] == [], item


def test_a_grid_beyond_the_budget_is_told_before_the_start(client: Any) -> None:
    """Advice, not a problem: it may be started. Once per algorithm, however many seeds."""
    grid = {"algorithms": [{"id": "grid"}], "space": "mlp", "space_options": {"preset": "seed004"}, "datasets": ["digits"], "seeds": [0, 1]}
    cut = send(client, "POST", "experiments/validate", {**grid, "budget": {"trials": 100}}).json()
    assert cut["valid"] is True
    assert cut["advice"] == [
        "Grid search: The grid has 324 genomes, the budget allows at most 100: 30.8 % of it. The search will not be complete."
    ]
    whole = send(client, "POST", "experiments/validate", {**grid, "budget": {"trials": 324}}).json()
    assert whole["advice"] == ["Grid search: The grid has 324 genomes. The budget allows all of them."]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"algorithms": [{"id": "deepswarm"}], "space": "cell"}, "space", "cannot search 'cell'; it can search: node_chain"),
        ({"algorithms": [{"id": "random", "options": {"window": 0}}]}, "algorithms.0.options.window", "greater than or equal to 1, not 0"),
        ({"algorithms": [{"id": "pathnet"}], "datasets": ["digits"]}, "datasets", "PathNet searches 2 to 8 data sets in order"),
        ({"algorithms": [{"id": "random"}], "datasets": ["digits", "digits"]}, "datasets", "searches one data set at a time"),
        ({"algorithms": [{"id": "pathnet"}], "datasets": ["digits", "mnist"]}, "datasets", r"1 has \(1, 8, 8\), .* 2 has \(1, 28, 28\)"),
        ({"algorithms": [{"id": "random"}], "space": "sequence", "datasets": ["digits"]}, "datasets.0", "cannot use 'digits'"),
        ({"algorithms": [{"id": "random"}], "space": "sequence", "budget": {"samples": 100}}, "budget", "cannot spend a budget in samples"),
        ({"algorithms": [{"id": "enas"}], "budget": {"trials": 5}}, "budget", "ENAS cannot spend a budget in trials"),
    ],
)
def test_bad_input_names_its_field_and_what_would_be_right(client: Any, change: dict[str, Any], field: str, message: str) -> None:
    body = {"space": "", "datasets": [], "seeds": [0], "budget": None if "pathnet" in str(change) else {"trials": 5}, **change}
    problems = send(client, "POST", "experiments/validate", body).json()["problems"]
    [problem] = [item for item in problems if item["code"] != "missing_data"]
    assert problem["field"] == field
    assert re.search(message, problem["message"]), problem["message"]


def test_the_same_key_makes_one_experiment(client: Any) -> None:
    first = send(client, "POST", "experiments", BODY, **{"Idempotency-Key": "click"})
    again = send(client, "POST", "experiments", BODY, **{"Idempotency-Key": "click"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotent-Replay"] == "true"
    assert Experiment.objects.count() == 1
    other = send(client, "POST", "experiments", {**BODY, "seeds": [9]}, **{"Idempotency-Key": "click"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Experiment.objects.count() == 1
    assert send(client, "POST", "experiments", BODY, **{"Idempotency-Key": "another"}).json()["id"] != first.json()["id"]


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_makes_one_experiment(client: Any) -> None:
    start = threading.Barrier(4)

    def post(_: int) -> Any:
        try:
            start.wait()
            return send(client, "POST", "experiments", BODY, **{"Idempotency-Key": "double click"})
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Experiment.objects.count() == Run.objects.count() == 1


def test_keys_belong_to_their_user_and_failures_are_not_kept(client: Any) -> None:
    bad = send(client, "POST", "experiments", {**BODY, "seeds": [-1]}, **{"Idempotency-Key": "k"})
    assert bad.status_code == 400
    assert not IdempotencyKey.objects.exists()
    mine = send(client, "POST", "experiments", BODY, **{"Idempotency-Key": "k"})
    theirs = send(browser(make_user("grace")), "POST", "experiments", BODY, **{"Idempotency-Key": "k"})
    assert mine.json()["id"] != theirs.json()["id"]
    assert send(client, "POST", "experiments", BODY, **{"Idempotency-Key": "x" * 201}).json()["field"] == "Idempotency-Key"


def test_actions_move_the_run_and_say_so(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    for action, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        response = send(client, "POST", f"runs/{run.pk}/{action}")
        assert (response.status_code, response.json()["state"]) == (202, state)
    clone = send(client, "POST", f"runs/{run.pk}/clone", {"seed": 77})
    assert (clone.status_code, clone.json()["seed"], clone.json()["state"]) == (201, 77, "queued")
    assert clone.json()["experiment"]["id"] == str(run.experiment_id)
    free = send(client, "POST", f"runs/{run.pk}/clone", {}).json()
    assert free["seed"] not in (run.seed, 77)


def test_deleting_removes_rows_and_files(client: Any, owner: Any, django_capture_on_commit_callbacks: Any) -> None:
    experiment = make_experiment(owner, seeds=[1, 2])
    keep = make_experiment(owner)
    run = experiment.runs.first()
    fill(run)
    folder = Path(settings.NASCOPE_HOME) / "runs" / str(run.pk)
    assert folder.is_dir()
    with django_capture_on_commit_callbacks(execute=True):
        assert send(client, "DELETE", f"runs/{run.pk}").status_code == 204
    assert not folder.exists()
    assert not Event.objects.filter(run_id=run.pk).exists()
    assert not Genome.objects.exists()
    assert send(client, "DELETE", f"experiments/{experiment.pk}").status_code == 204
    assert list(Experiment.objects.values_list("pk", flat=True)) == [keep.pk]
    assert Run.objects.count() == 1


def test_an_estimate_is_asked_once_and_answered_later(client: Any) -> None:
    first = send(client, "POST", "estimates", BODY)
    assert (first.status_code, first.json()["state"], first.json()["result"]) == (202, "queued", None)
    assert send(client, "POST", "estimates", BODY).json()["id"] == first.json()["id"]
    assert Job.objects.filter(kind="estimate").count() == 1
    run = {"algorithm": "random", "seed": 1, "samples": 10.0, "seconds": 2.5, "steps": None, "trials": 5, "note": "", "advice": []}
    run |= {"unit": {"what": "step of a trial", "memory": 4e8, "flops": 1e9}, "problem": None}
    Estimate.objects.update(state="done", result={"runs": [run], "total_seconds": 2.5})
    assert send(client, "GET", f"estimates/{first.json()['id']}").json() == {
        "id": first.json()["id"], "state": "done", "result": {"runs": [run], "data": [], "total_seconds": 2.5}, "reason": "",
    }  # fmt: skip
    assert not Experiment.objects.exists()


def test_too_many_experiments_are_throttled(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CreateRate, "RATE", 2)
    assert [send(client, "POST", "experiments", BODY).status_code for _ in range(3)] == [201, 201, 429]
    refused = send(client, "POST", "experiments", BODY)
    assert (refused["Content-Type"], refused.json()["code"]) == ("application/problem+json", "throttled")
    assert int(refused["Retry-After"]) > 0
    assert send(client, "GET", "experiments").status_code == 200, "reading is not throttled"


def test_the_forms_questions_are_throttled_by_themselves(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ValidateRate, "RATE", 2)
    assert [send(client, "POST", "experiments/validate", BODY).status_code for _ in range(3)] == [200, 200, 429]
    assert send(browser(make_user("grace")), "POST", "experiments/validate", BODY).status_code == 200, "everybody has their own count"
    assert send(client, "POST", "experiments", BODY).status_code == 201, "whoever asked too often may begin nevertheless"


@pytest.mark.parametrize("path", ["experiments/validate", "experiments", "estimates"])
@pytest.mark.parametrize("place", ["body", "options", "dataset_options"])
def test_of_thousands_of_problems_a_hundred_are_listed(client: Any, path: str, place: str) -> None:
    wrong = {f"name{number}": 1 for number in range(5_000)}
    body = {
        "body": {**BODY, **wrong},
        "options": {**BODY, "algorithms": [{"id": "random", "options": wrong}]},
        "dataset_options": {**BODY, "dataset_options": [wrong]},
    }[place]
    answer = send(client, "POST", path, body)
    problems = answer.json()["problems"]
    assert len(problems) == MOST_LISTED + 1
    assert problems[-1] == {"field": "", "message": "and 4,900 more: put right what is listed, and ask again", "code": "more_problems"}
    assert all("name" in problem["field"] for problem in problems[:-1])
    assert len(answer.content) < 30_000
    few = send(client, "POST", path, {**BODY, **{f"name{number}": 1 for number in range(MOST_LISTED)}}).json()["problems"]
    assert len(few) == MOST_LISTED and all(problem["field"] for problem in few), "as many as fit are listed without another word"


def test_a_download_is_the_zip_of_the_bundle(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    fill(run)
    model = send(client, "GET", "models").json()["results"][0]
    response = client.get(f"{API}models/{model['id']}/download")
    data = streamed(response)
    assert response["Content-Disposition"] == 'attachment; filename="random-nb201-digits-seed1.zip"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert int(response["Content-Length"]) == len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert any(name.endswith("model.py") for name in names)
    assert (model["bundle"]["sha256"], model["bundle"]["checked"]) == (hashlib.sha256(data).hexdigest(), None)
    assert send(client, "GET", f"models/{model['id']}").json()["bundle"]["checked"] is not None
    assert streamed(client.get(f"{API}models/{model['id']}/download")) == data


def test_a_model_without_a_bundle_has_no_download(client: Any, owner: Any) -> None:
    run = make_experiment(owner).runs.get()
    fill(run)
    run.models.update(bundle_path="", reason="nothing was trained")
    model = send(client, "GET", f"models?run={run.pk}").json()["results"][0]
    assert (model["bundle"], model["reason"]) == (None, "nothing was trained")
    assert client.get(f"{API}models/{model['id']}/download").status_code == 404
    run.models.update(bundle_path="../../etc", bundle_sha256="0" * 64)
    refused = client.get(f"{API}models/{model['id']}/download")
    assert (refused.status_code, refused.json()["code"]) == (409, "damaged"), "nothing is packed from elsewhere"
