"""A body that a view reads piece by piece as it comes, instead of getting it whole (webapp.serving.bodies hands it over)."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from django.db import connection
from rest_framework.request import Request

SCOPE = "nascope.body"
"""Where the request's scope holds it."""
PIECE = 1 << 16


class ClientLeft(Exception):
    """It sends no more, although the body has not ended."""


class StreamedBody:
    """The pieces of one body. They are read in the view's thread, each when the one before is written: the web process holds no more of a
    body than the few kilobytes that the connection reads ahead."""

    def __init__(self, receive: Callable[[], Awaitable[Any]], loop: asyncio.AbstractEventLoop) -> None:
        self._receive = receive
        self._loop = loop
        # Reading on, the server watches the connection anew, in the context in which it was asked to; whatever comes on that connection
        # afterwards is answered in it. It must not be the view's: that ends with the view, and with it the executor that it names.
        self._context = contextvars.copy_context()

    def pieces(self) -> Iterator[bytes]:
        """Raises ClientLeft where it ends too early."""
        more = True
        while more:
            message = self._context.run(asyncio.run_coroutine_threadsafe, self._next(), self._loop).result()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            if message.get("body"):
                yield message["body"]
            more = message.get("more_body", False)

    async def _next(self) -> Any:
        return await self._receive()


def pieces_of(request: Request) -> Iterator[bytes]:
    """The body of a request to a view with `streams_body`."""
    plain: Any = request._request
    body: StreamedBody | None = getattr(plain, "scope", {}).get(SCOPE)
    if body is None:
        while piece := plain.read(PIECE):
            yield piece
        return
    # A body may take minutes, and connections to a database are few.
    connection.close()
    yield from body.pieces()
