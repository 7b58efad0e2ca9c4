"""A real web process on the test database, and a client that keeps count of what it hears."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websockets
from django.conf import settings
from django.db import connection

from tests.patience import PATIENCE

from .api_world import browser

ROOT = Path(__file__).resolve().parents[2]
UNHURRIED: dict[str, Any] = {"open_timeout": PATIENCE, "ping_interval": None}
"""Options of a client's WebSocket without the library's own limits."""


@dataclass(frozen=True)
class Server:
    port: int
    pid: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, run: Any, query: str = "") -> str:
        return f"ws://127.0.0.1:{self.port}/ws/v1/runs/{run}/{'?' if query else ''}{query}"


@contextmanager
def serving(**more: str) -> Iterator[Server]:
    """The web process on a free port, on the database that the tests use; `more` are variables of its environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "NASCOPE_HOME": str(settings.NASCOPE_HOME), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    name = str(connection.settings_dict["NAME"])
    # The same suite runs on PostgreSQL where DATABASE_URL names one.
    given = urlsplit(os.environ.get("DATABASE_URL", "sqlite://"))
    environment["DATABASE_URL"] = f"sqlite:///{name}" if given.scheme == "sqlite" else given._replace(path=f"/{name}").geturl()
    command = ["manage.py", "serve", "--port", str(port), "--pong-seconds", str(PATIENCE)]
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**environment, **more})
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health/live", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.05)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def cookie(user: Any) -> dict[str, str]:
    """The session of `user` as a request header."""
    return {"Cookie": f"nascope_session={browser(user).cookies['nascope_session'].value}"}


@dataclass
class Ear:
    """Listens to a run; checks that the ranges follow one another without a gap, over any number of connections."""

    server: Server
    run: Any
    headers: dict[str, str]
    cursor: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)
    heard_at: dict[int, float] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    hellos: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Any]:
        address = self.server.url(self.run, f"after={self.cursor}")
        own = {"additional_headers": self.headers, "origin": self.server.origin}
        async with websockets.connect(address, max_size=None, **own, **UNHURRIED) as link:
            yield link

    def take(self, text: str) -> None:
        frame = json.loads(text)
        if frame["type"] == "hello":
            assert frame["protocol"] == 1
            self.hellos += 1
        elif frame["type"] == "events":
            assert frame["from_seq"] == self.cursor + 1, "a gap between two ranges"
            numbers = [record["seq"] for record in frame["events"]]
            assert numbers == sorted(set(numbers))
            assert all(frame["from_seq"] <= number <= frame["to_seq"] for number in numbers)
            assert frame["to_seq"] >= frame["from_seq"]
            self.cursor = frame["to_seq"]
            self.records += frame["events"]
            now = time.time()
            self.heard_at.update(dict.fromkeys(numbers, now))
        elif frame["type"] == "run":
            self.runs.append(frame["run"])
        else:
            assert frame == {"type": "ping"}

    async def hear(self, until: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Listen on one connection until the condition holds."""
        async with asyncio.timeout(seconds), self.open() as link:
            while not until():
                self.take(await link.recv())
