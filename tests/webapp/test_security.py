"""What every answer carries, the shell, and what is never served."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

import webapp
from webapp.accounts.headers import CONTENT_SECURITY_POLICY

from .api_world import API, PASSWORD, browser, make_user, send

pytestmark = pytest.mark.django_db

WEBAPP = Path(webapp.__file__).parent


@pytest.fixture
def shell(settings: Any, tmp_path: Path) -> Path:
    """A built front end."""
    settings.BASE_DIR = tmp_path
    index = tmp_path / "webapp" / "static" / "ui" / "index.html"
    index.parent.mkdir(parents=True)
    index.write_text('<!doctype html><title>NAScope</title><script type="module" src="/static/ui/assets/main.js"></script>')
    return index


@pytest.mark.parametrize("path", ["/", "/runs/1", "/api/v1/me", "/api/v1/health/live", "/login/x/", "/api/v1/nothing", "/admin/login/"])
def test_every_answer_carries_the_headers(path: str) -> None:
    response = browser().get(path)
    assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_policy_allows_our_own_origin_only() -> None:
    directives = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert directives["default-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["object-src"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert not {"http:", "https:", "*"} & set(CONTENT_SECURITY_POLICY.replace(";", "").split())


@pytest.mark.parametrize("path", ["/", "/runs/7f/graph", "/new", "/login", "/apiary"])
def test_the_shell_answers_every_other_path(shell: Path, path: str) -> None:
    response = browser().get(path)
    assert response.status_code == 200
    assert response.content == shell.read_bytes()
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "no-cache"
    assert "csrftoken" in response.cookies


@pytest.mark.parametrize("path", ["/api/", "/api/v2/runs", "/ws/v1/runs/1/", "/static/ui/none.js"])
def test_the_shell_does_not_answer_for_other_rooms(shell: Path, path: str) -> None:
    response = browser().get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_without_a_built_front_end_a_page_says_what_to_do(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    response = browser().get("/")
    assert response.status_code == 503
    assert b"make run" in response.content
    assert b"<script" not in response.content
    assert b"style=" not in response.content


def test_cookies_are_kept_from_scripts_and_from_other_sites() -> None:
    make_user("ada")
    client = browser()
    client.get("/")
    send(client, "POST", "auth/login", {"username": "ada", "password": PASSWORD})
    session, token = client.cookies["nascope_session"], client.cookies["csrftoken"]
    assert session["httponly"]
    assert session["samesite"] == token["samesite"] == "Lax"


@override_settings(NASCOPE_TLS=True, SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True)
def test_under_tls_cookies_are_secure() -> None:
    client = Client()
    client.force_login(make_user("ada"))
    client.get("/", secure=True)
    assert client.cookies["csrftoken"]["secure"]


def test_a_foreign_host_is_refused() -> None:
    assert browser().get(API + "health/live", headers={"Host": "evil.example"}).status_code == 400


def test_an_error_in_the_server_tells_nothing_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.api import machinery

    def broken(*_: Any) -> Any:
        raise RuntimeError("the secret path /srv/keys")

    monkeypatch.setattr(machinery.LiveView, "get", broken)
    client = Client(raise_request_exception=False)
    response = client.get(API + "health/live")
    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")
    assert b"secret" not in response.content


def test_answers_of_the_api_are_not_cached() -> None:
    assert browser().get(API + "me")["Cache-Control"] == "no-store"


def test_every_view_of_objects_goes_through_the_one_owner_filter() -> None:
    """Rows that belong to people are read in `OwnedView.owned` and in the socket's `_find`; no view starts from `.objects` by itself."""
    from webapp.api import artefacts, atlas, experiments, people, records, runs

    for module in (artefacts, atlas, experiments, records, runs, people):
        tree = ast.parse(Path(module.__file__).read_text())  # type: ignore[arg-type]
        views = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for view in views:
            for method in (node for node in view.body if isinstance(node, ast.FunctionDef)):
                used = {node.value.id for node in ast.walk(method) if isinstance(node, ast.Attribute) and node.attr == "objects"}  # type: ignore[attr-defined]
                # Of an assessment, and of curves: events of the run of a model that came through `owned`.
                allowed = {"_RunRowsView": {"Run"}, "ModelAssessmentView": {"Event"}, "ModelCurvesView": {"Event"}}.get(view.name, set())
                assert used <= allowed, f"{module.__name__}.{view.name}.{method.name}: {used}"
