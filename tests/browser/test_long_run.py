"""A run of so many events that its page does not load them all: any moment of it is shown as it was, and replayed."""

from __future__ import annotations

import bisect
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from search_engine.events import decode_floats
from tests.patience import PATIENCE

from .server import ROOT, Server
from .visitor import Visitor, panel, trials_shown

pytestmark = [pytest.mark.services, pytest.mark.slow]
EVENTS, CANDIDATES = 24_000, 2_400
"""More events than a page loads in the background."""
VISIBLE = {"structure", "charts", "trial_told"}


@dataclass
class Truth:
    """What the run's own events say of any moment."""

    events: list[dict[str, Any]]

    def __post_init__(self) -> None:
        self.frames = [event for event in self.events if event["kind"] == "structure"]
        self.births = [event["seq"] for event in self.events if event["kind"] == "candidate_born"]
        self.ticks = {event["seq"] for event in self.events if event["kind"] in VISIBLE}

    def weights(self, at: int) -> list[str]:
        """Of every edge and operation, as the table writes them."""
        place = bisect.bisect_right(self.frames, at, key=lambda event: event["seq"])
        return [f"{weight:.2f}" for weight in decode_floats(self.frames[place - 1]["data"]["groups"]["normal"])]

    def candidates(self, at: int) -> int:
        return bisect.bisect_right(self.births, at)


@pytest.fixture(scope="module")
def long_run(server: Server) -> str:
    words = ("admin", "--events", str(EVENTS), "--candidates", str(CANDIDATES))
    done = subprocess.run(
        [sys.executable, "-m", "tests.webapp.long_run", *words], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**server.environment, "DJANGO_SETTINGS_MODULE": "webapp.settings"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def shown(page: Page) -> int:
    """The event whose moment is shown, once it is."""
    track = page.get_by_role("slider", name="Moment that is shown")
    expect(track).to_have_attribute("aria-busy", "false")
    return int(track.get_attribute("aria-valuenow") or "")


def go(page: Page, share: float) -> None:
    """Click on the time bar."""
    box = page.get_by_role("slider", name="Moment that is shown").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def look(visitor: Visitor, truth: Truth, at: int) -> None:
    """The page shows the structure and the candidates of that moment."""
    cells = panel(visitor.page, "Structure").locator("td span")
    expect(cells).to_have_text(truth.weights(at))
    visitor.wait(lambda: trials_shown(visitor.page) == truth.candidates(at), f"{truth.candidates(at)} candidates at event {at}")


@contextmanager
def held_moments(page: Page) -> Iterator[list[Route]]:
    """Answers about moments wait until the block is over."""
    held: list[Route] = []
    page.route("**/moment?*", lambda route: held.append(route))
    yield held
    for route in held:
        route.continue_()
    page.unroute("**/moment?*")


def test_any_moment_of_a_long_run_is_shown_as_it_was(admin: Visitor, long_run: str) -> None:
    page = admin.page
    admin.open("/")
    truth = Truth(admin.all_events(long_run))
    last = truth.events[-1]["seq"]
    assert last >= EVENTS
    admin.open(f"/runs/{long_run}?view=matrix&tried=table")
    expect(page.get_by_role("slider", name="Moment that is shown")).to_have_attribute("aria-valuetext", "the newest event")
    look(admin, truth, last)

    go(page, 0.4)
    middle = shown(page)
    # Where it lies in numbers depends on whether a keyframe was prepared before the run's made-up times were written.
    assert 1_000 < middle < last - 3_000
    look(admin, truth, middle)
    # What a snapshot leaves out of a candidate is fetched for the rows that are seen.
    expect(panel(page, "Population").locator(".trial-string").first).to_have_text(re.compile(r"\|"))

    page.keyboard.press("ArrowRight")
    here = shown(page)
    assert here > middle
    assert here in truth.ticks, "a step goes to another picture"
    look(admin, truth, here)

    page.get_by_label("Speed of the replay").select_option("30×")
    page.get_by_role("button", name="Play", exact=True).click()
    admin.wait(lambda: shown(page) > here + 1500, "play goes on beyond what was loaded")
    page.get_by_role("button", name="Stop", exact=True).click()
    stopped = shown(page)
    assert stopped < last
    look(admin, truth, stopped)
    page.wait_for_url(re.compile(f"[?&]t={stopped}(&|$)"))
    page.reload()
    assert shown(page) == stopped
    look(admin, truth, stopped)

    page.get_by_role("button", name="To the end").click()
    assert shown(page) == last
    look(admin, truth, last)
    page.wait_for_url(lambda url: "t=" not in url.split("?", 1)[1])


def test_while_a_moment_is_loaded_the_picture_before_it_stays(admin: Visitor, long_run: str) -> None:
    page = admin.page
    admin.open("/")
    truth = Truth(admin.all_events(long_run))
    last = truth.events[-1]["seq"]
    track = page.get_by_role("slider", name="Moment that is shown")
    admin.open(f"/runs/{long_run}?view=matrix&tried=table")
    look(admin, truth, last)
    with held_moments(page):
        go(page, 0.3)
        expect(track).to_have_attribute("aria-busy", "true")
        expect(page.get_by_text(re.compile("^loading event"))).to_be_visible()
        look(admin, truth, last)
        admin.both_themes("moment-loading")
    look(admin, truth, shown(page))

    admin.expected.append(r"ERR_FAILED")
    page.route("**/moment?*", lambda route: route.abort())
    go(page, 0.7)
    expect(page.get_by_text(re.compile("could not be loaded"))).to_be_visible()
    admin.shot("moment-failed")
    page.unroute("**/moment?*")
    page.get_by_role("button", name="Retry").click()
    look(admin, truth, shown(page))
    page.get_by_role("button", name="To the end").click()
    look(admin, truth, last)
