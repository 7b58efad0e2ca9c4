"""Bad input: a clear error that names the field, and nothing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from webapp.api.experiment_body import plan
from webapp.core.models import Estimate, Event, Experiment, IdempotencyKey, Job, Run

from .api_world import API, BODY, browser, make_experiment, make_user, send

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_throttle_left() -> None:
    cache.clear()


@pytest.fixture
def client() -> Any:
    return browser(make_user("ada"))


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Experiment, Run, Job, Event, Estimate, IdempotencyKey))


CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"algorithms": [{"id": "no_such"}]}, "algorithms.0.id", "unknown_id"),
    ({"space": "no_such"}, "space", "unknown_id"),
    ({"datasets": ["no_such"]}, "datasets.0", "unknown_id"),
    ({"algorithms": [{"id": "regularized_evolution", "options": {"population": 0}}]}, "algorithms.0.options.population", "invalid"),
    ({"algorithms": [{"id": "random"}, {"id": "random", "options": {"window": 1000}}]}, "algorithms.1.options.window", "invalid"),
    ({"algorithms": [{"id": "random", "options": {"tempo": 3}}]}, "algorithms.0.options.tempo", "invalid"),
    ({"algorithms": []}, "algorithms", "invalid"),
    ({"algorithms": [{"id": "wann"}]}, "space", "incompatible"),
    ({"algorithms": [{"id": "darts"}], "space": "neuron_graph", "budget": None}, "space", "incompatible"),
    ({"algorithms": [{"id": "darts"}], "datasets": ["nb201_cifar10"], "budget": None}, "datasets.0", "incompatible"),
    ({"seeds": [-1]}, "seeds.0", "invalid"),
    ({"seeds": [1, 1]}, "seeds", "invalid"),
    ({"seeds": list(range(101))}, "seeds", "invalid"),
    ({"seeds": "1"}, "seeds", "invalid"),
    ({"budget": None}, "budget", "invalid"),
    ({"budget": {"trials": 3, "seconds": 4}}, "budget", "invalid"),
    ({"budget": {"trials": 0}}, "budget.trials", "invalid"),
    ({"training": {"learning_rate": 0}}, "training.learning_rate", "invalid"),
    ({"finale": {"training": {"epochs": 0}}}, "finale.training.epochs", "invalid"),
    ({"runtime": {"device": "tpu"}}, "runtime.device", "invalid"),
    ({"runtime": {"together": 65}}, "runtime.together", "invalid"),
    ({"runtime": {"together": 9}}, "runtime.together", "incompatible"),
    ({"runtime": {"together": 4, "amp": True}}, "runtime.together", "incompatible"),
    ({"runtime": {"together": 4}, "space": "sequence", "datasets": ["learn_to_count"]}, "runtime.together", "incompatible"),
    ({"runtime": {"together": 4}, "algorithms": [{"id": "deepswarm"}], "space": ""}, "runtime.together", "incompatible"),
    ({"runtime": {"together": 4}, "algorithms": [{"id": "darts"}], "budget": None}, "runtime.together", "incompatible"),
    ({"space_options": {"colour": 1}}, "space_options.colour", "invalid"),
    ({"dataset_options": [{"validation_share": 2}]}, "dataset_options.0.validation_share", "invalid"),
    ({"name": "x" * 201}, "name", "invalid"),
    ({"colour": "red"}, "colour", "invalid"),
]


def searched(algorithm: str, options: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"algorithms": [{"id": algorithm, "options": options}], "space": "", "budget": None, **more}


CASES += [
    (searched("variational", {"lambda_temp": 0}), "algorithms.0.options.lambda_temp", "invalid"),
    (searched("variational", {"posterior_temperature": -1}), "algorithms.0.options.posterior_temperature", "invalid"),
    (searched("variational", {"lambda_prior_l": -0.5}), "algorithms.0.options.lambda_prior_l", "invalid"),
    (searched("variational", {"lambda_likelihood_q": -1}), "algorithms.0.options.lambda_likelihood_q", "invalid"),
    (searched("gumbel_softmax", {"temperature_end": 0}), "algorithms.0.options.temperature_end", "invalid"),
    (searched("darts", {"partial_channels": 3}), "algorithms.0.options.partial_channels", "invalid"),
    (searched("dirichlet", {"partial_channels": 3}, space="nb201"), "algorithms.0.options.partial_channels", "invalid"),
    (searched("budgeted_supernet", {"budget": 0.0001}), "algorithms.0.options.budget", "invalid"),
    (searched("budgeted_supernet", {"budget": 1.5}), "algorithms.0.options.budget", "invalid"),
    (searched("darts", {}, datasets=["wine"]), "datasets.0", "incompatible"),
    (searched("lottery_ticket", {}, datasets=["wine"], space_options={"network": "cnn"}), "datasets.0", "incompatible"),
    (searched("wann", {}, datasets=["sincos"]), "datasets.0", "incompatible"),
    (searched("ard", {"threshold": 0}), "algorithms.0.options.threshold", "invalid"),
    (searched("adddel", {"overshoot": 0}), "algorithms.0.options.overshoot", "invalid"),
]
"""Of methods that move a structure by gradients or grow it: each left to its default space, unless that is the point."""


@pytest.mark.parametrize(("change", "field", "code"), CASES, ids=[f"{field}-{index}" for index, (_, field, _) in enumerate(CASES)])
def test_a_bad_field_is_named_and_nothing_is_stored(client: Any, change: dict[str, Any], field: str, code: str) -> None:
    body = {**BODY, **change}
    before = counts()
    for path in ("experiments", "estimates"):
        response = send(client, "POST", path, body, **{"Idempotency-Key": "once"})
        problem = response.json()
        assert response.status_code == 400, problem
        assert response["Content-Type"] == "application/problem+json"
        assert (problem["field"], problem["code"], problem["status"]) == (field, code, 400)
        assert field in [item["field"] for item in problem["problems"]]
        assert problem["detail"]
    assert counts() == before
    checked = send(client, "POST", "experiments/validate", body).json()
    assert not checked["valid"]
    assert [item["field"] for item in checked["problems"]] == [item["field"] for item in problem["problems"]]


def test_all_problems_at_once(client: Any) -> None:
    """One problem does not hide the next, also where the engine's check stops at its first."""
    body = {
        **BODY,
        "algorithms": [{"id": "darts", "options": {"epochs": -1, "batch_size": 0}}, {"id": "no_such"}],
        "space": "neuron_graph",
        "datasets": ["nb201_cifar10"],
        "budget": {"trials": 5},
        "seeds": [0, -3],
    }
    found = {item["field"]: item["code"] for item in send(client, "POST", "experiments/validate", body).json()["problems"]}
    assert found == {
        "algorithms.0.options.epochs": "invalid",
        "algorithms.0.options.batch_size": "invalid",
        "algorithms.1.id": "unknown_id",
        "space": "incompatible",
        "datasets.0": "incompatible",
        "budget": "incompatible",
        "seeds.1": "invalid",
    }


def test_what_cannot_be_trained_together_hides_no_other_problem(client: Any) -> None:
    """What the engine checks after it is checked with 1 in its place."""
    body = searched("darts", {"partial_channels": 3}, runtime={"together": 4}, name="", seeds=[1], datasets=["digits"])
    found = send(client, "POST", "experiments/validate", {**BODY, **body}).json()["problems"]
    assert {item["field"] for item in found} == {"runtime.together", "algorithms.0.options.partial_channels"}
    several = {**BODY, "runtime": {"together": 9}, "algorithms": [{"id": "random"}, {"id": "random", "options": {"window": 12}}]}
    (problem,) = send(client, "POST", "experiments/validate", several).json()["problems"]
    assert "Random search that is 8 (options.window)" in problem["message"]


def test_trials_trained_together_are_stored_and_told_apart(client: Any) -> None:
    sent = {**BODY, "runtime": {"together": 8}}
    made = send(client, "POST", "experiments", sent).json()
    assert made["config"]["runtime"]["together"] == 8
    assert send(client, "GET", f"runs/{made['runs'][0]['id']}").json()["config"]["together"] == 8
    estimates = [send(client, "POST", "estimates", body).json()["id"] for body in (sent, BODY, sent)]
    assert estimates[0] == estimates[2] != estimates[1]


def test_missing_data_files_say_what_to_put_where(client: Any, settings: Any, tmp_path: Path) -> None:
    settings.NASCOPE_DATA = tmp_path
    before = counts()
    response = send(client, "POST", "experiments", {**BODY, "datasets": ["fashion_mnist"]})
    problem = response.json()
    assert (response.status_code, problem["code"], problem["field"]) == (400, "missing_data", "datasets.0")
    assert str(tmp_path) in problem["detail"]
    assert counts() == before
    listed = {item["id"]: item for item in send(client, "GET", "datasets").json()}
    assert not listed["fashion_mnist"]["available"]
    assert listed["fashion_mnist"]["missing_files"]
    assert listed["digits"]["available"]


MALFORMED: list[tuple[bytes, int]] = [
    (b"{", 400),
    (b"", 400),
    (b"[]", 400),
    (b"null", 400),
    (b'"text"', 400),
    (b'{"seeds": [NaN]}', 400),
    (b'{"budget": {"samples": 1e999}}', 400),
    (b'{"name": "\\u0000"}', 400),
    (b'{"name": "\\ud800"}', 400),
    (b'{"name": "\xff"}', 400),
    (b"[" * 100_000, 400),
    (b'{"a":' * 200 + b"1" + b"}" * 200, 400),
    (b'{"seeds": [' + b"9" * 6_000 + b"]}", 400),
    (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413),
]


@pytest.mark.parametrize(("body", "status"), MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("path", ["experiments", "experiments/validate", "estimates", "tokens", "auth/login"])
def test_malformed_json_is_a_problem_not_a_crash(client: Any, body: bytes, status: int, path: str) -> None:
    before = counts()
    response = client.post(API + path, body, content_type="application/json")
    if path == "experiments/validate" and response.status_code == 200:
        # It was JSON, only not an experiment: then the answer is a list of problems.
        assert not response.json()["valid"]
    else:
        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"
    assert counts() == before


def test_another_content_type_is_415(client: Any) -> None:
    response = client.post(API + "experiments", "<a/>", content_type="text/xml")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("experiments?limit=0", "limit"),
        ("experiments?limit=many", "limit"),
        ("experiments?cursor=nonsense", "cursor"),
        ("runs?cursor=WzFd", "cursor"),
        ("runs?cursor=" + "A" * 1001, "cursor"),
        ("runs?experiment=nonsense", "experiment"),
        ("trials", "run"),
        ("trials?run=nonsense", "run"),
        ("trials?run={run}&order=colour", "order"),
        ("runs/{run}/events?after=-1", "after"),
        ("runs/{run}/events?after=99999999999999999999999", "after"),
        ("runs/{run}/events?limit=100000", "limit"),
        ("runs/{run}/structure?group=cell&edge=0", "group"),
    ],
)
def test_bad_query_parameters(client: Any, path: str, field: str) -> None:
    run = make_experiment(make_user("grace")).runs.get()
    Run.objects.update(owner=client.session["_auth_user_id"])
    response = send(client, "GET", path.format(run=run.pk))
    assert (response.status_code, response.json()["field"]) == (400, field)


def test_an_action_that_the_state_forbids_is_409_with_the_state(client: Any) -> None:
    run = make_experiment(make_user("grace")).runs.get()
    Run.objects.update(owner=client.session["_auth_user_id"])
    assert send(client, "POST", f"runs/{run.pk}/cancel").json()["state"] == "cancelled"
    before = counts()
    for action in ("pause", "resume", "cancel"):
        response = send(client, "POST", f"runs/{run.pk}/{action}")
        assert (response.status_code, response.json()["code"], response.json()["state"]) == (409, "wrong_state", "cancelled")
    assert send(client, "POST", f"runs/{run.pk}/clone", {"seed": -1}).json()["field"] == "seed"
    assert send(client, "POST", f"runs/{run.pk}/clone", {"speed": 1}).status_code == 400
    assert counts() == before


def test_where_no_space_is_named_the_first_algorithm_chooses_for_all() -> None:
    """One experiment has one space: a second algorithm that would choose another is a problem, not a second space."""
    both = {**BODY, "algorithms": [{"id": "random"}, {"id": "wann"}], "space": "", "datasets": [], "budget": {"samples": 1e6}}
    _, problems = plan(both, None)
    assert [(item.field, item.code) for item in problems] == [("space", "incompatible")]
    planned, problems = plan({**both, "algorithms": [{"id": "random"}]}, None)
    assert planned is not None, problems
    assert planned.normalised()["space"] == planned.runs[0].checked.space.id


def test_a_finale_given_in_part_keeps_the_rest_of_the_recipe() -> None:
    body = {**BODY, "algorithms": [{"id": "darts"}, {"id": "random"}], "space": "nb201", "datasets": ["digits"], "budget": {"samples": 1e4}}
    planned, _ = plan({**body, "finale": {"training": {"learning_rate": 0.1}}}, None)
    assert planned is not None
    for run in planned.runs:
        training = run.checked.config.finale.training
        assert (training.learning_rate, training.epochs) == (0.1, 12)
    # What the person left open is open in a clone too, for other algorithms have other recipes.
    assert planned.normalised()["finale"]["training"]["epochs"] is None


@pytest.mark.parametrize("given", [{}, {"learning_rate": 0.1}])
def test_a_run_says_which_fields_of_the_recipe_a_person_replaced(given: dict[str, float], client: Any) -> None:
    """As `result.json` does."""
    body = {**BODY, "algorithms": [{"id": "darts"}], "space": "nb201", "datasets": ["digits"], "budget": {"samples": 1e4}}
    made = send(client, "POST", "experiments", {**body, "finale": {"training": given}}).json()
    finish = send(client, "GET", f"runs/{made['runs'][0]['id']}").json()["finish"]
    if not given:
        assert finish["other_recipe"] is None
        return
    assert finish["other_recipe"]["fields"] == {"learning_rate": {"own": 0.05, "used": 0.1}}
    assert finish["other_recipe"]["meaning"] in finish["sentences"]


SHARED: dict[str, Any] = {
    "algorithms": [{"id": "random"}, {"id": "ard"}], "space": "plain", "datasets": ["digits"], "budget": {"samples": 1e5},
    "training": {"learning_rate": 0.02, "channels": 0}, "runtime": {"structure_every": 3},
}


def test_a_shared_setting_that_one_algorithm_uses_stands_for_the_others_too() -> None:
    """It is left out of the runs of those that do not use it, and said."""
    planned, problems = plan(SHARED, None)
    assert planned is not None, problems
    random, ticket = planned.runs
    assert (random.checked.config.training.learning_rate, random.checked.config.structure_every) == (0.02, 1)
    assert (ticket.checked.config.training.learning_rate, ticket.checked.config.structure_every) == (0.05, 3)
    assert (set(random.unused), set(ticket.unused)) == ({"structure_every"}, {"training.learning_rate"})
    assert planned.normalised()["training"]["learning_rate"] == 0.02, "the experiment keeps what the person gave"


def test_the_experiment_s_page_says_what_stays_unused(client: Any) -> None:
    made = send(client, "POST", "experiments", SHARED).json()
    assert sorted(made["unused"]) == [
        "Automatic relevance determination: not used there: training.learning_rate (it trains no candidates one by one; its own "
        "options say how its weights are trained).",
        "Random search: not used there: structure_every (it moves no super-network whose structure could be recorded).",
    ]
    assert send(client, "GET", f"experiments/{made['id']}").json() == made


def test_a_shared_setting_that_nobody_uses_is_refused() -> None:
    alone = {**SHARED, "algorithms": [{"id": "ard"}]}
    planned, problems = plan(alone, None)
    assert planned is None
    assert [(item.field, item.code) for item in problems] == [("training.learning_rate", "idle")]
    planned, problems = plan({**SHARED, "training": {"layers": 3}}, None)
    assert [(item.field, item.code) for item in problems] == [("training.layers", "idle")]
    planned, problems = plan({**alone, "training": {}, "algorithms": [{"id": "random"}], "runtime": {"structure_every": 3}}, None)
    assert [(item.field, item.code) for item in problems] == [("runtime.structure_every", "idle")]


def test_the_list_of_combinations_says_what_is_idle(client: Any) -> None:
    rows = client.get("/api/v1/compatibility").json()
    (row,) = [item for item in rows if (item["algorithm"], item["dataset"]) == ("lottery_ticket", "digits")]
    fields = {field for group in row["idle"] for field in group["fields"]}
    assert {"training.learning_rate", "runtime.max_failures"} <= fields and "finale.training.learning_rate" not in fields
