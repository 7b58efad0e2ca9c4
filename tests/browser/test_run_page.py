"""The run page of searches with trials, of a graph that grows, and of a page whose server goes away."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .pictures import coloured_share, pixels
from .server import Server
from .visitor import Visitor, panel

pytestmark = pytest.mark.services
TRIALS = 200
TABLE: dict[str, Any] = {
    "algorithms": [{"id": "regularized_evolution", "options": {}}], "space": "nb201", "datasets": ["nb201_cifar10"], "seeds": [0],
    "budget": {"trials": TRIALS},
}
SLOW_TRIALS: dict[str, Any] = {
    "algorithms": [{"id": "random", "options": {}}], "space": "cell", "datasets": ["digits"], "seeds": [1], "budget": {"trials": 500},
    "space_options": {"nodes": 1}, "training": {"epochs": 1, "channels": 2, "layers": 2, "train_examples": 256},
}
"""Trials of parts of a second each, more of them than any test waits for."""


def rows(page: Page) -> Locator:
    return panel(page, "Population").get_by_role("group", name=re.compile("^Trials, "))


def trials_shown(page: Page) -> int:
    """How many trials the table says it has."""
    found = re.search(r"(\d+) rows", (rows(page).get_attribute("aria-label") if rows(page).count() else "") or "0 rows")
    assert found is not None
    return int(found[1])


@pytest.fixture(scope="module")
def table_run(server: Server, browser: Browser, session: Any, screenshots: Path, data_dir: Path) -> str:
    """A finished search on the table, for tests that look only."""
    context = browser.new_context(storage_state=session)
    visitor = Visitor(context.new_page(), server.origin, screenshots)
    visitor.open("/")
    run = visitor.start(**TABLE)
    assert visitor.wait_for_run(run)["state"] == "completed"
    context.close()
    return run


def test_from_the_form_to_a_population(admin: Visitor, data_dir: Path) -> None:
    """Two algorithms chosen in the form become two runs; one of them is looked at closely."""
    page = admin.page
    admin.open("/new")
    page.get_by_role("group", name="Data set").get_by_role("radio", name="CIFAR-10 in NAS-Bench-201 (table)").check()
    algorithms = page.get_by_role("group", name="Algorithms")
    algorithms.get_by_role("checkbox", name="Random search").check()
    algorithms.get_by_role("checkbox", name="Regularized evolution").check()
    page.get_by_label("Budget in trials").fill(str(TRIALS))
    page.get_by_label("Name of the experiment").fill("two on the table")
    start = page.get_by_role("complementary", name="Start")
    expect(start).to_contain_text("2 runs")
    expect(start).to_contain_text("on this machine")
    start.get_by_role("button", name="Start 2 runs").click()
    page.wait_for_url(re.compile("/experiments/[0-9a-f-]+"))
    expect(page.get_by_role("heading", level=1, name="two on the table")).to_be_visible()
    runs = admin.get(f"experiments/{page.url.rstrip('/').rsplit('/', 1)[1]}")["runs"]
    by_algorithm = {run["algorithm"]["id"]: run["id"] for run in runs}
    for run in by_algorithm.values():
        admin.wait_for_run(run, "completed")
    expect(page.get_by_role("main").get_by_text("completed").first).to_be_visible()
    admin.both_themes("experiment-two-algorithms")

    run = by_algorithm["regularized_evolution"]
    page.locator(f"a[href='/runs/{run}']").first.click()
    population = panel(page, "Population")
    dots = population.get_by_role("img", name=re.compile(rf"^{TRIALS} individuals by birth"))
    expect(dots).to_be_visible()
    assert coloured_share(pixels(dots)) > 0.0005
    admin.both_themes("evolution-population")
    best = admin.get(f"runs/{run}")["best"]
    expect(page.get_by_role("main")).to_contain_text(f"{best['value']:.4f}")

    population.get_by_role("radio", name="Table").click()
    expect(rows(page)).to_be_visible()
    assert trials_shown(page) == TRIALS
    row = rows(page).get_by_role("button").nth(3)
    number = TRIALS - 1 - 3
    expect(row).to_contain_text(str(number))
    row.click()
    inspector = page.get_by_role("complementary", name="Inspector")
    expect(inspector.get_by_role("heading", level=2, name=f"Candidate {number}")).to_be_visible()
    trial = next(item for item in admin.get(f"trials?run={run}&limit={TRIALS}")["results"] if item["number"] == number)
    expect(inspector).to_contain_text(f"{trial['value']:.4f}")
    expect(inspector.get_by_role("group", name=re.compile("input to |: .* to "))).to_be_visible()

    # The address carries what is shown: a reload shows it again.
    page.reload()
    expect(inspector.get_by_role("heading", level=2, name=f"Candidate {number}")).to_be_visible()
    expect(rows(page)).to_be_visible()
    admin.both_themes("evolution-table")


def test_an_earlier_moment_shows_fewer_trials_and_live_shows_all(admin: Visitor, table_run: str) -> None:
    page = admin.page
    admin.open(f"/runs/{table_run}?tried=table")
    expect(rows(page)).to_be_visible()
    slider = page.get_by_role("slider", name="Moment that is shown")
    box = slider.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    admin.wait(lambda: TRIALS / 4 < trials_shown(page) < 3 * TRIALS / 4, "about half of the trials are shown")
    half = trials_shown(page)
    admin.shot("replay-middle")
    slider.press("ArrowLeft")
    admin.wait(lambda: trials_shown(page) <= half, "an earlier moment")
    slider.press("Home")
    admin.wait(lambda: trials_shown(page) < half / 4, "the beginning")
    page.get_by_role("button", name="To the end").click()
    admin.wait(lambda: trials_shown(page) == TRIALS, "all trials are shown again")

    # Replay runs by itself, from the beginning to the end.
    page.get_by_label("Speed of the replay").select_option(index=0)
    page.get_by_role("button", name="Replay").click()
    admin.wait(lambda: trials_shown(page) < TRIALS, "the replay begins early")
    admin.wait(lambda: trials_shown(page) == TRIALS, "all trials again")
    expect(page.get_by_role("button", name="Replay")).to_be_visible()


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


def test_a_growing_graph_and_its_four_numbers(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(
        algorithms=[{"id": "wann", "options": {"population": 32, "generations": 100, "batch_size": 200}}], space="neuron_graph",
        datasets=["digits"], seeds=[0], finale={"onnx": False},
    )
    admin.open(f"/runs/{run}")
    structure = panel(page, "Structure")
    generation = structure.get_by_text(re.compile(r"generation \d+"))
    expect(generation).to_be_visible()
    admin.wait(lambda: coloured_share(pixels(structure.locator("canvas").first)) > 0.001, "the champion is drawn")
    first = generation.inner_text()
    admin.wait(lambda: generation.count() == 0 or generation.inner_text() != first, "another champion")
    admin.wait_for_run(run, "completed")
    champions = [event["data"] for event in admin.all_events(run) if event["kind"] == "champion"]
    assert len(champions) > 1
    result = panel(page, "Result")
    for name in ("random", "ensemble", "tuned", "trained"):
        expect(result.get_by_role("row", name=re.compile(rf"^{name}.* 0\.\d{{4}}"))).to_be_visible()
    structure.get_by_role("radio", name="Champion").click()
    expect(structure.get_by_text(f"generation {champions[-1]['generation']}")).to_be_visible()
    admin.both_themes("wann-finished")


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
        expect(page.get_by_text("LIVE", exact=True)).to_be_visible(timeout=180_000)
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
