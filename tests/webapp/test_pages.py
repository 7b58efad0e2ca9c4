"""Every list of the API by keyset: whole and in order, each page one or a few ranges of an index on either database, as many queries for
many rows as for few."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from benchmarks.crowd import Size, build
from webapp.api.queries import Page
from webapp.core.models import Genome, Run, Trial

from .api_world import API, browser, make_user
from .test_queries import asked_views, place, query_of

pytestmark = pytest.mark.django_db
FEW = Size(runs=3, events=60, genomes=9, share=0.4, runs_of_experiment=2, workers=2)
MANY = Size(runs=60, events=600, genomes=300, share=0.4, runs_of_experiment=8, workers=8)
LIMIT = 7
STEPS_A_ROW = 20
"""Of SQLite's machine, at most; one takes about ten."""
MOST_QUERIES = 20
"""The snapshot of a run takes the most."""


def ways(model: type[Page], run: Run) -> Iterator[str]:
    """Every way to ask for a list: with and without each of its parameters."""
    queries = [""]
    for field_name, field in model.model_fields.items():
        if field_name in Page.model_fields:
            continue
        name = field.alias or field_name
        values = {
            "run": [str(run.pk)], "experiment": [str(run.experiment_id)], "order": list(get_args(field.annotation)),
            "from": ["2"],
            "hash": [str(Genome.objects.filter(run=run).first().hash)],  # type: ignore[union-attr]
        }[name]  # fmt: skip
        asked = [f"&{name}={value}" for value in values]
        queries = [query + one for query in queries for one in ([*asked] if field.is_required() else ["", *asked])]
    yield from queries


def every_list(run: Run) -> list[str]:
    """Addresses of every list in every way."""
    lists = [(place(path, run), model) for path, model in asked_views() if issubclass(model, Page)]
    return [f"{path}?limit={LIMIT}{query}" for path, model in lists for query in ways(model, run)]


def world(size: Size, name: str = "ada") -> tuple[Any, Run]:
    owner = make_user(name)
    build(owner, size)
    first = Run.objects.filter(owner=owner).order_by("-counter__candidates").first()
    assert first is not None
    return browser(owner), first


def test_the_lists_with_pages_are_these() -> None:
    """A new one is tested by being there; this says that the search for them finds them."""
    found = {path for path, model in asked_views() if issubclass(model, Page)}
    assert {"experiments", "runs", "trials", "candidates", "genomes", "models"} <= found


def test_every_page_is_read_from_an_index_and_nothing_beside_it() -> None:
    client, run = world(MANY)
    for address in every_list(run):
        pages = list(walked(client, address))
        few = "hash=" in address or (address.startswith("models") and "run=" in address)
        assert few or len(pages) > 1, f"{address}: one page proves nothing"
        for number, page in enumerate(pages):
            assert page.statements, "the statements that find a page's rows are recognised"
            for sql in page.statements:
                assert_one_range(sql, address, at_the_end=0 < number == len(pages) - 1)


def test_pages_of_any_size_hold_every_row_once_in_the_same_order() -> None:
    """Equal values, equal moments and nulls among them."""
    client, run = world(MANY)
    for address in every_list(run):
        small = [row for page in walked(client, address) for row in page.rows]
        large = [row for page in walked(client, address.replace(f"limit={LIMIT}", "limit=200")) for row in page.rows]
        assert small == large, address
        names = [row.get("number", row.get("id")) for row in small]
        assert len(set(names)) == len(names), address
    trials = Trial.objects.filter(run=run).order_by(F("value").desc(nulls_last=True), "number").values_list("number", flat=True)
    assert trials.filter(value=None).count() > 2 * LIMIT < trials.exclude(value=None).count()
    found = [row["number"] for page in walked(client, f"trials?run={run.pk}&order=-value&limit={LIMIT}") for row in page.rows]
    assert found == list(trials)


def test_every_answer_takes_as_many_queries_for_many_rows_as_for_few() -> None:
    """Or fewer: a page that is full needs no look behind it."""
    worlds = [world(size, name) for name, size in (("few", FEW), ("many", MANY))]
    found: dict[str, list[int]] = {}
    for path, model in asked_views():
        for client, run in worlds:
            page = {"limit": 200} if issubclass(model, Page) else {}
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(API + place(path, run), {**query_of(model, run), **page})
            assert answer.status_code in (200, 400, 404, 503), (path, answer.content)
            found.setdefault(path, []).append(len(captured))
    assert {path: counts for path, counts in found.items() if not counts[1] <= counts[0] <= MOST_QUERIES} == {}


class Walked(NamedTuple):
    """A page: its rows, and what found them."""

    rows: list[dict[str, Any]]
    statements: list[str]


def walked(client: Any, address: str) -> Iterator[Walked]:
    following: str | None = ""
    while following is not None:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(API + address + following)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        yield Walked(page["results"], [query["sql"] for query in captured if ' AS "pk"' in query["sql"]])
        following = None if page["next"] is None else f"&cursor={page['next']}"


def assert_one_range(sql: str, address: str, *, at_the_end: bool) -> None:
    """The rows that the database looks at are those of the page, and they come in order. Where next to nothing of a table is left behind
    the cursor, PostgreSQL may as well look through the rest by another index: its estimates are equal there."""
    if connection.vendor == "postgresql":
        nodes = [node for node in plan_of(sql) if node["Node Type"] != "Limit"]
        assert [node["Node Type"] for node in nodes] in (["Index Scan"], ["Index Only Scan"]), (address, sql, nodes)
        looked_at = nodes[0]["Actual Rows"] + nodes[0].get("Rows Removed by Filter", 0)
        assert at_the_end or looked_at <= LIMIT + 1, (address, sql, nodes)
    else:
        with connection.cursor() as cursor:
            plan = [row[-1] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}")]
            assert len(plan) == 1 and plan[0].startswith("SEARCH") and " INDEX " in plan[0], (address, sql, plan)
            steps = 0

            def step() -> int:
                nonlocal steps
                steps += 1
                return 0

            connection.connection.set_progress_handler(step, 1)
            try:
                cursor.execute(sql).fetchall()
            finally:
                connection.connection.set_progress_handler(None, 0)
        assert steps <= STEPS_A_ROW * (LIMIT + 1), (address, sql, steps)


def plan_of(sql: str) -> Iterator[dict[str, Any]]:
    """PostgreSQL's plan from the outside in, where it may neither sort nor read whole tables if that can be helped."""
    settings = ("enable_seqscan", "enable_sort", "enable_bitmapscan", "enable_incremental_sort")
    with connection.cursor() as cursor:
        for name in settings:
            cursor.execute(f"SET LOCAL {name} = off")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        found = cursor.fetchone()[0]
        for name in settings:
            cursor.execute(f"SET LOCAL {name} = on")
    node = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    while node is not None:
        yield node
        node = next(iter(node.get("Plans", [])), None)
