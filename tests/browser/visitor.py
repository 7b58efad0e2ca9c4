"""Somebody at a browser: one tab, what its console complained about, and the API with the tab's own session."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response, WebSocket

from tests.patience import PATIENCE

TERMINAL = ("completed", "failed", "cancelled")


@dataclass
class Subscription:
    """One WebSocket to a run: the last event that the page had when it asked to go on, and what the server sent."""

    after: int
    frames: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """First and last seq of each range of events."""
        return [(frame["from_seq"], frame["to_seq"]) for frame in self.frames if frame["type"] == "events"]

    def end_without_gap(self) -> int:
        """The last event that came. Fails where a range does not continue what was there."""
        last = self.after
        for first, end in self.ranges:
            assert first == last + 1, f"a gap or a repetition: events {first} to {end} came after {last}"
            last = end
        return last


@dataclass
class Visitor:
    """`complaints` must be empty at the end of a test, apart from those that match a pattern in `expected`."""

    page: Page
    origin: str
    screenshots: Path
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    """The page's WebSockets, in order."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.set_default_navigation_timeout(1000 * PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        self.page.on("response", self._answered)
        self.page.on("websocket", self._connected)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")

    def _connected(self, socket: WebSocket) -> None:
        subscription = Subscription(int(socket.url.rsplit("after=", 1)[1]))
        self.subscriptions.append(subscription)
        socket.on("framereceived", lambda frame: subscription.frames.append(json.loads(frame)))

    @property
    def frames(self) -> list[dict[str, Any]]:
        """What the server sent over all WebSockets, in order."""
        return [frame for subscription in self.subscriptions for frame in subscription.frames]

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.expected)]

    def open(self, path: str) -> None:
        self.page.goto(self.origin + path, wait_until="domcontentloaded")

    def get(self, path: str) -> Any:
        answer = self.context.request.get(f"{self.origin}/api/v1/{path}", timeout=1000 * PATIENCE)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text()}"
        return answer.json()

    def send(self, path: str, body: Any = None, status: int = 201) -> Any:
        """POST with the session's CSRF token; the status must be the given one."""
        token = next((cookie["value"] for cookie in self.context.cookies() if cookie["name"] == "csrftoken"), "")
        answer = self.context.request.post(
            f"{self.origin}/api/v1/{path}", data=body if body is not None else {}, timeout=1000 * PATIENCE,
            headers={"X-CSRFToken": token, "Origin": self.origin},
        )
        assert answer.status == status, f"{path}: {answer.status} {answer.text()}"
        return answer.json()

    def start(self, **experiment: Any) -> str:
        """Post an experiment of one run; the run's id."""
        return str(self.send("experiments", {"name": "browser test", **experiment})["runs"][0]["id"])

    def all_events(self, run: str) -> list[dict[str, Any]]:
        """The whole log over REST, page by page."""
        events: list[dict[str, Any]] = []
        while True:
            page = self.get(f"runs/{run}/events?after={len(events)}&limit=1000")
            events += page["events"]
            if not page["has_more"]:
                return events

    def run_of_page(self) -> str:
        """The id in the address, once the tab shows a run."""
        self.page.wait_for_url(re.compile(r"/runs/[0-9a-f-]+"))
        found = re.search(r"/runs/([0-9a-f-]+)", self.page.url)
        assert found is not None
        return found[1]

    def wait(self, ready: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Ask again and again until the answer is true; the page goes on living meanwhile."""
        until = time.monotonic() + seconds
        while not (answer := ready()):
            assert time.monotonic() < until, f"{what}: not within {seconds:.0f} s"
            self.page.wait_for_timeout(250)
        return answer

    def wait_for_run(self, run: str, *states: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Until the run is in one of the states (over, if none is given)."""
        wanted = states or TERMINAL

        def there() -> Any:
            shown = self.get(f"runs/{run}")
            assert shown["state"] in wanted or shown["state"] not in TERMINAL, f"the run is {shown['state']}: {shown['reason']}"
            return shown if shown["state"] in wanted else None

        return self.wait(there, f"run {'or '.join(wanted)}", seconds)  # type: ignore[no-any-return]

    def theme(self, name: str) -> None:
        """Light or dark through the button in the header."""
        if self.page.locator("html").get_attribute("data-theme") != name:
            self.page.get_by_role("banner").get_by_role("button", name=name.capitalize(), exact=True).click()
        self.page.wait_for_function(f"document.documentElement.dataset.theme === '{name}'")

    def shot(self, name: str) -> Path:
        """A picture of the window, for people to look at."""
        path = self.screenshots / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def both_themes(self, name: str) -> None:
        """Pictures in dark and light; the theme stays light."""
        for theme in ("dark", "light"):
            self.theme(theme)
            self.page.wait_for_timeout(150)  # canvases draw in the next frame
            self.shot(f"{name}-{theme}")


def panel(page: Page, name: str) -> Locator:
    """A titled part of the page."""
    return page.get_by_role("region", name=name, exact=True)


def rows(page: Page) -> Locator:
    """The table of trials on a run's page."""
    return panel(page, "Population").get_by_role("group", name=re.compile("^Trials, "))


def trials_shown(page: Page) -> int:
    """How many trials the table says it has."""
    found = re.search(r"(\d+) rows", (rows(page).get_attribute("aria-label") if rows(page).count() else "") or "0 rows")
    assert found is not None
    return int(found[1])


def follow_link(browser: Browser, link: str) -> Any:
    """The cookies of the person who follows a printed login link; it works once."""
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(link)
    page.get_by_role("link", name="admin", exact=True).wait_for()
    state = context.storage_state()
    context.close()
    return state
