"""The run page of searches with trials, of a graph that grows, and of a page whose server goes away."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .server import Server
from .visitor import Visitor, panel

pytestmark = pytest.mark.services
TABLE = {"algorithms": [{"id": "regularized_evolution", "options": {}}], "space": "nb201", "datasets": ["nb201_cifar10"], "seeds": [0]}
SLOW_TRIALS = {
    "algorithms": [{"id": "random", "options": {}}], "space": "cell", "datasets": ["digits"], "seeds": [1], "budget": {"trials": 200},
    "training": {"epochs": 2, "channels": 4, "layers": 3}, "finale": {"onnx": False, "training": {"epochs": 1, "channels": 4, "layers": 2}},
}


def rows(page: Page) -> Locator:
    return panel(page, "Population").get_by_role("group", name=re.compile("^Trials"))


def trials_shown(page: Page) -> int:
    """How many trials the table says it has."""
    found = re.search(r"(\d+) rows", rows(page).get_attribute("aria-label") or "")
    assert found is not None
    return int(found[1])


@pytest.fixture(scope="module")
def table_run(server: Server, browser: Any, session: Any, screenshots: Path, data_dir: Path) -> str:
    """A finished search on the table, for tests that look only."""
    context = browser.new_context(storage_state=session)
    visitor = Visitor(context.new_page(), server.origin, screenshots)
    visitor.open("/")
    run = visitor.start(**TABLE, budget={"trials": 200})
    assert visitor.wait_for_run(run)["state"] == "completed"
    context.close()
    return run


def test_the_population_its_table_and_one_architecture(admin: Visitor, table_run: str) -> None:
    page = admin.page
    admin.open(f"/runs/{table_run}")
    expect(panel(page, "Population").get_by_role("img")).to_be_visible()
    panel(page, "Population").get_by_role("radio", name="Table").click()
    expect(rows(page)).to_be_visible()
    assert trials_shown(page) == 200
    rows(page).get_by_role("button").nth(3).click()
    inspector = page.get_by_role("complementary", name="Inspector")
    expect(inspector.get_by_role("heading", name=re.compile(r"Candidate \d+")).first).to_be_visible()
    expect(inspector.get_by_role("img", name=re.compile("^input: "))).to_be_visible()
    # The address carries what is shown: a reload shows it again.
    assert "candidate=" in page.url and "tried=" in page.url
    page.reload()
    expect(rows(page)).to_be_visible()
    expect(inspector.get_by_role("heading", name=re.compile(r"Candidate \d+")).first).to_be_visible()
    admin.both_themes("evolution-table")


def test_an_earlier_moment_shows_fewer_trials_and_live_shows_all(admin: Visitor, table_run: str) -> None:
    page = admin.page
    admin.open(f"/runs/{table_run}?tried=table")
    expect(rows(page)).to_be_visible()
    slider = page.get_by_role("slider", name="Moment that is shown")
    box = slider.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    admin.wait(lambda: 0 < trials_shown(page) < 200, "fewer trials are shown")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^(To the end|Back to live)$")).click()
    admin.wait(lambda: trials_shown(page) == 200, "all trials are shown again")


def test_pause_resume_and_cancel_from_the_page(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(**SLOW_TRIALS)
    admin.open(f"/runs/{run}")
    admin.wait(lambda: admin.get(f"runs/{run}")["counts"]["trials"] >= 1, "a first trial")
    page.get_by_role("button", name="Pause").click()
    admin.wait_for_run(run, "paused")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    told = admin.get(f"runs/{run}")["counts"]["trials"]
    page.get_by_role("button", name="Resume").click()
    admin.wait(lambda: admin.get(f"runs/{run}")["counts"]["trials"] > told, "a trial after the pause")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    assert admin.wait_for_run(run, "cancelled")["models"] == []
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the run").click()
    page.wait_for_url(re.compile("/experiments/"))


def test_a_growing_graph_and_its_four_numbers(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(
        algorithms=[{"id": "wann", "options": {"population": 24, "generations": 40, "batch_size": 200}}], space="neuron_graph",
        datasets=["digits"], seeds=[0], finale={"onnx": False},
    )
    admin.open(f"/runs/{run}")
    expect(panel(page, "Structure").locator("canvas").first).to_be_visible(timeout=120_000)
    admin.wait_for_run(run, "completed")
    result = panel(page, "Result")
    for name in ("random", "ensemble", "tuned", "trained"):
        expect(result.get_by_role("rowheader", name=re.compile(f"^{name}"))).to_be_visible(timeout=60_000)
    admin.both_themes("wann-finished")


def test_the_page_recovers_without_a_reload_when_the_web_process_is_killed(
    tab: Callable[..., Visitor], browser: Any, screenshots: Path, tmp_path: Path
) -> None:
    """A server of its own, because it is hurt: `kill -9` of the web process while a search is watched."""
    server = Server(tmp_path / "home", workers=1)
    try:
        server.start()
        visitor = tab(server.origin)
        visitor.expected += [r"401.*/api/v1/me", r"ERR_CONNECTION|WebSocket|Failed to (load|fetch)|50\d "]
        page = visitor.page
        page.goto(server.link)
        page.get_by_role("link", name="admin", exact=True).wait_for()
        run = visitor.start(**SLOW_TRIALS)
        visitor.open(f"/runs/{run}?tried=table")
        visitor.wait(lambda: rows(page).count() and trials_shown(page) >= 1, "a first trial")
        page.evaluate("window.__sameDocument = true")
        server.kill_web()
        expect(page.get_by_text(re.compile("reconnecting|offline"))).to_be_visible(timeout=60_000)
        seen = trials_shown(page)
        expect(page.get_by_text("LIVE", exact=True)).to_be_visible(timeout=120_000)
        visitor.wait(lambda: trials_shown(page) > seen, "trials go on")
        assert page.evaluate("window.__sameDocument") is True
        events = visitor.all_events(run)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    finally:
        server.stop()
