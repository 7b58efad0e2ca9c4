"""PORT: serve as the web image does, but without looking every second: what arrives on a socket can only come by a wake-up."""

from __future__ import annotations

import sys

import uvicorn

from webapp.asgi import application  # sets Django up, so it comes first
from webapp.events import tail

tail.FALLBACK_SECONDS = 3_600.0

if __name__ == "__main__":
    uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), ws="websockets-sansio", log_level="warning")
