"""The first minutes of a newcomer: one click on the ready-made search, to a model that runs alone."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .visitor import Visitor, panel


def largest_gamma(visitor: Visitor, run: str) -> float:
    """The largest weight of the last structure frame, over all groups."""
    frames = [event["data"]["groups"] for event in visitor.all_events(run) if event["kind"] == "structure"]
    values = [base64.b64decode(text) for text in frames[-1].values()]
    return max(max(struct.unpack(f"<{len(data) // 4}f", data)) for data in values)


def picture(visitor: Visitor) -> str:
    """A digest of the super-network's pixels."""
    return hashlib.sha256(panel(visitor.page, "Structure").locator("canvas").first.screenshot()).hexdigest()


@pytest.mark.services
@pytest.mark.slow
def test_one_click_to_a_model_that_runs_alone(admin: Visitor, tmp_path: Path) -> None:
    page = admin.page
    admin.open("/")
    page.get_by_role("button", name="Start and watch").first.click()
    clicked = time.monotonic()
    run = admin.run_of_page()
    said: dict[str, float] = {}

    canvas = panel(page, "Structure").get_by_role("img", name=re.compile("Normal cell"))
    expect(canvas).to_be_visible(timeout=120_000)
    said["first picture"] = time.monotonic() - clicked
    before = picture(admin)
    admin.wait(lambda: picture(admin) != before, "the edges move")
    page.wait_for_timeout(15_000)
    admin.both_themes("darts-running")

    result = panel(page, "Result")
    expect(result.get_by_test_id("test-accuracy")).to_be_visible(timeout=600_000)
    admin.wait_for_run(run, "completed", seconds=300)
    said["finished"] = time.monotonic() - clicked
    expect(result.get_by_test_id("baseline-accuracy")).to_be_visible()
    shown = float(result.get_by_test_id("test-accuracy").inner_text())
    assert shown >= 0.97
    assert float(result.get_by_test_id("baseline-accuracy").inner_text()) > 0.9
    expect(result).to_contain_text("cannot tell a good search from a bad one")
    said["largest γ"] = largest_gamma(admin, run)
    assert said["largest γ"] >= 0.2
    page.wait_for_timeout(500)
    admin.both_themes("darts-finished")

    with page.expect_download() as download:
        result.get_by_role("link", name="Download").click()
    archive = tmp_path / "model.zip"
    download.value.save_as(archive)
    offered = next(model["bundle"] for model in admin.get(f"runs/{run}")["models"] if model["bundle"])
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == offered["sha256"]
    assert archive.stat().st_size == offered["size"]
    assert evaluate(archive, tmp_path / "alone") == pytest.approx(shown, abs=0.00005)
    print("measured:", ", ".join(f"{name} {value:.2f}" for name, value in said.items()))


def evaluate(archive: Path, folder: Path) -> float:
    """The accuracy that the unpacked `evaluate.py` prints in a process that cannot see this repository."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    [script] = folder.rglob("evaluate.py")
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "OMP_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-I", script.name], cwd=script.parent, env=clean, capture_output=True, text=True, check=True)
    return float(re.findall(r"\d+\.\d+", done.stdout)[-1])


@pytest.mark.services
def test_a_small_search_shows_its_pictures_and_its_result(admin: Visitor, finished_run: str) -> None:
    """The whole page after a search of seconds: structure, decisions, curves, result, and a pinned edge."""
    page = admin.page
    admin.open(f"/runs/{finished_run}?view=family:normal")
    expect(panel(page, "Structure").get_by_role("img", name=re.compile("Normal cell"))).to_be_visible()
    expect(panel(page, "Decisions")).to_be_visible()
    expect(panel(page, "Progress").get_by_role("img", name=re.compile("validation"))).to_be_visible()
    expect(panel(page, "Result").get_by_test_id("test-accuracy")).to_have_text(re.compile(r"0\.\d{4}"))
    admin.open(f"/runs/{finished_run}?view=matrix&edge=normal:1")
    inspector = page.get_by_role("complementary", name="Inspector")
    expect(inspector.get_by_text("γ now")).to_be_visible()
    expect(inspector.get_by_role("img", name=re.compile("γ over time"))).to_be_visible()
    expect(panel(page, "Structure").get_by_role("group", name="Weights of the normal cell")).to_be_visible()
    page.keyboard.press("Escape")
    expect(inspector.get_by_text("γ now")).to_have_count(0)
    admin.both_themes("small-search")

