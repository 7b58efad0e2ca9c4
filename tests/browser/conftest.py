"""Chromium, a running application, and tabs in it. Without Chromium the tests are skipped; with REQUIRE_SERVICES=1 they fail.

Pictures go to $NASCOPE_SCREENSHOTS, or var/screenshots. Package scope: Playwright keeps an event loop running in this thread as long as
it is open, which tests of other packages (asyncio, the ORM) must not meet.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from tests import small_mnist
from tests.absent import absent_service
from tests.patience import PATIENCE

from .server import ROOT, Server, running
from .visitor import Visitor, follow_link

CHROMIUM_OPTIONS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]
WINDOW = {"width": 1440, "height": 900}
BEFORE_LOGIN = r"status of 401.*/api/v1/me\)"
"""Nobody is logged in yet: the one question that a page asks anyway."""
expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        absent_service("Chromium", "install it (apt-get install chromium), or name the program with CHROMIUM")
    if not (ROOT / "webapp" / "static" / "ui" / "index.html").is_file():
        absent_service("the built front end", "make ui")
    return str(found)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS, timeout=1000 * PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    folder = Path(os.environ.get("NASCOPE_SCREENSHOTS") or ROOT / "var" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One application for all tests. Its data files are a small MNIST, made here; the others are missing."""
    folder = tmp_path_factory.mktemp("browser")
    files = small_mnist.write(folder / "data", train=200, test=40)
    with running(Server(folder / "home", more={"NASCOPE_DATA": str(files)})) as made:
        yield made


@pytest.fixture(scope="package")
def session(server: Server, browser: Browser) -> Any:
    """The cookies of the person who followed the printed link."""
    return follow_link(browser, server.link)


SMALL_DARTS: dict[str, Any] = {
    "algorithms": [{"id": "darts", "options": {"steps": 30, "batch_size": 32}}], "space": "cell",
    "space_options": {"nodes": 2, "search_cells": 3, "search_channels": 2}, "datasets": ["digits"], "seeds": [0],
    "finale": {"baselines": 1, "onnx": False, "training": {"epochs": 1, "channels": 4, "layers": 3}},
}
"""Every stage of a search, in seconds."""


@pytest.fixture(scope="package")
def finished_run(server: Server, browser: Browser, session: Any, screenshots: Path) -> str:
    """A small search with its result, for tests that look only."""
    context = browser.new_context(storage_state=session)
    visitor = Visitor(context.new_page(), server.origin, screenshots)
    visitor.open("/")
    run = visitor.start(**SMALL_DARTS)
    assert visitor.wait_for_run(run)["state"] == "completed"
    context.close()
    return run


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Tells fixtures, when they end, whether the test failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def tab(browser: Browser, server: Server, screenshots: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """Opens tabs of nobody in particular; keywords are those of a browser context. A failed test leaves a picture of each."""
    visitors: list[Visitor] = []

    def open_tab(origin: str = "", **options: Any) -> Visitor:
        options = {"viewport": WINDOW, "color_scheme": "light", "accept_downloads": True, **options}
        visitors.append(Visitor(browser.new_context(**options).new_page(), origin or server.origin, screenshots))
        return visitors[-1]

    yield open_tab
    failed = request.node.stash.get(FAILED, False)
    complaints: list[str] = []
    for number, visitor in enumerate(visitors):
        if failed:
            try:
                visitor.shot(re.sub(r"\W+", "-", f"failed-{request.node.name}-{number}"))
            except Error as error:
                print(f"no picture of the failure: {error}")
        complaints += visitor.unexpected()
        visitor.context.close()
    if failed:
        print("\n".join(["The console said:", *complaints]) if complaints else "The console said nothing.")
    else:
        assert complaints == [], "the browser's console complained"


@pytest.fixture
def stranger(tab: Callable[..., Visitor]) -> Visitor:
    """A tab without a session."""
    visitor = tab()
    visitor.expected.append(BEFORE_LOGIN)
    return visitor


@pytest.fixture
def admin(tab: Callable[..., Visitor], session: Any) -> Visitor:
    """A tab of the person who followed the printed link."""
    return tab(storage_state=session)
