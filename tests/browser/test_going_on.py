"""What can be done with a search beyond waiting for it: end it now, train the best so far, give it more budget."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from .visitor import Visitor

pytestmark = [pytest.mark.services, pytest.mark.slow]
SMALL = {"epochs": 1, "channels": 2, "layers": 2, "train_examples": 128}
LONG: dict[str, Any] = {
    "algorithms": [{"id": "random", "options": {}}], "space": "cell", "datasets": ["digits"], "seeds": [1], "budget": {"trials": 500},
    "space_options": {"nodes": 1}, "training": SMALL, "finale": {"baselines": 0, "export": False, "training": SMALL},
}  # fmt: skip


def test_a_search_is_ended_its_best_trained_and_given_more(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(**LONG)
    admin.open(f"/runs/{run}")
    admin.wait(lambda: admin.get(f"runs/{run}")["best"], "a first result")

    page.get_by_role("button", name="Train the best so far").click()
    page.get_by_role("dialog").get_by_role("button", name="Train it").click()
    admin.wait(lambda: admin.run_of_page() != run, "the page of the run that trains it")
    expect(page.get_by_text("trains the best so far of")).to_be_visible()
    assert admin.wait_for_run(admin.run_of_page(), "completed")["best_of"] == run

    admin.open(f"/runs/{run}")
    # By the keyboard, from the button to the answer.
    page.get_by_role("button", name="Finish now").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Finish now").focus()
    page.keyboard.press("Enter")
    over = admin.wait_for_run(run, "completed")
    assert over["more"]["unit"] == "trials" and over["reproducible"] is False
    expect(page.get_by_text("not reproducible")).to_be_visible()
    expect(page.get_by_role("button", name="Finish now")).to_have_count(0)

    page.get_by_role("button", name="More budget…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Further trials").fill("0")
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Further trials").fill("2")
    expect(dialog.get_by_text("the 2nd visit of this search")).to_be_visible()
    admin.shot("more-budget")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.set_viewport_size({"width": 360, "height": 780})
    page.get_by_role("button", name="More budget…").click()
    dialog.get_by_label("Further trials").fill("2")
    admin.shot("more-budget-360")
    dialog.get_by_role("button", name="Go on").click()
    admin.wait(lambda: admin.run_of_page() != run, "the page of the longer run")
    longer = admin.wait_for_run(admin.run_of_page(), "completed")
    assert longer["charged"]["trials"] == over["more"]["have"] + 2
    page.set_viewport_size({"width": 1440, "height": 900})
    page.reload()
    expect(page.get_by_text("2nd visit to the test part of this search")).to_be_visible()
    admin.shot("longer-run")
