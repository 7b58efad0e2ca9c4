"""The one configuration of the web server, whoever starts it."""

from __future__ import annotations

import uvicorn
from django.conf import settings

from .protocols import BoundedHttp
from .sockets import BoundedSocket

WORDS_OF_A_SOCKET = 4_096
"""Bytes of a WebSocket's message from a client: they have nothing to say."""
IDLE_SECONDS = 75
"""How long a connection between two requests is kept. Longer than pools of clients keep one (httpx 5 s, aiohttp 15 s, nginx and load
balancers 60 s): whoever ends first must be the client, or its next request meets a connection that is being closed and is lost."""


def configuration(host: str, port: int, *, grace: int, pong_seconds: float) -> uvicorn.Config:
    """`grace`: seconds that open requests may take when the process is asked to end; `pong_seconds`: those that a WebSocket's client may
    take to answer a ping."""
    module, _, name = settings.ASGI_APPLICATION.rpartition(".")
    return uvicorn.Config(
        f"{module}:{name}",
        host=host,
        port=port,
        http=BoundedHttp,
        ws=BoundedSocket,
        timeout_keep_alive=IDLE_SECONDS,
        ws_max_size=WORDS_OF_A_SOCKET,
        ws_ping_timeout=pong_seconds,
        # Left to itself uvicorn believes every X-Forwarded-For that comes from this machine. Ours is read by webapp.accounts.guesses.
        proxy_headers=False,
        server_header=False,
        limit_concurrency=settings.NASCOPE_MAX_CONNECTIONS,
        timeout_graceful_shutdown=grace,
        log_level="warning",
        access_log=False,
    )
