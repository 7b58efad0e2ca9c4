"""A text for many clients is compressed and framed once for each way that clients agreed on."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.uri import parse_uri

from webapp.live.shared_text import SharedText
from webapp.serving.sockets import BoundedSocket

pytestmark = pytest.mark.asyncio


class Wire:
    """The transport between a socket and its client."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def get_extra_info(self, name: str) -> Any:
        return None


class Pair:
    """A socket and a client that have shaken hands."""

    def __init__(self, extensions: list[Any]) -> None:
        self.client = ClientProtocol(parse_uri("ws://127.0.0.1/"), extensions=extensions or None)
        self.server = BoundedSocket(config=uvicorn.Config(_application), server_state=ServerState(), app_state={})
        self.wire = Wire()

    async def __aenter__(self) -> Pair:
        self.server.connection_made(self.wire)  # type: ignore[arg-type]
        self.client.send_request(self.client.connect())
        self.server.data_received(b"".join(self.client.data_to_send()))
        await self.server.send({"type": "websocket.accept"})
        assert isinstance(self.heard(), Response)
        self.server.stop_keepalive()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.connection_lost(None)
        await asyncio.gather(*self.server.tasks)

    def heard(self) -> Any:
        for data in self.wire.written:
            self.client.receive_data(data)
        self.wire.written.clear()
        [event] = self.client.events_received()
        return event


async def _application(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


DEFLATE = ClientPerMessageDeflateFactory()
SMALLER = ClientPerMessageDeflateFactory(server_max_window_bits=9)


async def test_it_is_compressed_once_for_all_who_agreed_on_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    real = Frame.serialize

    def counted(self: Any, **options: Any) -> bytes:
        nonlocal made
        made += 1
        return real(self, **options)

    text = SharedText("what everybody is told, with ä and a long tail" + "x" * 5_000)
    async with contextlib.AsyncExitStack() as open_ones:
        agreed = ([DEFLATE], [DEFLATE], [SMALLER], [], [DEFLATE], [])
        pairs = [await open_ones.enter_async_context(Pair(extensions)) for extensions in agreed]
        monkeypatch.setattr(Frame, "serialize", counted)
        for pair in pairs:
            await pair.server.send({"type": "websocket.send", "text": text})
        sent = [pair.wire.written[0] for pair in pairs]
        assert made == 3
        assert sent[0] is sent[1] is sent[4] and sent[3] is sent[5]
        assert len(sent[0]) < 200 < len(sent[3])
        for pair in pairs:
            assert bytes(pair.heard().data).decode() == text


async def test_messages_before_and_after_are_their_own() -> None:
    """What a client was sent before takes no part in what it is sent next: or a shared message could not be read."""
    async with Pair([DEFLATE]) as pair:
        for text in ("a word of one's own " * 20, SharedText("a word for all " * 20), "a word of one's own " * 20, SharedText("the end")):
            await pair.server.send({"type": "websocket.send", "text": text})
            assert bytes(pair.heard().data).decode() == text


async def test_nothing_is_sent_behind_the_end_of_a_socket() -> None:
    async with Pair([DEFLATE]) as pair:
        await pair.server.send({"type": "websocket.close", "code": 1000})
        pair.wire.written.clear()
        with pytest.raises(RuntimeError, match="after sending"):
            await pair.server.send({"type": "websocket.send", "text": SharedText("too late")})
        assert pair.wire.written == []
