"""A model of the best so far, at any moment and of a run in any state: an experiment of its own, finished as the run's own finale would."""

from __future__ import annotations

import json
from typing import Any

import pytest

from search_engine.catalogue.config import check
from webapp.api import best_so_far
from webapp.core.models import Event, Experiment, Job, Run
from webapp.jobs import states
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .api_world import browser, make_experiment, make_user, send
from .builders import make_run
from .searches import serve_all
from .test_api_real_run import conforms
from .test_continuing import INSTANT, SMALL, STEPS

pytestmark = pytest.mark.django_db(transaction=True)

BODY: dict[str, Any] = {
    "algorithms": [{"id": "random"}], "space": "nb201", "datasets": ["digits"], "seeds": [3], "budget": {"trials": 50},
    "training": {**SMALL, "optimizer": "adam", "learning_rate": 0.003},
    "finale": {"baselines": 0, "export": False, "finalists": 2, "training": SMALL},
}  # fmt: skip


@pytest.mark.parametrize("ends", ["running", "cancelled"])
def test_the_best_of_a_search_that_is_not_over_is_trained_as_its_finale_would(ends: str) -> None:
    ada = make_user("ada")
    client = browser(ada)
    run = make_experiment(ada, **BODY).runs.get()
    early = send(client, "POST", f"runs/{run.pk}/best")
    assert (early.status_code, early.json()["code"]) == (400, "nothing_found")
    assert best_so_far.NOTHING_YET in early.json()["detail"]
    session = Session("cpu")
    while not Event.objects.filter(run=run, kind="incumbent").exists():
        assert serve_one(session)
    session.end()
    if ends == "cancelled":
        states.cancel(run.pk)
    best = Event.objects.filter(run=run, kind="incumbent").order_by("seq").last()
    assert best is not None
    made = send(client, "POST", f"runs/{run.pk}/best")
    assert made.status_code == 201, made.content
    conforms(made.json(), "Experiment")
    assert made.json()["name"] == f"Best so far of {run.experiment.name}"
    own = Run.objects.get(experiment_id=made.json()["id"])
    assert (own.algorithm, own.best_of_id, own.seed) == ("given_architecture", run.pk, 3)
    wanted, there = check(run.config).finale_training, check(own.config).finale_training
    assert (there, there.optimizer) == (wanted, "adam")
    assert own.config["space"] == "nb201" and own.config["finale"]["export"] is False
    Run.objects.filter(pk=run.pk).update(state="paused" if ends == "running" else ends)
    serve_all(own)
    assert own.state == "completed", own.reason
    shown = send(client, "GET", f"runs/{own.pk}").json()
    conforms(shown, "RunDetail")
    assert shown["models"][0]["genome_hash"] == best.data["genome_hash"] and shown["best_of"] == str(run.pk)
    states.delete_run(run.pk)
    assert send(client, "GET", f"runs/{own.pk}").json()["best_of"] is None


def test_the_best_of_a_search_by_steps_is_what_it_would_derive_now() -> None:
    run = make_run(STEPS)
    session = Session("cpu")
    while not Event.objects.filter(run=run, kind="derived").exists() and serve_one(session):
        pass
    session.end()
    body = best_so_far.body(run)
    found = Event.objects.filter(run=run, kind="derived").order_by("seq").last()
    assert found is not None
    assert json.loads(body["algorithms"][0]["options"]["architecture"]) == found.data["genome"]


@pytest.mark.parametrize(
    ("algorithm", "changes", "why"),
    [
        ("wann", {"space": "neuron_graph"}, best_so_far.WEIGHTS), ("ard", {"space": "plain"}, best_so_far.WEIGHTS),
        ("lottery_ticket", {"space": "plain"}, best_so_far.WEIGHTS),
        ("network_morphism", {"space": "growing_convnet"}, best_so_far.WEIGHTS),
        ("random", {"space": "sequence", "datasets": ["learn_to_count"]}, best_so_far.NO_TRAINING),
        ("multipath", {"datasets": ["digits", "mnist"]}, best_so_far.SEVERAL), ("given_architecture", {}, best_so_far.GIVEN_ALREADY),
        ("darts", {}, ""), ("codeepneat", {}, ""),
    ],
)  # fmt: skip
def test_what_no_architecture_says_is_refused(algorithm: str, changes: dict[str, Any], why: str) -> None:
    run = Run(algorithm=algorithm, **{"datasets": ["digits"], **changes})
    assert best_so_far.refusal(run) == why


def test_a_refusal_makes_nothing() -> None:
    ada = make_user("ada")
    run = make_run({**INSTANT, "budget": {"trials": 5}}, ada)
    serve_all(run)
    shown = send(browser(ada), "GET", f"runs/{run.pk}").json()
    refused = send(browser(ada), "POST", f"runs/{run.pk}/best")
    assert (refused.status_code, shown["no_best"]) == (400, best_so_far.NO_TRAINING)
    assert refused.json()["detail"].endswith(best_so_far.NO_TRAINING)
    assert Experiment.objects.count() == 1 and Job.objects.filter(run=run, state="ready").count() == 0
