"""The atlas in a browser: the list, a figure with the live picture of one's own run, a table, and the form that a button opens."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .pictures import coloured_share, pixels
from .server import Server
from .visitor import Visitor

pytestmark = pytest.mark.services
GRID: dict[str, Any] = {
    "algorithms": [{"id": "grid", "options": {}}], "space": "two_convolutions", "datasets": ["digits"], "seeds": [0], "folds": 2,
    "space_options": {"first_filters": [2, 4], "second_filters": [2, 4, 8]}, "training": {"epochs": 1, "train_examples": 128},
    "finale": {"baselines": 0, "export": False, "redundancy": False, "training": {"epochs": 1, "train_examples": 128}},
}  # fmt: skip
TABLE = "/atlas/nikulenkov-2022-table-3"


@pytest.fixture(scope="module")
def grid_run(server: Server, browser: Browser, session: Any, screenshots: Any) -> str:
    context = browser.new_context(storage_state=session)
    visitor = Visitor(context.new_page(), server.origin, screenshots)
    visitor.open("/")
    run = visitor.start(**GRID)
    assert visitor.wait_for_run(run)["state"] == "completed"
    context.close()
    return run


def fits(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing sticks out at the side"


@pytest.mark.parametrize("width", [1440, 360])
def test_from_the_list_to_one_s_own_run(width: int, grid_run: str, tab: Callable[..., Visitor], session: Any) -> None:
    visitor = tab(storage_state=session, viewport={"width": width, "height": 900})
    page = visitor.page
    visitor.open("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Atlas").click()
    expect(page.get_by_role("heading", level=1, name="Atlas")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(19)
    first = page.get_by_role("article", name=re.compile("^Figure 1:"))
    expect(first.get_by_role("link", name="every point of the plane that a grid search tried")).to_have_attribute(
        "href", re.compile(f"/runs/{grid_run}")
    )
    fits(page, width)
    visitor.shot(f"atlas-list-{width}")
    first.get_by_role("link", name=re.compile("^Figure 1:")).click()
    plane = page.get_by_role("img", name=re.compile("^The plane of two decisions: 6 of 6 points tried; best "))
    expect(plane).to_be_visible()
    assert coloured_share(pixels(plane)) > 0.001
    expect(page.get_by_text("6 of 6 points tried; ring = best so far")).to_be_visible()
    fits(page, width)
    page.get_by_role("heading", level=1).scroll_into_view_if_needed()
    visitor.shot(f"atlas-figure-1-{width}")
    page.get_by_role("link", name="Open the run").click()
    expect(page.get_by_role("img", name=re.compile("^The plane of two decisions"))).to_be_visible()
    visitor.shot(f"plane-{width}")


@pytest.mark.parametrize("width", [1440, 360])
def test_a_table_says_what_is_published_measured_here_and_not_run_yet(width: int, tab: Callable[..., Visitor], session: Any) -> None:
    visitor = tab(storage_state=session, viewport={"width": width, "height": 900})
    page = visitor.page
    visitor.open(TABLE)
    table = page.get_by_role("table", name=re.compile("^Speed-up and loss of accuracy"))
    row = table.get_by_role("row", name=re.compile("^Speed-up, times published"))
    expect(row).to_contain_text("2.31")
    expect(row).to_contain_text("recomputed 2.320")
    expect(table.get_by_role("row", name=re.compile("yours"))).to_have_count(2)
    here = table.get_by_role("row", name=re.compile("measured here once"))
    expect(here).to_have_count(2)
    expect(here.first).to_contain_text("n = 4 pairs of equal seeds")
    # Of four data sets two were measured here, none by this person.
    expect(table.get_by_text("not run yet")).to_have_count(2 * (2 + 4))
    expect(page.get_by_role("region", name="MNIST")).to_contain_text("Measured here once: Compressed evolution on MNIST")
    expect(page.get_by_text("A slip of the source")).to_be_visible()
    expect(page.get_by_role("region", name="CIFAR-100")).to_contain_text("Its files are not on this machine")
    fits(page, width)
    visitor.shot(f"atlas-table-3-{width}")
    visitor.open("/atlas/nikulenkov-2022-figure-12")
    expect(page.get_by_role("button", name=re.compile("Mean time of a run: show large"))).to_be_visible()
    fits(page, width)
    visitor.shot(f"atlas-figure-12-{width}")


def test_a_button_opens_the_form_with_folds(admin: Visitor) -> None:
    admin.open("/atlas/nikulenkov-2022-figure-01")
    page = admin.page
    page.get_by_role("link", name="Grid search over two convolutions").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("experiment")
    training = page.get_by_text(re.compile("^Training"), exact=False).first
    training.scroll_into_view_if_needed()
    field = page.get_by_label("Folds", exact=True)
    if not field.is_visible():
        training.click()
    expect(field).to_have_value("5")
    admin.shot("form-folds")


def test_a_trial_s_folds_stand_beside_its_score(grid_run: str, admin: Visitor) -> None:
    admin.open(f"/runs/{grid_run}?candidate=0")
    inspector = admin.page.get_by_role("complementary", name="Inspector")
    expect(inspector.get_by_text("sd over 2 folds")).to_be_visible()
    metrics = admin.get(f"candidates?run={grid_run}&from=0&limit=1")["results"][0]["metrics"]
    expect(inspector).to_contain_text(f"{metrics['val_accuracy_fold_1']:.4f}, {metrics['val_accuracy_fold_2']:.4f}")
    admin.shot("inspector-folds")


def test_what_is_not_there_says_so(admin: Visitor) -> None:
    admin.expected.append(r"status of 404.*/api/v1/atlas/no-such-thing")
    admin.open("/atlas/no-such-thing")
    expect(admin.page.get_by_role("heading", name="The atlas has no such page")).to_be_visible()
