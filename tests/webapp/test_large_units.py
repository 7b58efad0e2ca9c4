"""A config whose unit needs more than a worker may take: said by the estimate, refused where it was asked for, else told by the run."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from search_engine.search.unit_needs import UnitNeed
from webapp.core.models import Estimate, Job, Run
from webapp.jobs import estimates, tasks

from .api_world import browser, make_user, send
from .builders import TINY, make_run, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Any:
    return browser(make_user("ada"))



BODY: dict[str, Any] = {
    "algorithms": [{"id": "random"}], "space": "mlp", "datasets": ["digits"], "seeds": [0], "budget": {"trials": 2},
    "training": {"batch_size": 1024},
}
PROBLEM = {"field": "training.batch_size", "message": "one step of a trial would need 37 GB of memory", "code": "too_large"}


def test_what_the_estimate_found_is_refused(client: Any) -> None:
    asked = send(client, "POST", "estimates", BODY)
    run = dict.fromkeys(("samples", "seconds", "steps", "trials", "unit"))
    rows = [{"algorithm": "random", "seed": 0, **run, "note": "", "advice": [], "problem": PROBLEM}]
    found = {"runs": rows, "total_seconds": 0.0, "worker": str(make_worker().pk)}
    Estimate.objects.update(state="done", result=found)
    assert send(client, "GET", f"estimates/{asked.json()['id']}").json()["result"]["runs"][0]["problem"] == PROBLEM
    refused = send(client, "POST", "experiments", BODY)
    assert refused.status_code == 400 and refused.json()["problems"] == [PROBLEM]
    assert not Run.objects.exists()
    assert send(client, "POST", "experiments", {**BODY, "training": {"batch_size": 64}}).status_code == 201


def test_an_option_is_named_by_its_place_in_the_body(client: Any) -> None:
    body = {**BODY, "algorithms": [{"id": "random"}, {"id": "grid"}]}
    asked = send(client, "POST", "estimates", body)
    run = dict.fromkeys(("samples", "seconds", "steps", "trials", "unit"))
    rows = [{"algorithm": name, "seed": 0, **run, "note": "", "advice": []} for name in ("random", "grid")]
    rows[1]["problem"] = {**PROBLEM, "field": "options.window"}
    Estimate.objects.update(state="done", result={"runs": rows, "total_seconds": 0.0, "worker": str(make_worker().pk)})
    told = send(client, "GET", f"estimates/{asked.json()['id']}").json()["result"]["runs"][1]["problem"]
    assert told["field"] == "algorithms.1.options.window"
    assert send(client, "POST", "experiments", body).json()["problems"][0]["field"] == "algorithms.1.options.window"


def test_a_run_that_was_not_estimated_says_it_before_its_first_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from webapp.jobs.session import Session

    monkeypatch.setattr(settings, "NASCOPE_HEARTBEAT_SECONDS", 600.0)
    monkeypatch.setattr(estimates.memory, "ceiling", lambda: 1e9)
    monkeypatch.setattr("search_engine.search.bounds.unit_needs", lambda *_: [UnitNeed("step of a trial", 37e9, 1e9)])
    run = make_run({**TINY, "training": {**TINY["training"], "batch_size": 1024}})
    session = Session("cpu")
    try:
        assert tasks.serve_one(session)
    finally:
        session.end()
    run.refresh_from_db()
    assert run.state == "failed" and "37 GB of memory, and a worker has 1.0 GB" in run.reason and run.reason.startswith("training.")
    assert Job.objects.get(run=run).failures == 1, "it is not tried again"
