"""The run page of searches on a table, on a server that has the table's file: two runs from the form, a population, replay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from .pictures import coloured_share, pixels
from .server import Server, running
from .visitor import Visitor, follow_link, panel, rows, trials_shown

pytestmark = pytest.mark.services
TRIALS = 200
TABLE: dict[str, Any] = {
    "algorithms": [{"id": "regularized_evolution", "options": {}}], "space": "nb201", "datasets": ["nb201_cifar10"], "seeds": [0],
    "budget": {"trials": TRIALS},
}


@pytest.fixture(scope="module")
def server(chromium: str, tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of their own: the server of the other tests has no such data."""
    with running(Server(tmp_path_factory.mktemp("tables") / "home", more={"NASCOPE_DATA": str(tables)})) as made:
        yield made


@pytest.fixture(scope="module")
def session(server: Server, browser: Browser) -> Any:
    return follow_link(browser, server.link)


@pytest.fixture(scope="module")
def table_run(server: Server, browser: Browser, session: Any, screenshots: Path) -> str:
    """A finished search on the table, for tests that look only."""
    context = browser.new_context(storage_state=session)
    visitor = Visitor(context.new_page(), server.origin, screenshots)
    visitor.open("/")
    run = visitor.start(**TABLE)
    assert visitor.wait_for_run(run)["state"] == "completed"
    context.close()
    return run


def test_from_the_form_to_a_population(admin: Visitor) -> None:
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
    best = admin.get(f"runs/{run}")["search_score"]
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
