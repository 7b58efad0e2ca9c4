"""The WebSocket as uvicorn speaks it, for texts that go to many."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from webapp.live.shared_text import SharedText

from .stalls import EndsWhenStalled

WINDOW_BITS = 12
"""Of compression, as uvicorn has them: 4 kB a message while it is made, and none in between."""


class BoundedSocket(EndsWhenStalled, WebSocketsSansIOProtocol):
    """A WebSocket whose messages are compressed each on its own (RFC 7692, server_no_context_takeover): what one client is sent does not
    depend on what it was sent before, so a `SharedText` is compressed and framed once for all of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.config.ws_per_message_deflate:
            self.conn.available_extensions = [
                ServerPerMessageDeflateFactory(
                    server_no_context_takeover=True,
                    server_max_window_bits=WINDOW_BITS,
                    client_max_window_bits=WINDOW_BITS,
                    compress_settings={"memLevel": 5},
                )
            ]

    async def send(self, message: Any) -> None:
        text = message.get("text")
        if isinstance(text, SharedText):
            # The same wait as uvicorn's: a client that does not read holds up its own sender.
            await self.writable.wait()
            if self.handshake_complete and not self.disconnected and not self.close_sent and self.conn.state is State.OPEN:
                self.transport.write(text.wire(self._way(), self._framed))
                return
        await super().send(message)

    def _way(self) -> tuple[Any, ...]:
        """What was agreed on with this client of how a message becomes bytes."""
        return tuple(
            (extension.name, extension.local_max_window_bits) if isinstance(extension, PerMessageDeflate) else extension
            for extension in self.conn.extensions
        )

    def _framed(self, data: bytes) -> bytes:
        return Frame(Opcode.TEXT, data).serialize(mask=False, extensions=self.conn.extensions)
