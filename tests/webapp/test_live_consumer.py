"""The socket's loop in process: signs of life, and what happens when the server itself fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from tests.patience import PATIENCE
from webapp.core.models import WsTicket
from webapp.live import broadcast
from webapp.live.routing import routes

from .api_world import make_experiment, make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def opened() -> ApplicationCommunicator:
    """A socket that was accepted. (Channels' own communicator cannot be imported without daphne.)"""

    def prepare() -> tuple[Any, str]:
        owner = make_user("ada")
        return make_experiment(owner).runs.get().pk, WsTicket.issue(owner)

    run, ticket = await sync_to_async(prepare)()
    scope = {"type": "websocket", "path": f"/ws/v1/runs/{run}/", "query_string": f"ticket={ticket}".encode(), "headers": []}
    client = ApplicationCommunicator(URLRouter(routes), scope)
    await client.send_input({"type": "websocket.connect"})
    assert (await client.receive_output(PATIENCE))["type"] == "websocket.accept"
    return client


async def frame_type(client: ApplicationCommunicator) -> str:
    message = await client.receive_output(PATIENCE)
    assert message["type"] == "websocket.send"
    return str(json.loads(message["text"])["type"])


async def leave(client: ApplicationCommunicator) -> None:
    await client.send_input({"type": "websocket.disconnect", "code": 1000})
    await client.wait(PATIENCE)


async def test_a_quiet_run_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "PING_SECONDS", 0.3)
    client = await opened()
    assert [await frame_type(client) for _ in range(5)] == ["hello", "events", "run", "ping", "ping"]
    await leave(client)


async def test_a_failure_of_the_server_closes_the_socket_so_that_the_client_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(broadcast, "_run_text", broken)
    client = await opened()
    while (message := await client.receive_output(PATIENCE))["type"] == "websocket.send":
        pass
    assert (message["type"], message["code"]) == ("websocket.close", 1011)


async def test_what_a_client_says_is_ignored() -> None:
    client = await opened()
    await client.send_input({"type": "websocket.receive", "text": "[" * 1000})
    await client.send_input({"type": "websocket.receive", "bytes": b"\xff"})
    assert [await frame_type(client) for _ in range(3)] == ["hello", "events", "run"]
    await leave(client)
