"""How large a request's body may be, decided before its first byte is kept: by the route, and by whether somebody is logged in.

Django writes a body to the disk before it looks at the address or asks who sends it; anybody could fill the disk. So nobody's body is read
beyond NASCOPE_MAX_ANONYMOUS_BODY_BYTES, and a logged-in person's not beyond what the route takes: a view says it as `largest_body`, and one
that does not say it takes what anybody may send. Above these sizes a request is answered 413 and its body is left unread; a body that does
not say its size is read up to there. A body of at most NASCOPE_MAX_BODY_BYTES stays in memory; a view that takes larger ones (uploads) gets
them from the disk, to which they go in pieces as they come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from io import BytesIO
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import Error
from django.urls import Resolver404, resolve

from webapp.accounts.credentials import is_somebody
from webapp.accounts.doors import of_the_administration
from webapp.api.problems import AWAY_SECONDS, CONTENT_TYPE, ProblemDocument, make, outage
from webapp.api.streamed import SCOPE, StreamedBody

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[..., Awaitable[Any]]


class _TooLarge(Exception):
    pass


class BodyLimit:
    """Stands around the application that answers HTTP."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reading = _Reading(scope, receive)
        try:
            if reading.declared:
                await reading.allow(reading.declared)
            if reading.streams:
                scope[SCOPE] = StreamedBody(reading.receive, asyncio.get_running_loop())
                await self.application(scope, _nothing(), send)
            else:
                await self.application(scope, reading.receive, send)
        except _TooLarge:
            await _answer(make(413, "too_large", reading.refusal), send)
        except Error as error:
            # Who sends it could not be asked: Django, which would say so, is not reached.
            document = await database_sync_to_async(outage)(error)
            if document is None:
                raise
            await _answer(document, send)


def _nothing() -> Receive:
    """What Django reads of a body that its view reads: the end at once. That the client left the view sees."""
    said = False

    async def receive() -> Any:
        nonlocal said
        if said:
            await asyncio.Event().wait()
        said = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


class _Reading:
    """One request's body on its way in."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.declared = max((int(value) for name, value in scope["headers"] if name == b"content-length" and value.isdigit()), default=0)
        self.largest = largest_body(scope["path"])
        self.streams = scope["method"] == "PATCH" and bool(_of_view(scope["path"], "streams_body", False))
        # A view that reads the body itself has asked who sends it before its first piece: to ask from here would wait for that view.
        self.allowed = self.largest if self.streams else min(self.largest, settings.NASCOPE_MAX_ANONYMOUS_BODY_BYTES)
        self._receive = receive
        self._read = 0
        self._asked = False

    @property
    def refusal(self) -> str:
        text = f"the request body is larger than {self.allowed:,} bytes, the most that is read here"
        return text if self.allowed >= self.largest else f"{text} without a login"

    async def receive(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            await self.allow(self._read)
        return message

    async def allow(self, size: int) -> None:
        """Raises _TooLarge where a body of so many bytes is not taken. Who sends it is asked only where it matters."""
        if self.allowed < size <= self.largest and not self._asked:
            self._asked = True
            if await database_sync_to_async(_is_somebody)(self.scope):
                self.allowed = self.largest
        if size > self.allowed:
            raise _TooLarge


def largest_body(path: str) -> int:
    """Bytes that the view at `path` takes from a logged-in person. Of an unknown address and of a page as much as from anybody."""
    return int(_of_view(path, "largest_body", settings.NASCOPE_MAX_ANONYMOUS_BODY_BYTES))


def _of_view(path: str, name: str, otherwise: Any) -> Any:
    """What the view at `path` says as `name`."""
    try:
        view = resolve(path).func
    except Resolver404:
        return otherwise
    if name == "largest_body" and of_the_administration(view):
        return settings.NASCOPE_MAX_BODY_BYTES
    return getattr(getattr(view, "cls", view), name, otherwise)


def _is_somebody(scope: Scope) -> bool:
    try:
        return is_somebody(ASGIRequest(scope, BytesIO()))
    except UnicodeDecodeError:
        return False  # the query string is no text: Django refuses the request


async def _answer(document: ProblemDocument, send: Send) -> None:
    body = document.model_dump_json().encode()
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    if document.status == 503:
        headers.append((b"retry-after", str(AWAY_SECONDS).encode()))
    await send({"type": "http.response.start", "status": document.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
