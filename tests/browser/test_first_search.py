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
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import SMALL_DARTS
from .pictures import changed_share, coloured_share, pixels
from .server import Server
from .visitor import Visitor, panel

pytestmark = pytest.mark.services
MOVED = 0.002
"""Share of the canvas's pixels that must differ: a few strands, not the smoothing of an edge."""


def supernet(page: Page) -> Locator:
    """The canvas of the normal cell, once it has weights to show."""
    return panel(page, "Structure").get_by_role("img", name=re.compile(r"^Normal cell: .*\d\.\d\d"))


def drawn(page: Page) -> bool:
    """Whether strands are on the screen."""
    canvas = supernet(page)
    return canvas.count() == 1 and coloured_share(pixels(canvas)) > 0.02


def largest_gamma(visitor: Visitor, run: str) -> float:
    """The largest weight of the last recorded structure, over all groups, as the API gives it."""
    frames = [event["data"]["groups"] for event in visitor.all_events(run) if event["kind"] == "structure"]
    values = [base64.b64decode(text) for text in frames[-1].values()]
    return max(max(struct.unpack(f"<{len(data) // 4}f", data)) for data in values)


def steps_seen(visitor: Visitor) -> int:
    """The last step of a structure frame that the page was told of."""
    events = (event for frame in visitor.frames if frame["type"] == "events" for event in frame["events"])
    return max((event["data"]["step"] for event in events if event["kind"] == "structure"), default=0)


def downloaded(visitor: Visitor, run: str, folder: Path) -> Path:
    """Click Download; the zip, which must be the file that the API describes."""
    with visitor.page.expect_download() as download:
        panel(visitor.page, "Result").get_by_role("link", name="Download").click()
    archive = folder / "model.zip"
    download.value.save_as(archive)
    offered = next(model["bundle"] for model in visitor.get(f"runs/{run}")["models"] if model["role"] == "finalist")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == offered["sha256"]
    assert archive.stat().st_size == offered["size"]
    return archive


def evaluated(archive: Path, folder: Path) -> float:
    """The accuracy that the unpacked `evaluate.py` prints in a process that cannot see this repository."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    [script] = folder.rglob("evaluate.py")
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "OMP_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-I", script.name], cwd=script.parent, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = re.findall(r"^accuracy: (\S+)$", done.stdout, re.MULTILINE)
    return float(found)


@pytest.mark.slow
def test_one_click_to_a_model_that_runs_alone(tab: Callable[..., Visitor], tmp_path: Path) -> None:
    """A fresh installation, the printed link, one click; nothing else has run on this server."""
    server = Server(tmp_path / "home")
    measured: dict[str, float] = {}
    try:
        begun = time.monotonic()
        server.start()
        measured["link printed after start, s"] = time.monotonic() - begun
        visitor = tab(server.origin)
        page = visitor.page
        page.goto(server.link)
        button = page.get_by_role("button", name="Start and watch").first
        expect(button).to_have_count(1)
        visitor.both_themes("home")

        button.click()
        clicked = time.monotonic()
        run = visitor.run_of_page()
        visitor.wait(lambda: drawn(page), "the first structure is drawn")
        measured["first structure after click, s"] = time.monotonic() - clicked
        before = pixels(supernet(page))
        visitor.shot("darts-first-light")
        visitor.wait(lambda: steps_seen(visitor) >= 25, "25 steps")
        visitor.wait(lambda: changed_share(before, pixels(supernet(page))) > 10 * MOVED, "the edges move")
        visitor.both_themes("darts-running")

        visitor.wait_for_run(run, "completed")
        measured["finished after click, s"] = time.monotonic() - clicked
        result = panel(page, "Result")
        expect(result.get_by_test_id("baseline-accuracy")).to_be_visible()
        shown = float(result.get_by_test_id("test-accuracy").inner_text())
        measured["test accuracy"] = shown
        measured["random architecture"] = float(result.get_by_test_id("baseline-accuracy").inner_text())
        measured["largest gamma"] = largest_gamma(visitor, run)
        assert shown >= 0.97
        assert measured["random architecture"] > 0.9
        expect(result).to_contain_text("almost every architecture does well")
        assert measured["largest gamma"] >= 0.2
        expect(page.get_by_role("link", name="Download best")).to_be_visible()
        visitor.both_themes("darts-finished")
        assert evaluated(downloaded(visitor, run, tmp_path), tmp_path / "alone") == pytest.approx(shown, abs=0.00005)
    finally:
        assert server.stop() == 0
        print("measured:", ", ".join(f"{name} {value:.3g}" for name, value in measured.items()))


def test_a_small_search_from_its_first_picture_to_its_download(admin: Visitor, tmp_path: Path) -> None:
    """The same way, with a search of seconds."""
    page = admin.page
    admin.open("/")
    expect(page.get_by_role("button", name="Start and watch").first).to_be_visible()
    run = admin.start(**SMALL_DARTS)
    admin.open(f"/runs/{run}?view=family:normal")
    admin.wait(lambda: drawn(page), "the first structure is drawn")
    before = pixels(supernet(page))
    admin.wait(lambda: changed_share(before, pixels(supernet(page))) > MOVED, "the edges move")

    admin.wait_for_run(run, "completed")
    result = panel(page, "Result")
    expect(result.get_by_test_id("baseline-accuracy")).to_have_text(re.compile(r"^[01]\.\d{4}$"))
    expect(result).to_contain_text("almost every architecture does well")
    shown = float(result.get_by_test_id("test-accuracy").inner_text())
    assert evaluated(downloaded(admin, run, tmp_path), tmp_path / "alone") == pytest.approx(shown, abs=0.00005)


def test_every_picture_of_a_finished_search(admin: Visitor, finished_run: str) -> None:
    """Super-network, decisions, curves, matrix, a pinned edge with its history, the result; the address keeps the place."""
    page = admin.page
    inspector = page.get_by_role("complementary", name="Inspector")
    admin.open(f"/runs/{finished_run}")
    structure = panel(page, "Structure")
    expect(structure.get_by_role("radio", name="Result")).to_be_checked()
    expect(structure.get_by_role("group", name=re.compile("^Normal cell: .* to "))).to_be_visible()
    expect(panel(page, "Decisions").get_by_role("img", name=re.compile("^Strongest operation of each edge"))).to_be_visible()
    expect(panel(page, "Progress").get_by_role("img").first).to_be_visible()
    admin.both_themes("small-search")

    structure.get_by_role("radio", name="Matrix").click()
    table = structure.get_by_role("table", name=re.compile("^Normal cell"))
    table.get_by_role("row").nth(2).get_by_role("button").click()
    expect(inspector.get_by_text("γ now")).to_be_visible()
    expect(inspector.get_by_role("img", name=re.compile("γ over time"))).to_be_visible()
    page.reload()
    expect(inspector.get_by_text("γ now")).to_be_visible()
    expect(structure.get_by_role("radio", name="Matrix")).to_be_checked()
    admin.both_themes("small-search-matrix")
    page.keyboard.press("Escape")
    expect(inspector.get_by_text("γ now")).to_have_count(0)

    structure.get_by_role("radio", name="Normal", exact=True).click()
    admin.wait(lambda: drawn(page), "the super-network is drawn")
    point_at_a_strand(admin)
    structure.get_by_role("radio", name="Derived").click()
    expect(structure.get_by_role("group", name=re.compile("^Normal cell: .* to "))).to_be_visible()
    admin.shot("small-search-derived")


def point_at_a_strand(visitor: Visitor) -> None:
    """Between the two nodes of an edge there is a strand to read and to pin; where exactly is the picture's business."""
    page = visitor.page
    box = supernet(page).bounding_box()
    assert box is not None
    card = panel(page, "Structure").locator(".hover-card")
    for row in range(2, 9):
        for column in range(2, 9):
            x, y = box["x"] + box["width"] * column / 10, box["y"] + box["height"] * row / 10
            page.mouse.move(x, y)
            if card.count():
                expect(card).to_contain_text(re.compile(r"\d of 8 on this edge"))
                visitor.shot("small-search-hover")
                page.mouse.click(x, y)
                expect(page.get_by_role("complementary", name="Inspector").get_by_text("γ now")).to_be_visible()
                return
    pytest.fail("no strand answers to the pointer")
