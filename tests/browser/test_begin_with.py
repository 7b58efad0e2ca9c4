"""What one does with a finished model beside downloading it: compress it, grow it, from its card to another download."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .visitor import Visitor, panel

pytestmark = pytest.mark.services
SMALL = {"epochs": 1, "train_examples": 128}
FINALE = {"baselines": 0, "onnx": False, "redundancy": False, "training": SMALL}


@pytest.mark.slow
def test_a_finished_model_is_compressed_and_grown_from_its_card(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    first = admin.start(
        algorithms=[{"id": "random"}], space="growing_convnet", space_options={"channels": [6, 8]}, datasets=["digits"], seeds=[0],
        budget={"trials": 1}, training=SMALL, finale=FINALE,
    )
    admin.wait_for_run(first, "completed")
    model = admin.get(f"runs/{first}")["models"][0]
    assert [item["label"] for item in model["begins"]] == ["Compress", "Grow"]
    for label, algorithm, options in (
        ("Compress", "morphnet", {"shrink_epochs": 1, "train_epochs": 1, "controls": False, "sweep": []}),
        ("Grow", "network_morphism", {"steps": 1, "children": 2, "epochs": 1}),
    ):
        admin.open("/models")
        # Of this model: others may have been made before, by who uses the same server.
        page.locator(f'a[href*="model={model["id"]}"][href*="algorithm={algorithm}"]').click()
        given = panel(page, "Begins with a finished model")
        expect(given).to_contain_text("found by Random search in growing_convnet, seed 0")
        expect(page.get_by_role("checkbox", name=re.compile("^DARTS$"))).to_be_disabled()
        admin.shot(f"begin-{label.lower()}")
        chosen = re.search(r"model=([0-9a-f-]+)&algorithm=(\w+)", page.url)
        assert chosen is not None and chosen.groups() == (model["id"], algorithm)
        run = admin.start(
            algorithms=[{"id": algorithm, "options": options}], model=model["id"], datasets=["digits"], seeds=[0],
            training={} if label == "Compress" else {"train_examples": 128}, finale=FINALE,
        )
        shown = admin.wait_for_run(run, "completed")
        assert shown["models"][0]["bundle"] is not None, shown["models"][0]["reason"]
        admin.open(f"/runs/{run}")
        expect(page.get_by_text("begun with", exact=True)).to_be_visible()
        expect(page.get_by_title(re.compile("of browser test, seed 0$"))).to_be_visible()
        admin.shot(f"begun-{label.lower()}")
    page.set_viewport_size({"width": 360, "height": 900})
    admin.open("/models")
    expect(page.get_by_role("article").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    admin.open(f"/new?model={model['id']}&algorithm=morphnet")
    expect(panel(page, "Begins with a finished model")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    admin.shot("begin-360")
