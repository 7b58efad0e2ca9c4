"""What a worker answers before a start: what it will cost, and what there is to know of the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.small_mnist import write_labelled
from webapp.core.models import Estimate, Job, Worker
from webapp.jobs import estimates
from webapp.jobs.session import Session
from webapp.jobs.tasks import serve_one

from .api_world import BODY, browser, make_user, send
from .searches import end

pytestmark = pytest.mark.django_db(transaction=True)
SMALL = {"space": "mlp", "budget": {"trials": 1}, "finale": {"baselines": 0}, "seeds": [5, 6]}


def answered(body: dict[str, Any]) -> dict[str, Any]:
    """The answer of a worker to an estimate of this body."""
    client = browser(make_user("ada"))
    asked = send(client, "POST", "estimates", {**BODY, **SMALL, **body})
    assert asked.status_code == 202, asked.content
    session = Session("cpu")
    try:
        assert serve_one(session)
    finally:
        end([session])
    found = send(client, "GET", f"estimates/{asked.json()['id']}").json()
    assert found["state"] == "done", found["reason"]
    return found["result"]  # type: ignore[no-any-return]


def test_unequal_classes_are_told_before_the_start(tmp_path: Path, settings: Any) -> None:
    settings.NASCOPE_DATA = str(write_labelled(tmp_path, [1] * 6 + [0] * 294, [1] + [0] * 59))
    result = answered({"datasets": ["mnist"], "dataset_options": [{"labels": [0, 1]}]})
    (sentence,) = result["data"]
    assert sentence.startswith("The classes are unequal: 98 % of the examples are '0', 2 % are '1'.") and "accuracy of 0.98" in sentence
    assert [run["seed"] for run in result["runs"]] == [5, 6]


def test_inputs_that_say_nothing_are_told_before_the_start(tmp_path: Path, settings: Any) -> None:
    settings.NASCOPE_DATA = str(write_labelled(tmp_path, [0, 1] * 100, [0, 1] * 20, blank=True))
    result = answered({"datasets": ["mnist"], "dataset_options": [{"labels": [0, 1]}]})
    assert result["data"][0] == "Every training input is the same: nothing can be learnt from the inputs."
    assert any("repeat the inputs of another" in sentence for sentence in result["data"])


def test_nothing_is_said_of_sound_data() -> None:
    assert answered({})["data"] == []
    assert Estimate.objects.get().result["data"] == []


QUESTION = {**BODY, **SMALL, "datasets": ["mnist"], "dataset_options": [{"labels": [0, 1]}]}


def post(what: str) -> Any:
    """What ada is answered."""
    return send(browser(User.objects.filter(username="ada").first() or make_user("ada")), "POST", what, QUESTION)


def asked() -> str:
    """The estimate that answers her question now."""
    answer = post("estimates")
    assert answer.status_code == 202, answer.content
    return str(answer.json()["id"])


@pytest.fixture
def answered_once(tmp_path: Path, settings: Any) -> tuple[str, Any]:
    """An estimate that was answered, and who answered it."""
    settings.NASCOPE_DATA = str(write_labelled(tmp_path, [0, 1] * 100, [0, 1] * 20))
    first = asked()
    assert asked() == first, "an open question is not asked twice"
    session = Session("cpu")
    assert serve_one(session)
    assert asked() == first, "an answer that holds is given again"
    return first, session


@pytest.mark.parametrize("change", ["worker", "rule", "release", "data"])
def test_an_answer_is_given_again_only_while_it_would_be_the_same(
    answered_once: tuple[str, Any], change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ceiling of a worker's memory, its machine and its device change with its process."""
    first, session = answered_once
    if change == "worker":
        end([session])
        assert not Worker.objects.exists()
    elif change == "data":
        file = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
        file.write_bytes(file.read_bytes())
    else:
        monkeypatch.setattr(estimates, {"rule": "RULE", "release": "__version__"}[change], "another")
    assert asked() != first
    assert Job.objects.filter(kind="estimate", state="ready").count() == 1
    if change != "worker":
        end([session])


def test_what_a_worker_refused_that_is_gone_refuses_nobody(answered_once: tuple[str, Any]) -> None:
    """Perhaps the next one may take more: the run itself is asked."""
    first, session = answered_once
    row = Estimate.objects.get(pk=first)
    row.result["runs"][0]["problem"] = {"field": "training.batch_size", "message": "too much", "code": "too_large"}
    row.save()
    assert post("experiments").status_code == 400
    end([session])
    assert post("experiments").status_code == 201
