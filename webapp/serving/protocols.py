"""HTTP as uvicorn speaks it, with an end to what never ends.

uvicorn waits for ever for the rest of a head and of a body, takes a head of any length, and counts a connection only once its head is
whole: half-sent requests stay open, as many as somebody likes. All of that happens before an application is called, so the bounds stand
here. How large a body may be is for the application to say (webapp.serving.bodies); here its refusal reaches the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from webapp.api.problems import CONTENT_TYPE, make

from .stalls import EndsWhenStalled

BODY_BYTES_A_SECOND = 10_000
"""A body may take its seconds, and this pace beyond them."""
LINGER_SECONDS = 2.0
"""How long a client that still sends may read its refusal. Ended at once, the connection would be reset and the refusal lost."""


class BoundedHttp(EndsWhenStalled, HttpToolsProtocol):
    """A connection. It is *unfinished* from its beginning to the end of its first request, and from the first byte of each later one to its
    end; idle in between it is uvicorn's to end."""

    unfinished: ClassVar[set[BoundedHttp]] = set()
    """Of this process."""

    _timer: asyncio.TimerHandle | None = None
    _begun = False
    """Whether a byte of the request under way was seen."""
    _head_done = False
    _head_bytes = 0
    _body_bytes = 0
    _body_began = 0.0
    _deaf = False
    """An answer was given and the rest of what comes is dropped."""
    _keeps_alive = True

    # ---------------------------------------------------------------- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, error: Exception | None) -> None:
        self._finish()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        before = self._head_done
        super().data_received(data)
        if not self._deaf and not before and not self._head_done and self._begun:
            # All of it was head. What a parser holds of one endless line shows nowhere else.
            self._head_bytes += len(data)
            if self._head_bytes > settings.NASCOPE_MAX_HEADER_BYTES:
                self._refuse_head()
        if not self._deaf and not self._begun and self.cycle is not None and self.cycle.response_complete and self._timer is None:
            # Line ends between two requests begin none, and uvicorn has just forgotten that the connection is idle.
            self._in(settings.NASCOPE_HEADER_SECONDS, self._head_is_late)

    def handle_websocket_upgrade(self) -> None:
        if not self._deaf:
            self._finish()
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        if not self._deaf:
            super().send_400_response(msg)

    def _await_request(self) -> None:
        """Count the request that is to come. Refuses where too many are unfinished."""
        self._begun = self._head_done = False
        self._head_bytes = self._body_bytes = 0
        if len(self.unfinished) >= settings.NASCOPE_MAX_UNFINISHED:
            self._refuse(503, "busy", "too many requests are unfinished; try again")
            return
        self.unfinished.add(self)
        self._in(settings.NASCOPE_HEADER_SECONDS, self._head_is_late)

    def _finish(self) -> None:
        self.unfinished.discard(self)
        self._disarm()

    # ---------------------------------------------------------------- the request, as the parser finds it

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._deaf and self not in self.unfinished:
            self._await_request()
        self._begun = True

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._head_bytes += len(name) + len(value)

    def on_headers_complete(self) -> None:
        if self._deaf:
            return
        self._disarm()
        self._head_done = True
        if self._head_bytes > settings.NASCOPE_MAX_HEADER_BYTES:
            self._refuse_head()
            return
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            # An answer before the end of the body is no end of the connection yet: `on_response_complete`.
            self._keeps_alive, self.cycle.keep_alive = self.cycle.keep_alive, True
            self._body_began = self.loop.time()
            self._in(settings.NASCOPE_BODY_SECONDS, self._body_is_late)

    def on_body(self, body: bytes) -> None:
        if self._deaf:
            return
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._deaf:
            return
        self._finish()
        self._head_done = self._begun = False
        if self.cycle is not None:
            self.cycle.keep_alive = self.cycle.keep_alive and self._keeps_alive
            super().on_message_complete()

    def on_response_complete(self) -> None:
        if self.cycle.response_complete and self._head_done:
            self.server_state.total_requests += 1
            self._linger()
        else:
            super().on_response_complete()

    # ---------------------------------------------------------------- what ends it

    def _head_is_late(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # The answer to the request before is on its way.
            self._in(settings.NASCOPE_HEADER_SECONDS, self._head_is_late)
        elif self._begun:
            self._refuse(408, "too_slow", f"the head of a request took more than {settings.NASCOPE_HEADER_SECONDS:g} seconds")
        else:
            # Nobody asked anything: a browser that connects in advance takes an answer for one to its next request.
            self.transport.close()

    def _body_is_late(self) -> None:
        due = self._body_began + settings.NASCOPE_BODY_SECONDS + self._body_bytes / BODY_BYTES_A_SECOND
        left = due - self.loop.time()
        if self.flow.read_paused:
            left = settings.NASCOPE_BODY_SECONDS  # it is we who do not read
        if left > 0:
            self._in(left, self._body_is_late)
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(408, "too_slow", f"the body of a request took more than {settings.NASCOPE_BODY_SECONDS:g} seconds")

    def _refuse_head(self) -> None:
        most = settings.NASCOPE_MAX_HEADER_BYTES
        self._refuse(431, "head_too_large", f"the address and the headers of a request are larger than {most:,} bytes")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer without asking the application, and end the connection."""
        body = make(status, code, detail).model_dump_json().encode()
        lines = [b"content-type: " + CONTENT_TYPE.encode(), b"content-length: %d" % len(body), b"connection: close", b"", body]
        self.transport.write(STATUS_LINE[status] + b"\r\n".join(lines))
        if self.cycle is not None and not self.cycle.response_complete:
            # Whoever waits for the rest of the body is told that the client left.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._linger()

    def _linger(self) -> None:
        """Say that nothing more is said, and drop what still comes for a moment."""
        self._deaf = True
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._in(LINGER_SECONDS, self.transport.abort)

    def _in(self, seconds: float, action: Callable[[], Any]) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, action)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
