"""An algorithm that searches several data sets, from the form to one download for each of them."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .test_forms import choice, start_button
from .visitor import Visitor, panel

pytestmark = pytest.mark.services
SMALL = {"Population": "4", "Tournaments per task": "3", "Threshold": "0", "Minibatches T": "5", "Scored again at the end": "2"}
"""Two tasks and their controls in seconds."""


def data_set(page: Page, number: int) -> str:
    """Which data set stands at a place of the list."""
    return page.get_by_label(f"Data set {number}", exact=True).input_value()


def classes(page: Page, number: int) -> str:
    return page.locator(f"#field-dataset_options-{number - 1}-labels").input_value()


@pytest.mark.slow
def test_pathnet_on_two_halves_of_digits(admin: Visitor, tmp_path: Path) -> None:
    page = admin.page
    admin.open("/new?dataset=digits")
    box = page.get_by_role("complementary", name="Start")
    choice(page, "Search space", "Columns of modules").check()
    # One list of data sets for the whole experiment: beside an algorithm that takes one, PathNet is closed.
    closed = choice(page, "Algorithms", "PathNet")
    expect(closed).to_be_disabled()
    expect(closed).to_have_accessible_description(re.compile("one experiment has one list of data sets"))
    closed.locator("xpath=ancestor::div[contains(@class, 'choice')][1]").get_by_role("button", name="Search with it alone").click()
    expect(closed).to_be_checked()
    assert [data_set(page, 1), data_set(page, 2)] == ["digits", "digits"]
    assert [classes(page, 1), classes(page, 2)] == ["0, 1, 2, 3, 4", "5, 6, 7, 8, 9"]

    # Too few, then two whose images do not have one shape: said at the list, and Start is refused.
    page.get_by_role("button", name="Remove data set 2").click()
    listed = page.get_by_role("group", name="Data sets in order")
    expect(listed.get_by_role("alert")).to_have_text("PathNet searches 2 to 8 data sets in order, not 1. Add 1 more.")
    expect(start_button(page)).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Add a data set").click()
    expect(page.get_by_label("Data set 2", exact=True)).to_be_focused()
    page.get_by_label("Data set 2", exact=True).select_option("mnist")
    expect(listed.get_by_role("alert")).to_contain_text("data set 1 has (1, 8, 8), data set 2 has (1, 28, 28)")
    admin.both_themes("several-data-sets-wrong")
    page.get_by_label("Data set 2", exact=True).select_option("digits")

    # The keyboard moves them, and the button keeps the focus.
    page.locator("#field-dataset_options-1-labels").fill("5, 6, 7")
    up = page.get_by_role("button", name="Move data set 2 up")
    up.focus()
    page.keyboard.press("Enter")
    assert [classes(page, 1), classes(page, 2)] == ["5, 6, 7", "0, 1, 2, 3, 4"]
    expect(page.get_by_role("button", name="Move data set 1 up")).to_be_focused()

    options = panel(page, "PathNet")
    options.get_by_role("button", name=re.compile("^Show all")).click()
    for label, value in SMALL.items():
        options.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Layers", exact=True).fill("2")
    page.get_by_label("Modules per layer", exact=True).fill("4")
    page.get_by_label("Active modules", exact=True).fill("2")
    expect(box).to_contain_text("1 run")
    expect(start_button(page)).not_to_have_attribute("aria-disabled", "true")
    admin.both_themes("several-data-sets-form")
    start_button(page).click()

    run = admin.run_of_page()
    done = admin.wait_for_run(run, "completed")
    assert done["config"]["dataset_options"][0]["labels"] == [5, 6, 7]
    result = panel(page, "Result")
    expect(result.get_by_test_id("test-accuracy")).to_have_count(2)
    expect(result.get_by_role("heading", name=re.compile("Path of task A.*labels 5–7"))).to_be_visible()
    expect(result.get_by_role("heading", name=re.compile("Path of task B.*labels 0–4"))).to_be_attached()
    expect(result.get_by_role("region", name="Compared with").get_by_role("table")).to_have_count(2)
    page.get_by_role("button", name="2 downloads").click()
    admin.both_themes("several-data-sets-result")
    for number, link in enumerate(result.get_by_role("link", name="Download").all()):
        with page.expect_download() as download:
            link.click()
        path = tmp_path / f"{number}.zip"
        download.value.save_as(path)
        assert any(name.endswith("evaluate.py") for name in zipfile.ZipFile(path).namelist())

    # A copy in the form has both data sets with their own classes.
    admin.open(f"/new?run={run}")
    assert [classes(page, 1), classes(page, 2)] == ["5, 6, 7", "0, 1, 2, 3, 4"]
