"""The WebSocket of one run: who may watch, from where, and a loop that sends what is new.

Every client pulls at its own pace by its own cursor: sending waits while the client's buffer is full, so a slow client is simply
further behind and holds nothing up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http.request import split_domain_port, validate_host

from webapp.api.present import run_info, run_rows
from webapp.core.models import Run, WsTicket
from webapp.events.tail import CHUNK, tail

from . import frames
from .run_frames import RUN_SPACING, run_frames

if TYPE_CHECKING:
    from webapp.api.present import ReadyRun

log = logging.getLogger(__name__)

PING_SECONDS = 20.0
TICK_SECONDS = 0.1
"""How often a quiet connection looks whether something held back is due."""

TRY_AGAIN = 1011
BAD_REQUEST = 4400
LOGIN = 4401
FOREIGN_ORIGIN = 4403
ABSENT = 4404


class RunConsumer(AsyncWebsocketConsumer):
    """/ws/v1/runs/{id}/?after=SEQ, with the session cookie from an own origin, or with ?ticket=."""

    _sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        # A refusal before the handshake has no close code in a browser; accepting first tells it why.
        await self.accept()
        refusal = await self._refusal()
        if refusal is not None:
            await self.close(*refusal)
            return
        self._sender = asyncio.create_task(self._send_all())

    async def disconnect(self, code: int) -> None:
        if self._sender is not None:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Clients have nothing to say: what they want stands in the address."""

    async def _refusal(self) -> tuple[int, str] | None:
        """Close code and reason, or None for somebody who may watch."""
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        ticket = query.get("ticket", [""])[0]
        user: Any
        if ticket:
            row = await database_sync_to_async(WsTicket.redeem)(ticket)
            user = AnonymousUser() if row is None else row.user
        else:
            # A foreign page's socket would carry the visitor's cookie; it cannot carry a ticket.
            if not _own_origin(self.scope):
                return FOREIGN_ORIGIN, "this page may not open sockets here; other programs use ?ticket="
            user = self.scope["user"]
        if not user.is_authenticated:
            return LOGIN, "log in, or bring a fresh ticket"
        after = query.get("after", ["0"])[0]
        if not (after.isascii() and after.isdigit() and len(after) < 19):
            return BAD_REQUEST, "after must be the number of an event"
        self._after = int(after)
        run_id: UUID = self.scope["url_route"]["kwargs"]["run"]
        self._run: ReadyRun | None = await database_sync_to_async(_find)(run_id, user.pk)
        return None if self._run is not None else (ABSENT, "there is no such run, or it is not yours")

    async def _send_all(self) -> None:
        """Follow the run until the client leaves. A failure closes the socket: the client comes back and goes on from its number."""
        try:
            await self._follow()
        except OSError:
            return  # the client left while something was being sent
        except Exception:
            log.exception("following run %s failed", self.scope["url_route"]["kwargs"]["run"])
            with contextlib.suppress(OSError, RuntimeError):
                await self.close(TRY_AGAIN, "something went wrong in the server; connect again")

    async def _follow(self) -> None:
        run = self._run
        assert run is not None
        await self.send(frames.Hello(last_seq=run.counter.last_seq, run=run_info(run)).model_dump_json())
        pace = _Pace()
        sent, held = self._after, list[frames.Record]()
        async with contextlib.aclosing(tail(run.pk, self._after, idle=TICK_SECONDS)) as chunks:
            async for records in chunks:
                held += records
                # A full chunk means catching up: then one structure frame a chunk is thin enough, and waiting would only delay.
                cut = frames.thin(held, due=len(records) >= CHUNK or pace.structure_due())
                if cut is not None:
                    await self.send(frames.events_text(sent + 1, cut))
                    sent, held = cut.to_seq, cut.held
                    pace.spoke(structure=cut.structure)
                if pace.run_due():
                    text = await run_frames.newer(run.pk, pace.run_text)
                    if text is None:
                        await self.close(ABSENT, "the run was deleted")
                        return
                    if text != pace.run_text:
                        pace.run_text = text
                        await self.send(text)
                        pace.spoke()
                if pace.ping_due():
                    await self.send(_PING)
                    pace.spoke()


class _Pace:
    """When this client was last told what."""

    def __init__(self) -> None:
        self.run_text = ""
        self._spoke = time.monotonic()
        self._structure = self._run = float("-inf")

    def spoke(self, structure: bool = False) -> None:
        self._spoke = time.monotonic()
        if structure:
            self._structure = self._spoke

    def structure_due(self) -> bool:
        return time.monotonic() - self._structure >= frames.STRUCTURE_SPACING

    def ping_due(self) -> bool:
        return time.monotonic() - self._spoke >= PING_SECONDS

    def run_due(self) -> bool:
        due = time.monotonic() - self._run >= RUN_SPACING
        if due:
            self._run = time.monotonic()
        return due


_PING = frames.Ping().model_dump_json()


def _find(run_id: UUID, user_id: int) -> ReadyRun | None:
    """The only way in: the run, if it is the user's."""
    return run_rows(Run.objects.filter(pk=run_id, owner_id=user_id)).first()


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
