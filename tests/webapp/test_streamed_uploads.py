"""The body of an upload through the whole application: taken piece by piece as it comes, kept as far as it came, and never held."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from tests.patience import PATIENCE
from webapp.asgi import application
from webapp.core.models import ApiToken, Dataset
from webapp.jobs import own_data, own_files

from .api_world import make_user
from .following import close_connections
from .own_world import OCTETS

pytestmark = pytest.mark.django_db(transaction=True)
PIECE = 1 << 16


@pytest.fixture(autouse=True)
def _connections() -> Iterator[None]:
    yield
    close_connections()


@pytest.fixture
def token() -> str:
    return ApiToken.issue(make_user("ada"), "laptop", "write")[1]


def begun(size: int) -> Dataset:
    from django.contrib.auth import get_user_model

    return own_data.begin(get_user_model().objects.get(), size, "kinds.csv")


def connection(row: Dataset, token: str, offset: int, length: int | None) -> ApplicationCommunicator:
    """A PATCH whose head has come. `length` None: in pieces of which nobody said how many there are."""
    headers = [
        (b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode()), (b"content-type", OCTETS.encode()),
        (b"upload-offset", str(offset).encode()), (b"tus-resumable", b"1.0.0"),
    ]  # fmt: skip
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    path = f"/api/v1/uploads/{row.pk}"
    scope = {
        "type": "http", "method": "PATCH", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers,
        "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    return ApplicationCommunicator(application, scope)


async def send(client: ApplicationCommunicator, piece: bytes, more: bool = True) -> None:
    await client.send_input({"type": "http.request", "body": piece, "more_body": more})


async def answered(client: ApplicationCommunicator) -> tuple[int, dict[str, str], bytes]:
    head = await client.receive_output(PATIENCE)
    body = await client.receive_output(PATIENCE)
    return head["status"], {name.decode().lower(): value.decode() for name, value in head["headers"]}, body.get("body", b"")


async def until(reached: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await sync_to_async(reached)():
            await asyncio.sleep(0.02)


def test_what_came_before_the_line_broke_stays(token: str) -> None:
    content = os.urandom(3 * PIECE)
    row = begun(len(content))

    async def scenario() -> tuple[int, dict[str, str], bytes]:
        client = connection(row, token, 0, len(content))
        await send(client, content[:PIECE])
        # It lies in its file before the rest has come.
        await until(lambda: own_files.received(row.pk) == PIECE)
        await client.send_input({"type": "http.disconnect"})
        await until(lambda: Dataset.objects.get().received == PIECE)
        await client.wait(PATIENCE)
        again = connection(row, token, PIECE, 2 * PIECE)
        await send(again, content[PIECE : 2 * PIECE])
        await send(again, content[2 * PIECE :], more=False)
        return await answered(again)

    status, headers, _ = asyncio.run(scenario())
    assert (status, headers["upload-offset"]) == (204, str(len(content)))
    assert own_files.source(row.pk).read_bytes() == content
    assert Dataset.objects.get().state == "uploaded"


def test_bytes_beyond_what_was_said_are_refused_as_they_come(token: str) -> None:
    row = begun(PIECE + 10)

    async def scenario() -> tuple[int, dict[str, str], bytes]:
        client = connection(row, token, 0, None)
        await send(client, bytes(PIECE))
        await send(client, bytes(PIECE))
        return await answered(client)

    status, _, body = asyncio.run(scenario())
    assert status == 413 and b"nothing of this request is kept" in body
    assert own_files.received(row.pk) == 0


def test_a_second_writer_is_told_while_the_first_one_writes(token: str) -> None:
    row = begun(2 * PIECE)

    async def scenario() -> int:
        first = connection(row, token, 0, 2 * PIECE)
        await send(first, bytes(PIECE))
        await until(lambda: own_files.received(row.pk) == PIECE)
        status, _, _ = await answered(connection(row, token, PIECE, PIECE))
        await send(first, bytes(PIECE), more=False)
        assert (await answered(first))[0] == 204
        return status

    assert asyncio.run(scenario()) == 423


def test_a_refusal_does_not_wait_for_the_body(token: str) -> None:
    row = begun(10 * PIECE)

    async def scenario() -> list[int]:
        wrong = (await answered(connection(row, token, 5, PIECE)))[0]
        nobody = (await answered(connection(row, "nascope_invented", 0, PIECE)))[0]
        return [wrong, nobody]

    assert asyncio.run(scenario()) == [409, 401]


def test_the_process_holds_no_more_of_a_large_body_than_of_a_small_one(token: str) -> None:
    """64 MB, and the memory afterwards and meanwhile."""
    size = 64 * 1024 * 1024
    row = begun(size)
    piece = bytes(PIECE)
    process = psutil.Process()

    async def scenario() -> int:
        client = connection(row, token, 0, size)
        await send(client, piece)
        await until(lambda: own_files.received(row.pk) == PIECE)
        before = process.memory_info().rss
        largest = before
        for number in range(1, size // PIECE):
            await send(client, piece, more=number + 1 < size // PIECE)
            if number % 64 == 0:
                # A line has so much room, and no more: wait as it would.
                sent = (number + 1) * PIECE
                await until(lambda sent=sent: own_files.received(row.pk) == sent)
                largest = max(largest, process.memory_info().rss)
        assert (await answered(client))[0] == 204
        return largest - before

    assert asyncio.run(scenario()) < 16 * 1024 * 1024
    assert own_files.received(row.pk) == size
