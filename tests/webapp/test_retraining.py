"""A finished model's architecture trained again: the body that says how, the run that does it, and what is no retraining."""

from __future__ import annotations

import json
import statistics
from typing import Any
from uuid import uuid4

import pytest

from webapp.core.models import Event, Experiment, ModelArtefact, Run, TestVisit
from webapp.jobs import files

from .api_world import browser, make_user, send
from .searches import serve_all
from .test_given import BODY, SMALL, problems

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> Any:
    return make_user("ada")


@pytest.fixture
def model(owner: Any) -> ModelArtefact:
    """One that a search found."""
    answer = send(browser(owner), "post", "experiments", {**BODY, "seeds": [4], "finale": {**BODY["finale"], "export": False}})
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    serve_all(run)
    assert run.state == Run.State.COMPLETED, run.reason
    return ModelArtefact.objects.get()


def retraining(user: Any, model: ModelArtefact) -> dict[str, Any]:
    answer = browser(user).get(f"/api/v1/models/{model.pk}/retraining")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def changed(body: dict[str, Any], training: dict[str, Any] | None = None, **finale: Any) -> dict[str, Any]:
    return {**body, "finale": {**body["finale"], **finale, "training": {**body["finale"]["training"], **(training or {})}}}


def test_it_is_trained_as_it_was_and_then_longer_three_times_as_an_ensemble(owner: Any, model: ModelArtefact) -> None:
    offered = retraining(owner, model)
    assert offered["length"] == {"unit": "epochs", "count": 1} and offered["reason"] == ""
    assert offered["visits"] == {"part": "digits", "data": 1}
    assert "new weights" in offered["weights_note"]
    body = offered["body"]
    assert body["seeds"] == [4] and body["datasets"] == ["digits"] and body["retrains"] == str(model.pk)
    asked = changed(body, {"epochs": 2}, seeds=2, ensemble=True, onnx=False)
    answer = send(browser(owner), "post", "experiments", asked)
    assert answer.status_code == 201, answer.content
    assert answer.json()["config"]["retrains"] == str(model.pk)
    run = Run.objects.exclude(pk=model.run_id).get()
    serve_all(run)
    assert run.state == Run.State.COMPLETED, run.reason
    again = ModelArtefact.objects.get(run=run)
    assert again.genome_hash == model.genome_hash and again.bundle_sha256
    tested = [again.metrics[f"test_accuracy_seed_{place}"] for place in (1, 2)]
    assert again.metrics["test_accuracy_seeds_mean"] == statistics.fmean(tested)
    assert again.parameters == 2 * (model.parameters or 0)
    assert TestVisit.objects.filter(run_id=run.pk).count() == 3, "two networks and the ensemble"
    assert retraining(owner, model)["visits"]["data"] == 4
    [row] = browser(owner).get(f"/api/v1/models?run={run.pk}").json()["results"]
    assert row["begins"] == [], "an ensemble is no single network to begin with"
    finish = " ".join(browser(owner).get(f"/api/v1/runs/{run.pk}").json()["finish"]["sentences"])
    assert "trained 2 times" in finish and "as an ensemble" in finish
    manifest = json.loads((files.run_dir(run.pk) / "model" / "manifest.json").read_text())
    assert manifest["retraining"]["ensemble"] is True
    assert manifest["metrics"] == again.metrics


def test_once_and_as_before_gives_the_same_network_and_with_the_validation_part_no_validation_score(
    owner: Any, model: ModelArtefact
) -> None:
    """The first of its trainings begins from the model's own seed, on the same division of the data."""
    body = changed(retraining(owner, model)["body"], export=False)
    both = changed(body, {"train_examples": 0}, train_on="train_and_validation")
    for asked in (body, both):
        answer = send(browser(owner), "post", "experiments", asked)
        assert answer.status_code == 201, answer.content
    runs = Run.objects.exclude(pk=model.run_id)
    for run in runs:
        serve_all(run)
        assert run.state == Run.State.COMPLETED, run.reason
    same, more = (ModelArtefact.objects.get(run=run) for run in sorted(runs, key=lambda run: run.created))
    assert same.metrics["test_accuracy"] == model.metrics["test_accuracy"]
    assert set(more.scores) == {"test"} and not [name for name in more.metrics if name.startswith("val_")]
    # What leaves examples out is refused, with the field that says it.
    refused = problems(send(browser(owner), "post", "experiments", changed(both, SMALL)))
    assert "leaves examples out" in refused["finale.training.train_examples"]


def test_what_is_no_retraining_of_that_model_is_refused(owner: Any, model: ModelArtefact) -> None:
    body = retraining(owner, model)["body"]
    eve = make_user("eve")
    assert browser(eve).get(f"/api/v1/models/{model.pk}/retraining").status_code == 404
    assert browser().get(f"/api/v1/models/{model.pk}/retraining").status_code in (401, 403)
    before = Experiment.objects.count()

    def refused(user: Any, **changes: Any) -> str:
        return problems(send(browser(user), "post", "experiments", {**body, **changes}))["retrains"]

    assert "you have no model" in refused(owner, retrains=str(uuid4()))
    assert "you have no model" in refused(eve)
    assert "models/{id}/retraining" in refused(owner, algorithms=[{"id": "given_architecture", "options": {}}])
    assert "models/{id}/retraining" in refused(owner, algorithms=[{"id": "darts", "options": {}}], space="", space_options={})
    assert "models/{id}/retraining" in refused(owner, algorithms=[*body["algorithms"], *body["algorithms"]])
    assert Experiment.objects.count() == before
    assert Event.objects.exclude(run_id=model.run_id).count() == 0

    # What cannot be trained again at all says why.
    ModelArtefact.objects.update(domains=[0, 1])
    assert "several data sets" in retraining(owner, model)["reason"]
    ModelArtefact.objects.update(domains=[0])
    Run.objects.update(config={"algorithm": "wann", "space": "neuron_graph", "datasets": ["digits"]})
    found = retraining(owner, ModelArtefact.objects.get())
    assert found["body"] is None and "its weights are the result" in found["reason"]
