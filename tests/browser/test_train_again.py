"""A finished model's architecture trained again from its card: the form, the experiment that it starts, and what its run shows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .visitor import Visitor

pytestmark = pytest.mark.services
SMALL = {"epochs": 1, "train_examples": 128}


@pytest.mark.slow
def test_a_model_is_trained_again_twice_as_an_ensemble(admin: Visitor) -> None:
    page = admin.page
    admin.open("/")
    first = admin.start(
        algorithms=[{"id": "random"}], space="plain", datasets=["digits"], seeds=[0], budget={"trials": 1}, training=SMALL,
        finale={"baselines": 0, "export": False, "onnx": False, "redundancy": False, "training": SMALL},
    )
    made = admin.wait_for_run(first, "completed")["models"][0]["id"]
    # Of this model: others may have been made before, and the same test part opened, by who uses the same server.
    visits = admin.get(f"models/{made}/retraining")["visits"]["data"]
    assert visits >= 1
    admin.open(f"/models/{made}")
    page.get_by_role("button", name="Train it again").click()
    form = page.get_by_role("dialog", name="Train it again")
    form.get_by_role("radio", name="× 2").click()
    expect(form.get_by_label("epochs", exact=True)).to_have_value("2")
    form.get_by_role("checkbox", name=re.compile("^the training and the validation part")).check()
    expect(form).to_contain_text("Taken back: its limit to the first examples.")
    form.get_by_role("checkbox", name=re.compile("^the training and the validation part")).uncheck()
    form.get_by_role("combobox").select_option("2")
    form.get_by_role("checkbox", name=re.compile("^as an ensemble")).check()
    counted = "1 finished network of your runs was" if visits == 1 else f"{visits} finished networks of your runs were"
    expect(form).to_contain_text(f"{counted} scored on the test part of digits so far; this adds 3.")
    expect(form).to_contain_text("It takes")
    admin.shot("train-again")
    page.set_viewport_size({"width": 360, "height": 900})
    expect(form.get_by_role("button", name="Train it", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    admin.shot("train-again-360")
    page.set_viewport_size({"width": 1440, "height": 900})
    form.get_by_role("button", name="Train it", exact=True).click()
    expect(page.get_by_text("Retrained from the model of")).to_be_visible()
    found = re.search(r"/experiments/([0-9a-f-]+)", page.url)
    assert found is not None
    run = admin.get(f"experiments/{found.group(1)}")["runs"][0]["id"]
    [model] = admin.wait_for_run(run, "completed")["models"]
    assert model["bundle"] is not None, model["reason"]
    admin.open(f"/runs/{run}")
    tested = page.get_by_test_id("seeds-mean").first
    tested.scroll_into_view_if_needed()
    expect(tested).to_have_text(re.compile(r"^0\.\d{4} ± 0\.\d{4} \(n = 2\)$"))
    admin.shot("trained-again")
