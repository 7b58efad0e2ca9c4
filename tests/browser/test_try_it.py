"""A finished model is tried on its own page: a picture and the sample are answered by a worker, in both themes and on a narrow page."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .test_forms import AXE
from .visitor import Visitor, panel

pytestmark = pytest.mark.services
SMALL = {"epochs": 2, "train_examples": 128, "channels": 4, "layers": 1}


def photograph() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(2).integers(0, 255, (60, 90, 3), dtype=np.uint8)).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.slow
def test_a_model_is_tried_with_a_picture_and_its_sample(admin: Visitor, tmp_path: Path) -> None:
    page = admin.page
    admin.open("/")
    run = admin.start(
        algorithms=[{"id": "random"}], space="nb201", datasets=["digits"], seeds=[0], budget={"trials": 1}, training=SMALL,
        finale={"baselines": 0, "onnx": False, "redundancy": False, "training": SMALL},
    )
    made = admin.wait_for_run(run, "completed")["models"][0]["id"]
    admin.open("/models")
    # Of this model: others may have been made before, by who uses the same server.
    page.get_by_role("article").get_by_role("link", name=re.compile("^Try it")).and_(page.locator(f'a[href*="{made}"]')).click()
    box = panel(page, "Try it")
    box.get_by_role("button", name="Use a sample").click()
    first = box.get_by_role("list", name="The likeliest classes and their probabilities")
    expect(first.get_by_role("listitem")).to_have_count(5)
    expect(box.get_by_role("heading", name=re.compile(r"^true: \d$"))).to_be_visible()
    page.get_by_text("5 more classes").click()
    expect(box.get_by_role("list", name="The other classes and their probabilities").get_by_role("listitem")).to_have_count(5)

    with page.expect_file_chooser() as chosen:
        box.get_by_role("button", name="Choose a picture").click()
    chosen.value.set_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photograph()})
    expect(box.get_by_text(re.compile(r"90 × 60 points \(JPEG\), was scaled.*8 × 8 points, grey"))).to_be_visible()
    with page.expect_file_chooser() as chosen:
        box.get_by_role("button", name="Choose a picture").click()
    chosen.value.set_files({"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(box.get_by_role("alert")).to_contain_text("It cannot be read as a picture: give a whole file in PNG, JPEG")
    box.get_by_role("button", name="Use a sample").click()
    expect(first.get_by_role("listitem")).to_have_count(5)

    expect(panel(page, "Training").get_by_role("button", name=re.compile("Accuracy: show large"))).to_be_visible()
    expect(panel(page, "Architecture").get_by_role("figure").first).to_be_visible()
    admin.both_themes("try-it-1440")
    page.set_viewport_size({"width": 360, "height": 900})
    page.wait_for_timeout(150)  # canvases draw in the next frame
    admin.shot("try-it-360")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # The content security policy keeps axe out, like every foreign script: it is put in by the browser's own door.
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [item for item in found["violations"] if item["impact"] in ("serious", "critical")]
    assert [(item["id"], item["nodes"][0]["html"]) for item in serious] == []
