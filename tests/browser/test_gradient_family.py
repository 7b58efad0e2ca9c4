"""Masks, charts, reports of a finished network, and charts of several runs in one plane: drawn from real searches."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from .pictures import changed_share, coloured_share, ink_share, pixels
from .visitor import Visitor, panel

pytestmark = pytest.mark.services
SHORT: dict[str, Any] = {"epochs": 1, "train_examples": 256}


def test_a_lottery_ticket_shows_its_mask_its_charts_and_what_can_be_removed(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    rates = {"rate": 0.6, "output_rate": 0.4, "target_share": 0.1}
    options = {"steps": 40, "checkpoints": [10, 20], "early_step": 20, "compared_rounds": 1, **rates}
    run = admin.start(
        algorithms=[{"id": "lottery_ticket", "options": options}], space="plain", space_options={"widths": [24, 16]}, datasets=["digits"],
        seeds=[0], budget=None, finale={"baselines": 1, "onnx": False, "training": SHORT},
    )
    admin.wait_for_run(run, "completed")
    admin.open(f"/runs/{run}?view=mask")
    structure = panel(page, "Structure")
    layers = structure.get_by_role("list", name="Layers")
    expect(layers.get_by_role("button")).to_have_count(3)
    mask = structure.get_by_role("img", name=re.compile(r"^Mask of Dense layer 1: 24 outputs by 64 inputs, [\d,]+ of 1,536 weights kept"))
    expect(mask).to_be_visible()
    admin.wait(lambda: coloured_share(pixels(mask)) > 0.02, "the kept weights are drawn")
    last = pixels(mask)
    page.keyboard.press("Home")
    whole = structure.get_by_role("img", name=re.compile(r"^Mask of Dense layer 1: .* 1,536 of 1,536 weights kept"))

    def at_the_first_mask() -> bool:
        page.keyboard.press("ArrowRight")
        return whole.is_visible()

    admin.wait(at_the_first_mask, "the search began with all weights")
    admin.wait(lambda: changed_share(last, pixels(whole)) > 0.05, "an earlier mask keeps more")
    admin.open(f"/runs/{run}?view=charts")
    cards = panel(page, "Structure").get_by_role("button", name=re.compile(": show large$"))
    expect(cards.first).to_be_visible()
    assert cards.count() >= 3
    cards.first.click()
    large = panel(page, "Structure").get_by_role("img").first
    admin.wait(lambda: ink_share(pixels(large)) > 0.005, "the chart is drawn")
    report = page.get_by_role("region", name="Redundancy and robustness").first
    admin.open(f"/runs/{run}?view=reports")
    expect(report).to_be_visible()
    expect(report.get_by_text(re.compile(r"weights \d+ % can go by magnitude"))).to_be_visible()
    expect(report.get_by_role("button", name=re.compile("show large$"))).to_have_count(4)
    admin.both_themes("lottery-reports")


def test_paths_of_several_runs_lie_in_one_plane(admin: Visitor) -> None:
    """The same search with two look-ahead steps: the experiment's page lays their trajectories over each other."""
    page = admin.page
    admin.open("/")
    common = {"problem": "free_energy", "weights": "point", "estimator": "exact", "steps": 40}
    run = admin.start(
        algorithms=[{"id": "variational", "options": {**common, "xi": xi}} for xi in (0, 20)], space="primitives_sum",
        space_options={"constraint": "real"}, datasets=["sincos"], seeds=[0], budget=None,
        finale={"onnx": False, "training": SHORT},
    )
    experiment = admin.get(f"runs/{run}")["experiment"]["id"]
    for row in admin.get(f"experiments/{experiment}")["runs"]:
        admin.wait_for_run(row["id"], "completed")
    admin.open(f"/experiments/{experiment}?chart=trajectory")
    charts = panel(page, "Charts of the runs")
    expect(charts.get_by_text("2 runs have this chart")).to_be_visible()
    expect(charts.get_by_role("combobox", name="Chart")).to_have_value("trajectory")
    expect(charts.locator("ul[aria-label=Legend] > li")).to_have_count(2)
    picture = charts.get_by_role("img").first
    ends = re.findall(r"to \(([-\d.]+), ([-\d.]+)\)", picture.get_attribute("aria-label") or "")
    assert len(ends) == 2 and ends[0] != ends[1], "looking twenty steps ahead ends elsewhere"
    admin.wait(lambda: coloured_share(pixels(picture)) > 0.001, "two paths are drawn")
    charts.get_by_role("radio", name="Side by side").click()
    for xi in (0, 20):
        expect(charts.get_by_role("button", name=f"ξ {xi}: show large")).to_be_visible()
    admin.both_themes("trajectories")
