"""The run page of searches with trials, of a graph that grows, and of a page whose server goes away."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from .pictures import coloured_share, pixels
from .server import Server
from .visitor import Visitor, panel, trials_shown

pytestmark = pytest.mark.services
SLOW_TRIALS: dict[str, Any] = {
    "algorithms": [{"id": "random", "options": {}}], "space": "cell", "datasets": ["digits"], "seeds": [1], "budget": {"trials": 500},
    "space_options": {"nodes": 1}, "training": {"epochs": 1, "channels": 2, "layers": 2, "train_examples": 256},
}
"""Trials of parts of a second each, more of them than any test waits for."""


def test_a_reload_goes_on_behind_the_last_event(admin: Visitor) -> None:
    """Before and after a reload of a running search: what comes over the socket continues what REST gave, without a gap."""
    page = admin.page
    admin.open("/")
    run = admin.start(**SLOW_TRIALS)
    admin.open(f"/runs/{run}?tried=table")
    admin.wait(lambda: trials_shown(page) >= 3, "a few trials")
    for _ in range(2):
        shown, before = trials_shown(page), len(admin.subscriptions)
        page.reload()
        admin.wait(lambda old=before: any(len(now.ranges) >= 3 for now in admin.subscriptions[old:]), "events after the reload")
        admin.wait(lambda least=shown: trials_shown(page) > least, "more trials than before the reload")
        [now] = admin.subscriptions[before:]
        assert now.after > 0, "the page had asked for the past before it subscribed"
        now.end_without_gap()
    admin.send(f"runs/{run}/cancel", status=202)
    admin.wait_for_run(run, "cancelled")
    expect(page.get_by_text("cancelled").first).to_be_visible()


def test_pause_resume_cancel_clone_and_delete(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(**SLOW_TRIALS)
    admin.open(f"/runs/{run}?tried=table")
    admin.wait(lambda: trials_shown(page) >= 2, "two trials")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    admin.wait_for_run(run, "paused")
    told = admin.get(f"runs/{run}")["counts"]["trials"]
    page.wait_for_timeout(2000)
    assert admin.get(f"runs/{run}")["counts"]["trials"] == told
    admin.shot("run-paused")
    page.get_by_role("button", name="Resume").click()
    admin.wait(lambda: admin.get(f"runs/{run}")["counts"]["trials"] > told, "a trial after the pause")

    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    assert admin.get(f"runs/{run}")["state"] == "running"
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    assert admin.wait_for_run(run, "cancelled")["models"] == []
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    admin.shot("run-cancelled")

    page.get_by_role("button", name="Clone").click()
    admin.wait(lambda: run not in page.url, "the page of the copy")
    copy = admin.run_of_page()
    config, copied = (admin.get(f"runs/{item}")["config"] for item in (run, copy))
    assert copied.pop("seed") != config.pop("seed"), "the same seed would give the same search"
    assert copied == config
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    admin.wait_for_run(copy, "cancelled")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the run").click()
    page.wait_for_url(re.compile("/experiments/"))
    assert admin.context.request.get(f"{admin.origin}/api/v1/runs/{copy}").status == 404


@pytest.mark.slow
def test_a_growing_graph_and_its_four_numbers(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(
        algorithms=[{"id": "wann", "options": {"population": 32, "generations": 100, "batch_size": 200}}], space="neuron_graph",
        datasets=["digits"], seeds=[0], finale={"onnx": False},
    )
    # Pinned: what the panel shows by itself changes when the run is over, which may be at once.
    admin.open(f"/runs/{run}?view=growth")
    structure = panel(page, "Structure")
    generation = structure.get_by_text(re.compile(r"generation \d+"))
    expect(generation).to_be_visible()
    admin.wait(lambda: coloured_share(pixels(structure.locator("canvas").first)) > 0.0001, "the champion is drawn")
    first = generation.inner_text()
    admin.wait(lambda: generation.inner_text() != first or admin.get(f"runs/{run}")["state"] == "completed", "another champion, or the end")
    admin.wait_for_run(run, "completed")
    champions = [event["data"] for event in admin.all_events(run) if event["kind"] == "champion"]
    assert len(champions) > 1
    result = panel(page, "Result")
    for name in ("random", "ensemble", "tuned", "trained"):
        expect(result.get_by_role("row", name=re.compile(rf"^{name}.* 0\.\d{{4}}"))).to_be_visible()
    for name in ("linear regression", "small CNN"):
        expect(result.get_by_role("row", name=re.compile(rf"^{name}.* 0\.\d{{4}}")).first).to_be_visible()
    for title in ("Accuracy against the shared weight", "Each class against the shared weight"):
        result.get_by_role("button", name=f"{title}: show large").click()
        expect(page.get_by_role("dialog").get_by_role("img", name=re.compile(f"^{title}"))).to_be_visible()
        admin.shot(f"wann-{title.split()[0].lower()}")
        page.get_by_role("button", name="Close", exact=True).last.click()
    structure.get_by_role("radio", name="Charts").click()
    expect(structure.get_by_role("img", name=re.compile("^Fitness against connections"))).to_be_visible()
    admin.shot("wann-fronts")
    structure.get_by_role("radio", name="Champion").click()
    expect(structure.get_by_text(f"generation {champions[-1]['generation']}")).to_be_visible()
    admin.both_themes("wann-finished")


@pytest.mark.slow
def test_the_page_recovers_without_a_reload_when_the_web_process_is_killed(tab: Callable[..., Visitor], tmp_path: Path) -> None:
    """A server of its own, because it is hurt: `kill -9` of the web process while a search is watched."""
    server = Server(tmp_path / "home", workers=1)
    try:
        server.start()
        visitor = tab(server.origin)
        page = visitor.page
        page.goto(server.link)
        page.get_by_role("link", name="admin", exact=True).wait_for()
        run = visitor.start(**SLOW_TRIALS)
        visitor.open(f"/runs/{run}?tried=table")
        visitor.wait(lambda: trials_shown(page) >= 1, "a first trial")
        page.evaluate("window.sameDocument = true")
        # A refused connection is what the browser says about a server that is away.
        visitor.expected.append(r"ERR_CONNECTION_REFUSED|WebSocket connection to .* failed|Failed to load resource: net::")
        server.kill_web()
        expect(page.get_by_text(re.compile("^(reconnecting|offline)"))).to_be_visible()
        visitor.shot("reconnecting")
        seen = trials_shown(page)
        expect(page.get_by_text("LIVE", exact=True)).to_be_visible()
        visitor.wait(lambda: trials_shown(page) > seen, "trials go on")
        assert page.evaluate("window.sameDocument") is True
        # The page had the events up to the first subscription from REST; each later one asks for what follows the last event that it has.
        assert len(visitor.subscriptions) > 1, "a second connection"
        held = visitor.subscriptions[0].after
        for subscription in visitor.subscriptions:
            assert subscription.after == held
            held = subscription.end_without_gap()
        events = visitor.all_events(run)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        visitor.send(f"runs/{run}/cancel", status=202)
    finally:
        server.stop()


CUT = """() => [...document.querySelectorAll(".run-panels *")].filter((element) => {
  const style = getComputedStyle(element);
  const clipped = style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
  const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  const wide = element.scrollWidth > element.clientWidth + 1, high = element.scrollHeight > element.clientHeight + 1;
  return clipped && own && element.clientWidth > 0 && (wide || high);
}).map((element) => `${element.className}: ${element.textContent}`)"""
"""What is said in a panel and ends in three dots."""


def test_on_a_narrow_page_the_head_and_the_pinned_edge_stand_whole(tab: Callable[..., Visitor], session: Any, finished_run: str) -> None:
    """Nothing of them waits beside or below its box for somebody to push it in: the page alone scrolls."""
    visitor = tab(storage_state=session, viewport={"width": 360, "height": 900})
    visitor.open(f"/runs/{finished_run}?view=family:normal&edge=normal:0")
    page = visitor.page
    page.get_by_text("If derived now").wait_for()
    visitor.shot("narrow-pinned-edge")
    fits = "element => element.scrollWidth <= element.clientWidth + 1 && element.scrollHeight <= element.clientHeight + 1"
    for part in (".run-bar", ".inspector-body"):
        assert page.locator(part).evaluate(fits), part
    outer, triangle = page.locator(".run-inspector").bounding_box(), page.locator("canvas.simplex").bounding_box()
    assert outer and triangle and triangle["height"] > 80 and triangle["width"] > 100
    assert outer["x"] <= triangle["x"] and triangle["x"] + triangle["width"] <= outer["x"] + outer["width"] <= 360
    assert triangle["y"] + triangle["height"] <= outer["y"] + outer["height"]


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_that_a_panel_says_is_cut(width: int, tab: Callable[..., Visitor], session: Any, finished_run: str) -> None:
    visitor = tab(storage_state=session, viewport={"width": width, "height": 900})
    for view in ("family:normal", "derived", "matrix", "result"):
        visitor.open(f"/runs/{finished_run}?view={view}")
        visitor.page.get_by_text("finished").first.wait_for()
        assert visitor.page.evaluate(CUT) == []
        if view == "matrix":
            table = visitor.page.locator(".weight-matrix").first
            last = table.locator("thead th").last
            assert last.bounding_box() is not None
            if width == 1440:
                box, outer = last.bounding_box(), visitor.page.locator(".run-structure").bounding_box()
                assert box and outer and box["x"] + box["width"] <= outer["x"] + outer["width"], "the last column is there"
