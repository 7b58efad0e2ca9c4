"""An architecture that somebody has already: pasted, drawn, trained, and a search started from it, wide and narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from search_engine.catalogue.architectures import read

from .visitor import Visitor, panel

pytestmark = pytest.mark.services
NB201 = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
GENOTYPE = (
    "DARTS = Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1), ('dil_conv_5x5', 2), ('skip_connect', 0)], "
    "normal_concat=[2, 3], reduce=[('max_pool_3x3', 0), ('skip_connect', 1), ('max_pool_3x3', 0), ('skip_connect', 2)], "
    "reduce_concat=[2, 3])"
)


@pytest.mark.parametrize("width", [1440, 360])
def test_from_a_pasted_text_to_a_started_run(admin: Visitor, width: int) -> None:
    page = admin.page
    page.set_viewport_size({"width": width, "height": 900})
    admin.open("/new")
    page.get_by_role("link", name="Paste it").click()
    expect(page.get_by_text("Paste an architecture above")).to_be_visible()
    text = page.get_by_label("Text of the architecture")

    admin.expected.append(r"status of 400.*/api/v1/architectures\)")
    text.fill(NB201.replace("nor_conv_3x3", "nor_conv_5x5"))
    expect(page.get_by_role("alert")).to_contain_text("nor_conv_5x5")
    text.fill(NB201)
    drawing = panel(page, "NAS-Bench-201 cell")
    expect(drawing.get_by_role("img")).to_have_count(4)
    expect(panel(page, "To take with you")).to_contain_text("nor_conv_3x3")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    admin.shot(f"architecture-nb201-{width}")
    page.reload()
    expect(drawing.get_by_role("img")).to_have_count(4)

    page.get_by_role("link", name="Start a search from it").click()
    expect(panel(page, "Begins with a given architecture")).to_contain_text(NB201)
    expect(page.get_by_role("checkbox", name=re.compile("^DARTS$"))).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    admin.shot(f"architecture-start-{width}")

    admin.open("/architecture")
    text.fill(GENOTYPE)
    expect(page.get_by_text("Normal cell", exact=True)).to_be_visible()
    expect(page.get_by_text("Reduction cell", exact=True)).to_be_visible()
    admin.shot(f"architecture-genotype-{width}")
    page.get_by_role("link", name="Train it").click()
    expect(page.get_by_text("Trains an architecture of")).to_be_visible()
    page.get_by_role("complementary", name="Start").get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile("/runs/"))
    run = admin.get(f"runs/{admin.run_of_page()}")
    assert run["algorithm"]["id"] == "given_architecture" and run["space"] == "cell"
    assert read(run["options"]["architecture"]).hash == read(GENOTYPE).hash
    admin.send(f"runs/{run['id']}/cancel", status=202)
