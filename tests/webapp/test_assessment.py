"""What stands beside a model's scores, over the API."""

from __future__ import annotations

import pytest

from webapp.core.models import Event, ModelArtefact

from .api_world import browser, fill, make_experiment, make_user, send

pytestmark = pytest.mark.django_db


def test_it_is_the_newest_that_the_finale_said_of_that_model() -> None:
    run = make_experiment(make_user("ada")).runs.get()
    fill(run)
    model = ModelArtefact.objects.get(run=run)
    client = browser(run.owner)
    found = send(client, "GET", f"models/{model.pk}/assessment").json()
    (part,) = found["parts"]
    assert found["warnings"] == ["It is the majority's."] and part["models"][0]["figures"][0]["value"] == 0.97
    assert part["confusion"]["counts"] == [[97, 1], [2, 0]] and part["mistakes"][0]["row"] == [{"name": "age", "value": 4.0}]
    # A kill may have it said twice; another model's is no matter of this one.
    event = Event.objects.get(run=run, kind="assessment")
    assert not event.science
    again = {"index": 0, "role": "finalist", "parts": [], "warnings": ["said again"]}
    for number, (source, data) in enumerate([("final:0", again), ("final:1", {})], start=1000):
        Event.objects.create(
            run=run, seq=event.seq + number, time=event.time, science=False, source=source, step=0, ordinal=0, kind="assessment", data=data
        )
    assert send(client, "GET", f"models/{model.pk}/assessment").json() == {"parts": [], "warnings": ["said again"]}


def test_a_model_of_before_has_none() -> None:
    run = make_experiment(make_user("ada")).runs.get()
    fill(run)
    Event.objects.filter(run=run, kind="assessment").delete()
    model = ModelArtefact.objects.get(run=run)
    assert send(browser(run.owner), "GET", f"models/{model.pk}/assessment").json() == {"parts": [], "warnings": []}
