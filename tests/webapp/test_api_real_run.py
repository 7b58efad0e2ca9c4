"""Real searches, started through the API and driven by a worker's own function: what the API then says is true and as documented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml

from search_engine.events import decode_floats
from webapp.core.models import Event
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .api_world import browser, make_user, send

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENT = yaml.safe_load((Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml").read_text())
SMALL = {"epochs": 1, "train_examples": 128, "channels": 4, "layers": 1}


def conforms(answer: Any, shape: str) -> None:
    jsonschema.validate(answer, {"$ref": f"#/components/schemas/{shape}", "components": DOCUMENT["components"]})


def finished(client: Any, body: dict[str, Any]) -> dict[str, Any]:
    """The run of an experiment after workers had nothing left to do."""
    made = send(client, "POST", "experiments", body)
    assert made.status_code == 201, made.content
    session = Session("cpu")
    try:
        while serve_one(session):
            pass
    finally:
        session.end()
    answer: dict[str, Any] = send(client, "GET", f"runs/{made.json()['runs'][0]['id']}").json()
    assert answer["state"] == "completed", answer["reason"]
    conforms(answer, "RunDetail")
    return answer


def test_a_search_by_trials() -> None:
    client = browser(make_user("ada"))
    body = {
        "algorithms": [{"id": "regularized_evolution", "options": {"population": 2, "sample": 2}}], "space": "nb201",
        "datasets": ["digits"], "seeds": [3], "budget": {"trials": 3}, "training": SMALL,
        "finale": {"baselines": 0, "export": False, "training": SMALL},
    }  # fmt: skip
    run = finished(client, body)
    assert run["counts"]["candidates"] == run["counts"]["trials"] == run["charged"]["trials"] == 3
    shown = send(client, "GET", f"runs/{run['id']}/snapshot").json()
    conforms(shown, "Snapshot")
    assert shown["as_of_seq"] == run["last_seq"] == Event.objects.count()
    assert max(value for value in shown["candidates"]["value"] if value is not None) == run["search_score"]["value"]
    newest = {record["kind"]: record["data"] for record in shown["events"]}
    assert newest["incumbent"]["genome_hash"] == run["best"]["genome_hash"]
    [final] = [track for track in shown["curves"] if track["source"] == "final:0" and "val_accuracy" in track["names"]]
    assert len(final["seqs"]) == 1
    moment = send(client, "GET", f"runs/{run['id']}/moment?at={run['last_seq'] // 2}").json()
    conforms(moment, "Moment")
    trials = send(client, "GET", f"trials?run={run['id']}&order=-value").json()
    conforms(trials, "TrialPage")
    assert trials["results"][0]["value"] == run["search_score"]["value"]
    page = send(client, "GET", f"runs/{run['id']}/events").json()
    conforms(page, "EventPage")
    assert page["events"][-1]["kind"] in ("run_completed", "ops")
    genome = send(client, "GET", f"genomes?run={run['id']}&hash={run['best']['genome_hash']}").json()
    conforms(genome, "GenomePage")
    assert genome["results"][0]["drawings"]
    assert run["models"][0]["metrics"]["test_accuracy"] >= 0


def test_a_search_by_gradients() -> None:
    client = browser(make_user("ada"))
    body = {
        "algorithms": [{"id": "darts", "options": {"steps": 4, "batch_size": 8}}], "space": "cell",
        "space_options": {"nodes": 1, "search_cells": 1, "search_channels": 2}, "datasets": ["digits"],
        "finale": {"export": False, "baselines": 0, "training": SMALL},
    }  # fmt: skip
    run = finished(client, body)
    shown = send(client, "GET", f"runs/{run['id']}/snapshot").json()
    conforms(shown, "Snapshot")
    now = {record["kind"]: record["data"] for record in shown["events"]}
    for group in now["family"]["groups"]:
        shape = (len(group["edges"]), len(group["operations"]))
        newest = decode_floats(now["structure"]["groups"][group["name"]]).reshape(shape)
        assert np.allclose(newest.sum(1), 1, atol=1e-5), "weights on an edge's operations add to one"
        answer = send(client, "GET", f"runs/{run['id']}/structure?group={group['name']}&edge=1").json()
        conforms(answer, "StructureSeries")
        history = decode_floats(answer["values"]).reshape(len(answer["steps"]), shape[1])
        assert answer["steps"][-1] == now["structure"]["step"]
        assert np.array_equal(history[-1], newest[1])
    assert now["derived"]["string"]
    assert shown["finalists"][0]["data"]["graph"]
