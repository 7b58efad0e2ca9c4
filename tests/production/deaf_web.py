"""PORT: serve as the web image does, but without looking every second: what arrives on a socket can only come by a wake-up."""

from __future__ import annotations

import sys

import uvicorn

import webapp.asgi  # noqa: F401  (sets Django up, so it comes first)
from webapp.events import tail
from webapp.serving.server import configuration

tail.FALLBACK_SECONDS = 3_600.0

if __name__ == "__main__":
    uvicorn.Server(configuration("127.0.0.1", int(sys.argv[1]), grace=3, pong_seconds=20.0)).run()
