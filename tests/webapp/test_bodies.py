"""A body whose sender cannot be asked for: the database is away, or full."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError

from webapp.core import room
from webapp.serving import bodies


async def _answer(status_of: list[dict[str, Any]]) -> None:
    async def never(*_: Any) -> None:
        raise AssertionError("a body of nobody known is read")

    async def send(message: dict[str, Any]) -> None:
        status_of.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/experiments", "query_string": b"", "headers": [(b"content-length", b"100000")],
    }
    await bodies.BodyLimit(never)(scope, never, send)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("said", "status", "code"), [("server closed the connection", 503, "database_away"), ("disk is full", 507, "no_space")]
)
def test_a_database_that_cannot_be_asked_is_told(said: str, status: int, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(scope: Any) -> bool:
        raise OperationalError(said)

    monkeypatch.setattr(bodies, "_is_somebody", away)
    monkeypatch.setattr(room, "_refused", float("-inf"))
    sent: list[dict[str, Any]] = []
    async_to_sync(_answer)(sent)
    assert sent[0]["status"] == status and json.loads(sent[1]["body"])["code"] == code
    assert ((b"retry-after", b"2") in sent[0]["headers"]) == (status == 503)
