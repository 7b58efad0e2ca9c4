"""What no schema speaks of: bytes that are no JSON, JSON that is a trap, numbers and text that break parsers, cursors of another list.
Every operation answers it or refuses, and never ends in an error of the server. (What the schemas say is test_schemathesis.) The examples
are the same at every run.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .every_operation import BODIES, DOCUMENT, OPERATIONS, World, title

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

TEXT = st.one_of(st.text(max_size=30), st.sampled_from(["", "\x00", "\ud7ff", "0", "null", "1e999", "../..", "x" * 5000, "%00", "\u0663"]))
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 2**31, 2**63, -(2**63), 10**400, 1e308, 5e-324, float("inf"), float("nan")])
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda part: st.one_of(st.lists(part, max_size=3), st.dictionaries(TEXT, part, max_size=3)), max_leaves=8,
)  # fmt: skip
NO_JSON = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"[", b"[" * 20_000, b'{"a":' * 3_000, b"\xff", b"1" * 9_000]))


def mutated(draw: Any, value: Any) -> Any:
    """The value with something else somewhere in it."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: mutated(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], mutated(draw, value[place]), *value[place + 1 :]]
    return draw(ANYTHING)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[title(path, method) for path, method in OPERATIONS])
@settings(
    max_examples=25, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_an_operation_answers_or_refuses(world: World, path: str, method: str, data: st.DataObject) -> None:
    operation = DOCUMENT["paths"][path][method]
    address, query, headers = path, {}, {}
    for item in operation.get("parameters", []):
        real = world.ids_of(path) if item["in"] == "path" else world.query.get(item["name"], [])
        wrong = st.one_of(TEXT, NUMBERS.map(str)) if item["in"] != "path" else st.uuids().map(str)
        value = data.draw(st.one_of(*[st.sampled_from(real)] * 3, wrong) if real else wrong)
        if item["in"] == "path":
            address = address.replace(f"{{{item['name']}}}", value)
        elif item.get("required") or data.draw(st.booleans()):
            (query if item["in"] == "query" else headers)[item["name"]] = value
    if not data.draw(st.integers(0, 9)):
        query[data.draw(TEXT)] = data.draw(TEXT)
    body = b""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if method != "get":
        right = BODIES[content["schema"]["$ref"].rsplit("/", 1)[1]] if content is not None else {}
        body = json.dumps(mutated(data.draw, right)).encode() if data.draw(st.booleans()) else data.draw(NO_JSON)
    headers = {name: value for name, value in headers.items() if value.isprintable() and value.isascii()}
    world.send(path, method, address, body, headers=headers, query_params=query)


def test_what_nobody_has_is_404(world: World) -> None:
    """So that the ids above are known to be real: others are not found."""
    run = world.ids_of("/api/v1/runs/{id}")[0]
    assert world.client.get(f"/api/v1/runs/{run}").status_code == 200
    assert world.client.get(f"/api/v1/runs/{uuid4()}").status_code == 404
