"""schemathesis over the OpenAPI document: every operation, with real ids and the cursors that lists give out as links, answers what the
document says or refuses, and never ends in an error of the server.

First what the bounds of the schemas suggest, then drawn requests, good ones and bad ones, the same at every run. Of each operation some
must have succeeded: one that is only ever refused has not been tested.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from .every_operation import BODIES, DOCUMENT, OPERATIONS, World, title

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

SEED = 20
EXAMPLES = 25
"""Drawn requests of each operation and mode."""
OCTETS = "application/offset+octet-stream"
FILE = "application/octet-stream"
HEADERS = {"Tus-Resumable": ["1.0.0"], "Upload-Offset": ["0"], "Upload-Length": ["9"]}
"""Right ones, by their names: of drawn ones no upload ever goes on."""
BOTH = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@schemathesis.serializer(OCTETS)
def octets(context: schemathesis.SerializationContext, value: object) -> object:
    """What a piece of an upload is sent as."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def operations() -> dict[str, APIOperation]:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    return {found.ok().label: found.ok() for found in schema.get_all_operations()}


@pytest.fixture
def world() -> World:
    return World()


def of_this_world(world: World, path: str, method: str, case: Case, chance: random.Random) -> None:
    """Real ids, cursors and bodies in most requests: of drawn ones nothing is ever found."""
    operation = DOCUMENT["paths"][path][method]
    for item in operation.get("parameters", []):
        part = {"path": case.path_parameters, "query": case.query, "header": case.headers}.get(item["in"])
        real = world.ids_of(path) if item["in"] == "path" else {"query": world.query, "header": HEADERS}[item["in"]].get(item["name"])
        if part is not None and real and (item["name"] in part or item.get("required")) and chance.random() < 0.8:
            part[item["name"]] = chance.choice(real)
    bodies = operation.get("requestBody", {}).get("content", {})
    if OCTETS in bodies and chance.random() < 0.8:
        case.body, case.media_type = b"width", OCTETS
    if FILE in bodies and chance.random() < 0.8:
        case.body, case.media_type = b"31,cook\n", FILE
    content = bodies.get("application/json")
    if content is not None and chance.random() < 0.3:
        case.body, case.media_type = BODIES[content["schema"]["$ref"].rsplit("/", 1)[1]], "application/json"


_OF_A_REQUEST = ("method", "url", "headers", "params", "data", "json", "files", "cookies")


def send(world: World, path: str, method: str, case: Case, chance: random.Random) -> int:
    """The case as schemathesis would send it, to this process; its false tokens and sessions only now and then."""
    words = case.as_transport_kwargs(base_url="http://testserver")
    ready = requests.Request(**{name: words[name] for name in _OF_A_REQUEST if name in words}).prepare()
    headers = {str(name): value if isinstance(value, str) else value.decode("latin-1") for name, value in ready.headers.items()}
    if chance.random() < 0.9:
        for credential in ("Authorization", "Cookie"):
            headers.pop(credential, None)
    body = ready.body.encode() if isinstance(ready.body, str) else ready.body or b""
    kind = headers.pop("Content-Type", case.media_type if case.media_type in (OCTETS, FILE) else "application/json")
    answer = world.send(path, method, ready.path_url, body, content_type=kind, headers=headers)
    case.validate_response(answer, checks=[content_type_conformance, response_schema_conformance])
    return answer.status_code


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[title(path, method) for path, method in OPERATIONS])
def test_an_operation_answers_or_refuses(path: str, method: str, world: World, operations: dict[str, APIOperation]) -> None:
    operation = operations[title(path, method)]
    answers: Counter[int] = Counter()
    chance = random.Random(SEED)
    config = operation.schema.config.generation_for(operation=operation, phase="coverage")
    for case in operation.schema.iter_coverage_cases(operation, generation_modes=BOTH, generation_config=config):
        if case.method.lower() == method:
            of_this_world(world, path, method, case, chance)
            answers[send(world, path, method, case, chance)] += 1

    what = DOCUMENT["paths"][path][method]
    # Without a parameter, a body or a login nothing of a request can be wrong.
    modes = BOTH if what.get("parameters") or "requestBody" in what or what.get("security") else BOTH[:1]
    for mode in modes:

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate], database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode), choices=st.integers(0, 2**32))
        def drawn(case: Case, choices: int) -> None:
            chance = random.Random(choices)
            of_this_world(world, path, method, case, chance)
            answers[send(world, path, method, case, chance)] += 1

        drawn()
    print(title(path, method), dict(answers))
    assert any(200 <= status < 300 for status in answers), f"only refused: {dict(answers)}"
