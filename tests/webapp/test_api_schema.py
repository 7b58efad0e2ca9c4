"""The OpenAPI document: clean, committed, and true: every answer is validated against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command

from webapp.core.models import Genome, ModelArtefact
from webapp.jobs.files import remove_run_files

from .api_world import API, BODY, PASSWORD, browser, fill, make_experiment, make_user, send
from .asked_world import ask, askable, asked
from .builders import make_job
from .own_world import append, brought, create, made

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def generated(folder: Path) -> dict[str, Any]:
    path = folder / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(path))
    return yaml.safe_load(path.read_text())  # type: ignore[no-any-return]


def test_the_document_is_clean_and_is_the_committed_one(tmp_path: Path) -> None:
    assert generated(tmp_path) == yaml.safe_load(COMMITTED.read_text()), (
        "the API changed: run 'python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml' and commit it"
    )


@pytest.mark.django_db
def test_the_server_serves_it() -> None:
    response = browser().get(API + "schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    assert response.json()["paths"].keys() == yaml.safe_load(COMMITTED.read_text())["paths"].keys()


LAST = [
    ("/runs/{id}/cancel", "post"), ("/models/{id}/rebuild", "post"), ("/runs/{id}", "delete"), ("/experiments/{id}", "delete"),
    ("/auth/logout", "post"),
]


def _place(operation: tuple[str, str]) -> int:
    short = (operation[0].removeprefix("/api/v1"), operation[1])
    return LAST.index(short) + 1 if short in LAST else 0


@pytest.mark.django_db
def test_every_answer_is_as_the_document_says() -> None:
    document = yaml.safe_load(COMMITTED.read_text())
    owner = make_user("ada")
    client = browser(owner)
    run = make_experiment(owner).runs.get()
    fill(run)
    # Its download is lost: then there is something to make again, once the run has ended.
    make_job(run, "final")
    remove_run_files(run.pk)
    estimate = send(client, "POST", "estimates", BODY).json()["id"]
    token = send(client, "POST", "tokens", {"name": "laptop"}).json()["id"]
    ids = {
        "atlas": "nikulenkov-2022-table-3", "experiments": run.experiment_id, "runs": run.pk, "estimates": estimate, "tokens": token,
        "genomes": Genome.objects.filter(run=run).first().pk, "models": ModelArtefact.objects.get().pk,
        "uploads": made(owner, "uploading").pk, "own-datasets": made(owner).pk, "run-imports": brought(owner).pk,
        "predictions": asked(owner).pk,
    }  # fmt: skip
    its_own = {f"own-datasets/{{id}}/{what}": made(owner, state).pk for what, state in (("keep", "examined"), ("cancel", "uploaded"))}
    send(client, "POST", "datasets/digits/look")
    bodies: dict[str, Any] = {"experiments": BODY, "experiments/validate": BODY, "estimates": BODY, "tokens": {"name": "t"},
                               "architectures": {"text": "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"}}
    bodies |= {"own-datasets/{id}/examine": {}, "auth/login": {"username": "ada", "password": PASSWORD}, "runs/{id}/clone": {}}
    bodies |= {"runs/{id}/more": {"unit": "trials", "more": 5}}
    queries = {"trials": f"?run={run.pk}", "candidates": f"?run={run.pk}", "genomes": f"?run={run.pk}"}
    queries |= {"runs/{id}/structure": "?group=cell&edge=0", "runs/{id}/moment": "?at=1"}

    unchecked = []
    # What takes something away comes last, so that the others have something to say.
    order = {"get": 0, "post": 1, "patch": 1, "delete": 2}
    operations = [(path, method) for path, methods in document["paths"].items() for method in methods]
    for path, method in sorted(operations, key=lambda item: (_place(item), order[item[1]], item)):
        route = path.removeprefix("/api/v1/")
        key = its_own.get(route, ids.get(route.split("/")[0], ""))
        concrete = route.replace("{id}", str(key)).replace("{dataset}", "digits") + queries.get(route, "")
        if route == "uploads":
            response = create(client, 5)
        elif (route, method) == ("uploads/{id}", "patch"):
            response = append(client, API + concrete, 0, b"12")
        elif (route, method) == ("models/{id}/predictions", "post"):
            # Somebody else's: it would take the place of the one that is to be deleted.
            another = make_user("eve")
            response = ask(browser(another), askable(another))
        else:
            response = send(client, method.upper(), concrete, bodies.get(route))
        answers = document["paths"][path][method]["responses"]
        assert str(response.status_code) in answers, f"{method} {path} answered {response.status_code}: {response.content[:300]!r}"
        content = answers[str(response.status_code)].get("content", {})
        if not content:
            assert response.content == b""
        elif "application/json" in content:
            assert response["Content-Type"] == "application/json"
            jsonschema.validate(response.json(), {**content["application/json"]["schema"], "components": document["components"]})
        else:
            unchecked.append(route)
    # A run that waits for a worker can neither be finished now nor be given more.
    assert unchecked == ["experiments/{id}/export", "models/{id}/download", "runs/{id}/export", "runs/{id}/finish", "runs/{id}/more"]


@pytest.mark.django_db
def test_an_error_is_as_the_document_says() -> None:
    document = yaml.safe_load(COMMITTED.read_text())
    problem = {"$ref": "#/components/schemas/ProblemDocument", "components": document["components"]}
    client = browser(make_user("ada"))
    for response in (
        send(client, "POST", "experiments", {"seeds": [-1]}),
        send(browser(), "GET", "me"),
        send(client, "GET", "runs/0e5f7f3e-8d5b-4a3f-9a51-3f5f4f3f2f1f"),
        send(client, "GET", "no-such-route"),
        send(client, "PUT", "runs", {}),
    ):
        assert response["Content-Type"] == "application/problem+json"
        jsonschema.validate(response.json(), problem)
        assert response.json()["status"] == response.status_code
