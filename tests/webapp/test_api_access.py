"""Whose objects one sees: every route as a stranger (404), as nobody (401), with a token that may only read (403)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.urls import get_resolver

from webapp.core.models import ApiToken, Dataset, DatasetLook, Estimate, Event, Experiment, Genome, ModelArtefact, Prediction, Run

from .api_world import API, BODY, browser, fill, make_experiment, make_user, send
from .asked_world import asked
from .own_world import brought, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Any:
    return make_user("owner")


@pytest.fixture
def world(owner: Any) -> dict[str, Any]:
    """Ids of everything that the owner has."""
    experiment = make_experiment(owner)
    run = experiment.runs.get()
    fill(run)
    return {
        "experiment": experiment.pk,
        "run": run.pk,
        "genome": Genome.objects.filter(run=run).first().pk,
        "model": ModelArtefact.objects.get(run=run).pk,
        "estimate": Estimate.objects.create(owner=owner, config_digest="0" * 64, configs=[]).pk,
        "token": ApiToken.issue(owner, "laptop")[0].pk,
        "upload": made(owner, "uploading").pk,
        "own": made(owner).pk,
        "brought": brought(owner).pk,
        "asked": asked(owner).pk,
    }


def owned_routes(ids: dict[str, Any]) -> list[tuple[str, str]]:
    """Every route that names an object."""
    return [
        ("GET", f"experiments/{ids['experiment']}"),
        ("DELETE", f"experiments/{ids['experiment']}"),
        ("GET", f"estimates/{ids['estimate']}"),
        ("GET", f"runs/{ids['run']}"),
        ("DELETE", f"runs/{ids['run']}"),
        ("POST", f"runs/{ids['run']}/pause"),
        ("POST", f"runs/{ids['run']}/resume"),
        ("POST", f"runs/{ids['run']}/cancel"),
        ("POST", f"runs/{ids['run']}/clone"),
        *[("POST", f"runs/{ids['run']}/{what}") for what in ("more", "finish", "best")],
        ("GET", f"runs/{ids['run']}/events"),
        ("GET", f"runs/{ids['run']}/snapshot"),
        ("GET", f"runs/{ids['run']}/moment?at=1"),
        ("GET", f"runs/{ids['run']}/structure?group=cell&edge=0"),
        ("GET", f"trials?run={ids['run']}"),
        ("GET", f"candidates?run={ids['run']}"),
        ("GET", f"genomes?run={ids['run']}"),
        ("GET", f"genomes/{ids['genome']}"),
        ("GET", f"models/{ids['model']}"),
        ("GET", f"models/{ids['model']}/assessment"),
        ("GET", f"models/{ids['model']}/curves"),
        ("GET", f"models/{ids['model']}/contents"),
        ("GET", f"models/{ids['model']}/download"),
        ("GET", f"models/{ids['model']}/retraining"),
        ("POST", f"models/{ids['model']}/rebuild"),
        ("GET", f"models/{ids['model']}/input"),
        ("POST", f"models/{ids['model']}/predictions"),
        *[(method, f"predictions/{ids['asked']}") for method in ("GET", "DELETE")],
        ("DELETE", f"tokens/{ids['token']}"),
        *[(method, f"uploads/{ids['upload']}") for method in ("GET", "HEAD", "PATCH", "DELETE")],
        *[(method, f"own-datasets/{ids['own']}") for method in ("GET", "DELETE")],
        *[("POST", f"own-datasets/{ids['own']}/{what}") for what in ("examine", "keep", "cancel")],
        *[(method, f"run-imports/{ids['brought']}") for method in ("GET", "DELETE")],
        ("POST", f"run-imports/{ids['brought']}/cancel"),
        ("GET", f"runs/{ids['run']}/export"),
        ("GET", f"experiments/{ids['experiment']}/export"),
    ]


OPEN_ROUTES = [
    ("GET", "me"), ("POST", "auth/logout"), ("GET", "tokens"), ("POST", "tokens"), ("POST", "ws-tickets"), ("GET", "algorithms"),
    ("GET", "search-spaces"), ("GET", "datasets"), ("GET", "compatibility"), ("GET", "run-schema"), ("GET", "presets"),
    ("GET", "experiments"), ("POST", "experiments"), ("POST", "experiments/validate"), ("POST", "estimates"), ("GET", "runs"),
    ("GET", "models"), ("GET", "workers"), ("GET", "plugins"), ("GET", "atlas"), ("GET", "atlas/nikulenkov-2022-table-3"),
    ("POST", "uploads"), ("GET", "own-datasets"), ("GET", "run-imports"), ("GET", "data-room"),
    ("GET", "datasets/digits/uses"), ("GET", "datasets/digits/look"),
    ("POST", "datasets/digits/look"), ("POST", "architectures"),
]  # fmt: skip
"""Every other route that needs a login."""

PUBLIC = {"auth/login", "health/live", "health/ready", "schema/"}


def counts() -> tuple[int, ...]:
    models = (Experiment, Run, Event, Genome, ModelArtefact, ApiToken, Estimate, Dataset, DatasetLook, Prediction)
    return tuple(model.objects.count() for model in models)


def test_every_route_is_in_one_of_the_lists() -> None:
    """A new route that nobody put under these tests fails here."""
    ids = dict.fromkeys(("experiment", "run", "genome", "model", "estimate", "token", "upload", "own", "brought", "asked"), uuid4())
    tested = {path.partition("?")[0].replace(str(ids["run"]), "<uuid:pk>") for _, path in [*owned_routes(ids), *OPEN_ROUTES]} | PUBLIC
    tested = {path.replace("datasets/digits/", "datasets/<slug:dataset>/") for path in tested}
    tested = {"atlas/<slug:pk>" if path.startswith("atlas/") else path for path in tested}
    api = next(item for item in get_resolver().url_patterns if str(item.pattern) == "api/v1/")
    routes = {str(item.pattern) for item in api.url_patterns if not str(item.pattern).startswith("^")}
    assert routes == tested


def test_a_stranger_finds_nothing_and_changes_nothing(world: dict[str, Any]) -> None:
    stranger = browser(make_user("stranger"))
    before = counts()
    for method, path in owned_routes(world):
        response = send(stranger, method, path, {} if method == "POST" else None)
        assert response.status_code == 404, f"{method} {path}: {response.status_code}"
        assert response["Content-Type"] == "application/problem+json"
        assert method == "HEAD" or response.json()["code"] == "not_found"
    lists = ("experiments", "runs", "models", "own-datasets", "run-imports", "datasets/digits/uses")
    for path in (*lists, f"runs?experiment={world['experiment']}", f"models?run={world['run']}"):
        assert send(stranger, "GET", path).json()["results"] == [], path
    assert send(stranger, "GET", "tokens").json() == []
    assert counts() == before
    assert Run.objects.get().state == "queued"


def test_staff_are_strangers_too(world: dict[str, Any]) -> None:
    staff = make_user("staff")
    staff.is_staff = staff.is_superuser = True
    staff.save()
    assert send(browser(staff), "GET", f"runs/{world['run']}").status_code == 404


def test_nobody_gets_401(world: dict[str, Any]) -> None:
    before = counts()
    for method, path in [*owned_routes(world), *OPEN_ROUTES]:
        response = send(browser(), method, path, {} if method == "POST" else None)
        assert response.status_code == 401, f"{method} {path}: {response.status_code}"
        assert response["WWW-Authenticate"] == "Bearer"
        assert method == "HEAD" or response.json()["code"] == "not_authenticated"
    assert counts() == before


def test_the_owner_reaches_every_route(world: dict[str, Any], owner: Any) -> None:
    """The counterpart: the 404s above are not typing errors in the paths."""
    client = browser(owner)
    for method, path in owned_routes(world):
        if method == "GET":
            # What has not ended is not exported.
            assert send(client, method, path).status_code == (409 if path.endswith("/export") else 200), path


def test_a_reading_token_reads_and_nothing_else(world: dict[str, Any], owner: Any) -> None:
    _, plain = ApiToken.issue(owner, "reader", "read")
    bearer = {"Authorization": f"Bearer {plain}"}
    assert send(browser(), "GET", f"runs/{world['run']}", **bearer).status_code == 200
    assert send(browser(), "POST", "ws-tickets", **bearer).status_code == 201
    before = counts()
    for method, path in [("POST", "experiments"), ("POST", f"runs/{world['run']}/cancel"), ("DELETE", f"runs/{world['run']}")]:
        response = send(browser(), method, path, BODY if method == "POST" else None, **bearer)
        assert (response.status_code, response.json()["code"]) == (403, "read_only_token")
    assert counts() == before


def test_a_malformed_id_is_a_404_in_problem_json(owner: Any) -> None:
    response = browser(owner).get(API + "runs/not-an-id")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_health_says_nothing_about_anybody(world: dict[str, Any]) -> None:
    live, ready = send(browser(), "GET", "health/live"), send(browser(), "GET", "health/ready")
    assert (live.status_code, ready.status_code) == (200, 200)
    assert ready.json()["checks"]["database"] == "ok"
    assert str(world["run"]) not in ready.content.decode()
