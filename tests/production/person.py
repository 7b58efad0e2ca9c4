"""Somebody at a browser of the production stack: logs in with a password, calls the API, watches runs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets

from search_engine.events import FRAME_KINDS
from tests.patience import PATIENCE

from .stack import Stack

TERMINAL = ("completed", "failed", "cancelled")


class Person:
    """Made with `manage.py createsuperuser`, as docs/production.md says, and logged in."""

    def __init__(self, stack: Stack, name: str) -> None:
        password = f"the long password of {name}"
        words = ["createsuperuser", "--noinput", "--username", name, "--email", f"{name}@example.org"]
        stack.manage(*words, DJANGO_SUPERUSER_PASSWORD=password)
        self.stack = stack
        self.words = {"username": name, "password": password}
        self.client = httpx.Client(base_url=stack.origin, timeout=PATIENCE)
        self.log_in()

    def log_in(self) -> None:
        self.client.get("/")  # sets the CSRF cookie
        answer = self.send("POST", "auth/login", self.words)
        assert answer.status_code == 200, answer.text

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"X-CSRFToken": self.client.cookies.get("csrftoken", ""), "Origin": self.stack.origin}
        return self.client.request(method, f"/api/v1/{path}", json=body, headers=headers)

    def get(self, path: str) -> Any:
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(self, **experiment: Any) -> str:
        """Post an experiment of one run; the run's id."""
        answer = self.send("POST", "experiments", {"name": "production test", **experiment})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["runs"][0]["id"])

    def all_events(self, run: str) -> list[dict[str, Any]]:
        """The whole log over REST, page by page."""
        events: list[dict[str, Any]] = []
        while True:
            page = self.get(f"runs/{run}/events?after={len(events)}&limit=500")
            events += page["events"]
            if not page["has_more"]:
                return events

    def watch(self, run: str, after: int = 0) -> Watch:
        return Watch(self, run, after)


@dataclass
class Watch:
    """One socket after another on a run; ranges must follow one another without a gap."""

    person: Person
    run: str
    cursor: int
    events: list[dict[str, Any]] = field(default_factory=list)
    state: str = ""

    def open(self) -> Any:
        stack = self.person.stack
        headers = {"Cookie": f"nascope_session={self.person.client.cookies['nascope_session']}"}
        address = f"ws://127.0.0.1:{stack.port}/ws/v1/runs/{self.run}/?after={self.cursor}"
        return websockets.connect(
            address, additional_headers=headers, origin=stack.origin, max_size=None, open_timeout=PATIENCE, ping_interval=None  # type: ignore[arg-type]
        )

    def take(self, text: str | bytes) -> None:
        frame = json.loads(text)
        if frame["type"] == "events":
            assert frame["from_seq"] == self.cursor + 1, "a gap between two ranges"
            self.cursor = frame["to_seq"]
            self.events += frame["events"]
        elif frame["type"] in ("hello", "run"):
            self.state = frame["run"]["state"]

    def hear(self, until: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Listen until the condition holds; fails after `seconds`."""

        async def listen() -> None:
            async with asyncio.timeout(seconds), self.open() as link:
                while not until():
                    self.take(await link.recv())

        asyncio.run(listen())

    def same_as_stored(self) -> list[dict[str, Any]]:
        """The log over REST; it has no hole and, pictures of a moment aside (a socket may thin them), is what the socket said."""
        stored = self.person.all_events(self.run)
        assert [event["seq"] for event in stored] == list(range(1, len(stored) + 1))
        lasting = [[event for event in events if event["kind"] not in FRAME_KINDS] for events in (self.events, stored)]
        assert lasting[0] == lasting[1]
        return stored

    def to_the_end(self) -> None:
        """Until the run is over and its last event is here."""
        self.hear(lambda: self.state in TERMINAL)
        last = self.person.get(f"runs/{self.run}")["last_seq"]
        if self.cursor < last:
            self.hear(lambda: self.cursor >= last)


def wait_until_over(person: Person, run: str, seconds: float = PATIENCE) -> dict[str, Any]:
    """The run when it has ended, by asking."""
    until = time.monotonic() + seconds
    while (shown := person.get(f"runs/{run}"))["state"] not in TERMINAL:
        assert time.monotonic() < until, shown
        time.sleep(0.5)
    return shown  # type: ignore[no-any-return]
