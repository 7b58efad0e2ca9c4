"""Query strings: every view says what it may be asked for, whatever else comes is a 400 that names it, and no value ends in a 500."""

from __future__ import annotations

import ast
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from django.urls import get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import webapp
from search_engine.base.errors import BadInput
from webapp.api import queries, records, runs
from webapp.api.pagination import keyset_page
from webapp.api.problems import Problem
from webapp.api.queries import Page, Query, ReadsQuery, asked_of, names_of, read
from webapp.core.models import Run, Trial

from .api_world import API, browser, fill, make_experiment, make_user, send

pytestmark = pytest.mark.django_db
FUZZ = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def run() -> Run:
    made = make_experiment(make_user("ada")).runs.get()
    fill(made)
    return made


@pytest.fixture
def client(run: Run) -> Any:
    return browser(run.owner)


def api_views() -> list[tuple[str, Any]]:
    """(path, view class) of every route of the API."""
    api = next(item for item in get_resolver().url_patterns if str(item.pattern) == "api/v1/")
    return [(str(item.pattern), item.callback.cls) for item in api.url_patterns if hasattr(item.callback, "cls")]


def asked_views() -> list[tuple[str, type[Query]]]:
    """(path, model) of every GET route; a model without fields takes nothing."""
    return [(path, asked_of(view(), "get")) for path, view in api_views() if hasattr(view, "get")]


def place(path: str, run: Run) -> str:
    """The path with the id of an object that is there."""
    if "<" not in path:
        return path
    ids = {
        "runs": run.pk, "experiments": run.experiment_id, "genomes": run.genomes.first().pk, "models": run.models.first().pk,
        "estimates": run.pk, "uploads": run.pk, "own-datasets": run.pk, "run-imports": run.pk,
        "predictions": run.pk,
    }  # fmt: skip
    path = path.replace("<slug:dataset>", "digits")
    path = path.replace("<slug:pk>", "nikulenkov-2022-table-3")
    return path.replace("<uuid:pk>", str(ids.get(path.split("/")[0])))


GOOD = {"group": "cell", "edge": "0", "at": "1"}
"""Of what must be given, values that can be answered; `run` is the run's id."""


def query_of(model: type[Query], run: Run) -> dict[str, str]:
    required = {field.alias or name for name, field in model.model_fields.items() if field.is_required()}
    return {name: str(run.pk) if name == "run" else GOOD[name] for name in required}


# ---------------------------------------------------------------- declared


def test_every_view_reads_its_query_string_by_a_model() -> None:
    for path, view in api_views():
        assert issubclass(view, ReadsQuery), path


def test_nobody_else_reads_a_query_string() -> None:
    """One place knows what a query string is: what reads it elsewhere reads what is not declared."""
    found = []
    for path in sorted(Path(webapp.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node, "attr", getattr(node, "id", ""))
            if name in ("query_params", "GET", "parse_qs", "parse_qsl", "QUERY_STRING"):
                found.append(path.relative_to(Path(webapp.__file__).parent).as_posix())
    # The last reads ?next=, as every login of Django does, and lets nothing through but an address of ours.
    assert set(found) <= {"api/queries.py", "live/consumer.py", "accounts/admin_site.py"}, found


def test_what_the_front_end_asks_for_is_declared() -> None:
    source = (Path(webapp.__file__).parents[1] / "frontend" / "src" / "api" / "resources.ts").read_text()
    declared = set().union(*(names_of(model) for _, model in asked_views()))
    known = {"cursor", "limit", "run", "order", "hash", "experiment", "after", "group", "edge", "from", "to", "every", "at", "part"}
    assert known == declared
    for name in ("experiment", "limit", "after", "order", "hash"):
        assert name in source, f"{name}: this test looks for what is asked for in another file than the front end asks in"


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(("path", "model"), asked_views(), ids=[path for path, _ in asked_views()])
def test_an_unknown_parameter_is_refused_by_every_view(client: Any, run: Run, path: str, model: type[Query]) -> None:
    answer = client.get(API + place(path, run), {**query_of(model, run), "colour": "red"})
    assert (answer.status_code, answer.json()["field"], answer.json()["code"]) == (400, "colour", "unknown_parameter")
    for name in names_of(model):
        assert name in answer.json()["detail"]


def test_methods_that_take_nothing_refuse_parameters_too(client: Any, run: Run) -> None:
    assert send(client, "POST", f"runs/{run.pk}/pause?force=1").json()["code"] == "unknown_parameter"
    assert Run.objects.get().state == "queued"


def test_a_parameter_that_comes_twice_is_refused(client: Any) -> None:
    answer = client.get(API + "runs?limit=1&limit=2")
    assert (answer.status_code, answer.json()["field"], answer.json()["detail"]) == (400, "limit", "limit: give it once")


def test_an_empty_value_is_none(client: Any) -> None:
    assert client.get(API + "runs?cursor=&limit=&experiment=").status_code == 200


def test_several_problems_are_told_at_once() -> None:
    with pytest.raises(Problem) as found:
        read({"limit": ["0"], "colour": ["red"], "run": ["x"]}, records.TrialsQuery)
    assert {item.field for item in found.value.document.problems or []} == {"limit", "colour", "run"}


def test_what_is_missing_is_said_as_it_is_written() -> None:
    with pytest.raises(Problem, match=r"run: is missing: \?run=\.\.\."):
        read({}, records.TrialsQuery)


@pytest.mark.parametrize("text", ["1_0", " 1", "1 ", "+1", "1.0", "1e2", "\u0663", "0x1", "9" * 5000, "-", "--1", "nan", "-0 "])
def test_a_number_is_written_in_digits(text: str) -> None:
    with pytest.raises(Problem) as found:
        read({"limit": [text]}, Page)
    assert found.value.document.field == "limit"


# ---------------------------------------------------------------- no value ends in a 500


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def raw(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


ID = "00000000-0000-4000-8000-000000000000"
BROKEN = [
    raw("[Infinity]"), raw("[-Infinity, 1]"), raw("[NaN]"), raw(f"[{'1' + '0' * 400}, 1]"), raw("[" * 700), "A" * 1001,
    cursor("0001-01-01T00:00:00+14:00", ID), cursor("9999-12-31T23:59:59-14:00", ID), cursor("9999-12-31T23:59:59", ID),
    cursor(5, ID), cursor("2026-01-01T00:00:00Z", 5.5), cursor("2026-01-01T00:00:00Z", "\x00"), cursor("\x00", ID), cursor(True),
    cursor(None), cursor(2**63), cursor(1.5), cursor("1"), cursor([1]), cursor({}), cursor(), raw("{}"), raw("1"), raw("null"),
    "é", "%00", "=", "A",
]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_cursor_of_no_list_is_refused_by_every_list(client: Any, run: Run, text: str) -> None:
    for path, model in asked_views():
        if not issubclass(model, Page):
            continue
        answer = client.get(API + place(path, run), {**query_of(model, run), "cursor": text})
        assert (answer.status_code, answer.json()["field"]) == (400, "cursor"), path


@pytest.mark.parametrize("moment", ["0001-01-02T00:00Z", "9999-12-30T00:00Z", "0001-01-01T00:00+00:00", "2026-05-05T05:05:05+14:00"])
def test_every_moment_that_exists_in_utc_can_be_asked_for(client: Any, moment: str) -> None:
    assert client.get(API + "runs", {"cursor": cursor(moment, ID)}).status_code == 200


def test_a_cursor_of_twenty_thousand_brackets_is_refused(client: Any) -> None:
    assert client.get(API + "runs", {"cursor": raw("[" * 20_000)}).status_code == 400


def test_the_reader_of_cursors_bounds_nesting_by_itself(run: Run) -> None:
    """Also where the length of the text would not."""
    query = Page.model_construct(cursor=raw("[" * 200_000), limit=5)
    with pytest.raises(BadInput):
        keyset_page(query, Trial.objects.all(), ("number",))


def test_what_no_database_can_hold_is_refused(client: Any, run: Run) -> None:
    for name, path in (("hash", f"genomes?run={run.pk}&hash=%00"), ("group", f"runs/{run.pk}/structure?edge=0&group=%00")):
        answer = client.get(API + path)
        assert (answer.status_code, answer.json()["field"]) == (400, name)
    assert client.get(API + f"genomes?run={run.pk}&hash=%ff%fe").status_code == 200, "what is no UTF-8 stands for no genome"


CURSORS = st.lists(st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=10), st.uuids().map(str)), max_size=3)
VALUES = st.one_of(
    st.text(max_size=40), st.integers().map(str), st.floats().map(str), st.uuids().map(str), st.datetimes().map(str),
    st.sampled_from(["", "0", "-1", "1" * 400, "\x00", "\ud7ff", "[" * 900, ID, "null", "true", "%00", "' OR 1=1 --", *BROKEN]),
    CURSORS.map(lambda row: cursor(*row)),
)  # fmt: skip


@FUZZ
@given(data=st.data())
def test_whatever_is_asked_for_is_answered_or_named(client: Any, run: Run, data: st.DataObject) -> None:
    path, model = data.draw(st.sampled_from([item for item in asked_views() if names_of(item[1])]))
    name = data.draw(st.sampled_from(sorted(names_of(model))))
    value = data.draw(VALUES)
    answer = client.get(API + place(path, run), {**query_of(model, run), name: value})
    assert answer.status_code in (200, 400, 404), (path, name, value)
    if answer.status_code == 400:
        assert answer.json()["field"] in (name, "group", "edge"), answer.json()


@FUZZ
@given(text=st.text(max_size=30))
def test_what_passes_as_text_can_be_stored(text: str) -> None:
    try:
        assert queries.Text(20).read(text) == text
    except ValueError:
        assert len(text) > 20 or "\x00" in text
    else:
        text.encode()


def test_a_page_s_own_cursor_is_read_back(client: Any, run: Run) -> None:
    """Of every kind of column that lists are sorted by; the walk itself is tested in test_api_records."""
    assert asked_of(runs.RunsView(), "get") is runs.RunsQuery
    for path in (f"trials?run={run.pk}&order=-value", f"trials?run={run.pk}", f"candidates?run={run.pk}", f"genomes?run={run.pk}"):
        first = client.get(API + path + "&limit=1").json()
        assert client.get(API + path + f"&cursor={first['next']}").status_code == 200, path
