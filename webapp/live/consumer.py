"""The WebSocket of one run: who may watch, from where, and a loop that sends what is said of the run (webapp.live.broadcast).

Every client takes it at its own pace: sending waits while the client's buffer is full, so a slow client is simply further behind and
holds nothing up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from search_engine.base.quoting import shortened
from webapp.accounts.credentials import Credential
from webapp.accounts.doors import open_to_anybody
from webapp.api.present import run_info, run_rows
from webapp.api.problems import Problem
from webapp.api.queries import LARGEST, Query, Text, Whole, read
from webapp.core.models import Run, WsTicket

from . import frames
from .broadcast import broadcast
from .watch import ended

log = logging.getLogger(__name__)

_LONGEST_REASON = 120
"""Characters of a reason: a close frame holds 123 bytes."""

TRY_AGAIN = 1011
BAD_REQUEST = 4400
LOGIN = 4401
FOREIGN_ORIGIN = 4403
ABSENT = 4404


class WatchQuery(Query):
    """Where a client goes on, and what lets it in where no cookie does."""

    after: Annotated[int, Whole(0, LARGEST)] = 0
    ticket: Annotated[str, Text(200)] = ""


class RunConsumer(AsyncWebsocketConsumer):
    """/ws/v1/runs/{id}/?after=SEQ, with the session cookie from an own origin, or with ?ticket=. Once the session or the token behind it
    ends, the socket ends within a heartbeat."""

    _sender: asyncio.Task[None] | None = None
    _guard: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        # A refusal before the handshake has no close code in a browser; accepting first tells it why.
        await self.accept()
        refusal = await self._refusal()
        if refusal is not None:
            await self.close(*refusal)
            return
        self._sender = asyncio.create_task(self._send_all())
        self._guard = asyncio.create_task(self._keep_watch())

    async def disconnect(self, code: int) -> None:
        for task in (self._guard, self._sender):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Clients have nothing to say: what they want stands in the address."""

    async def _refusal(self) -> tuple[int, str] | None:
        """Close code and reason, or None for somebody who may watch."""
        try:
            query = read(parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True), WatchQuery)
        except Problem as problem:
            return BAD_REQUEST, shortened(problem.document.detail, _LONGEST_REASON)
        except ValueError:
            return BAD_REQUEST, "too many parameters"
        # A foreign page's socket would carry the visitor's cookie; it cannot carry a ticket.
        if not query.ticket and not _own_origin(self.scope):
            return FOREIGN_ORIGIN, "this page may not open sockets here; other programs use ?ticket="
        credential = await database_sync_to_async(_credential)(self.scope, query.ticket)
        if credential is None:
            return LOGIN, "log in, or bring a fresh ticket"
        self._credential, self._after = credential, query.after
        self._run: UUID = self.scope["url_route"]["kwargs"]["run"]
        self._hello = await database_sync_to_async(_hello)(self._run, credential.user)
        return None if self._hello else (ABSENT, "there is no such run, or it is not yours")

    async def _keep_watch(self) -> None:
        """Close the socket once its client would not be let in any more. Beside the sending, which waits for slow clients."""
        end = LOGIN, "you were logged out, or what let you in was revoked"
        try:
            await ended(self._credential)
        except Exception:
            log.exception("whether a socket may stay open cannot be said")
            end = TRY_AGAIN, "something went wrong in the server; connect again"
        assert self._sender is not None
        self._sender.cancel()
        with contextlib.suppress(OSError, RuntimeError):
            await self.close(*end)

    async def _send_all(self) -> None:
        """Follow the run until the client leaves. A failure closes the socket: the client comes back and goes on from its number."""
        try:
            await self._follow()
        except OSError:
            return  # the client left while something was being sent
        except Exception:
            log.exception("following run %s failed", self._run)
            with contextlib.suppress(OSError, RuntimeError):
                await self.close(TRY_AGAIN, "something went wrong in the server; connect again")

    async def _follow(self) -> None:
        await self.send(self._hello)
        async with contextlib.aclosing(broadcast(self._run, self._after)) as texts:
            async for text in texts:
                await self.send(text)
        await self.close(ABSENT, "the run was deleted")


@open_to_anybody
class NoSuchSocket(AsyncWebsocketConsumer):
    """Every other address. Told as an absent run is: a refused handshake would tell a browser nothing."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(ABSENT, "there is no such socket")


def _credential(scope: Mapping[str, Any], ticket: str) -> Credential | None:
    """What lets the client in: the ticket that it brings, else its session. None where nothing does."""
    if ticket:
        row = WsTicket.redeem(ticket)
        credential = None if row is None else Credential.of_ticket(row)
    else:
        user = scope["user"]
        credential = Credential(user.pk, session=scope["session"].session_key) if user.is_authenticated else None
    return credential if credential is not None and credential.holds() else None


def _hello(run_id: UUID, user_id: int) -> str:
    """The only way in: the first frame of the run, if it is the user's; else nothing."""
    run = run_rows(Run.objects.filter(pk=run_id, owner_id=user_id)).first()
    return "" if run is None else frames.Hello(last_seq=run.counter.last_seq, run=run_info(run)).model_dump_json()


def _own_origin(scope: Mapping[str, Any]) -> bool:
    """Whether the page that opens the socket is ours: its Origin is the Host it talks to (or a trusted origin) and that host is allowed."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    if not origin or not host:
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin)
    allowed = settings.ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
    return parts.scheme in ("http", "https") and parts.netloc == host and validate_host(split_domain_port(host)[0], allowed)
