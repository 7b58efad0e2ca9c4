"""Somebody brings a table: an upload that breaks in the middle and goes on, a preview, a change, a set that is kept, and a search on it."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from .visitor import Visitor, panel

pytestmark = pytest.mark.services
SMALL: dict[str, Any] = {
    "algorithms": [{"id": "random"}], "space": "mlp", "seeds": [0], "budget": {"trials": 2},
    "finale": {"baselines": 0, "onnx": False},
}  # fmt: skip


def write_table(path: Path, rows: int = 4000) -> Path:
    """The class is the sign of width + height; `number` says which row it is, and is left out by itself."""
    chance = random.Random(5)
    lines = ["width,height,colour,number,kind"]
    for row in range(rows):
        width, height = chance.uniform(-1, 1), chance.uniform(-1, 1)
        lines.append(f"{width:.5f},{height:.5f},{chance.choice(['red', 'blue'])},{row},{'up' if width + height > 0 else 'down'}")
    path.write_text("\n".join(lines) + "\n")
    return path


class Line:
    """The line to the server: it takes half of the first request, and then nothing until it is mended."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.broken = False
        self.half = 0
        visitor.page.route("**/api/v1/uploads/*", self.passing)

    def passing(self, route: Route) -> None:
        if self.broken:
            route.abort("connectionreset")
        elif route.request.method == "PATCH" and not self.half:
            body = route.request.post_data_buffer or b""
            self.half, self.broken = len(body) // 2, True
            headers = {**route.request.headers, "origin": self.visitor.origin}
            headers.pop("content-length", None)
            answer = self.visitor.context.request.patch(route.request.url, data=body[: self.half], headers=headers)
            assert answer.status == 204, answer.text()
            route.abort("connectionreset")
        else:
            route.continue_()


def test_a_table_from_a_broken_upload_to_a_finished_run(admin: Visitor, tmp_path: Path) -> None:
    page = admin.page
    admin.expected += [r"ERR_CONNECTION_RESET", r"net::ERR"]
    page.on("dialog", lambda dialog: dialog.accept())
    file = write_table(tmp_path / "kinds.csv")
    admin.open("/data")
    expect(page.get_by_text("Nothing of yours yet")).to_be_visible()
    admin.shot("own-data-empty")

    line = Line(admin)
    chooser = page.get_by_label("File to upload")
    chooser.set_input_files(file)
    admin.wait(lambda: line.broken, "half of it was sent")
    row = admin.wait(lambda: admin.get("own-datasets")["results"], "the server knows of it")[0]
    assert (row["state"], row["received"]) == ("uploading", line.half) and 0 < line.half < file.stat().st_size
    expect(page.get_by_role("list", name="Uploads").get_by_role("listitem", name="kinds.csv")).to_be_visible()
    admin.shot("own-data-broken")

    page.reload()
    expect(page.get_by_role("table", name="Your data sets")).to_contain_text("upload unfinished")
    line.broken = False
    chooser.set_input_files(file)
    page.wait_for_url(re.compile(f"/data/{row['id']}"))
    assert len(admin.get("own-datasets")["results"]) == 1, "it went on, and did not begin again"

    expect(panel(page, "What was found")).to_contain_text("4,000")
    expect(panel(page, "Examples").get_by_role("table")).to_be_visible()
    expect(panel(page, "Classes").get_by_role("table")).to_contain_text("down")
    admin.shot("own-data-preview")
    page.get_by_label("What becomes of colour").select_option("dropped")
    page.get_by_label("Title").fill("Two kinds")
    expect(page.get_by_role("button", name="Keep it")).to_be_disabled()
    page.get_by_role("button", name="Examine again").click()
    expect(page.get_by_role("heading", name="Two kinds")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    search = page.get_by_role("link", name="Search on it")
    expect(search).to_be_visible()
    kept = admin.get(f"own-datasets/{row['id']}")
    dropped = [column["name"] for column in kept["findings"]["columns"] if column["kind"] == "dropped"]
    assert (kept["state"], dropped) == ("ready", ["colour", "number"])

    search.click()
    expect(page.get_by_role("radio", name="Two kinds")).to_be_checked()
    run = admin.start(**SMALL, datasets=[kept["dataset"]])
    shown = admin.wait_for_run(run, "completed")
    assert shown["datasets"] == [kept["dataset"]]

    admin.open(f"/data/{kept['dataset']}")
    expect(panel(page, "What uses it")).to_contain_text("browser test")
    admin.shot("own-data-kept")
    page.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog).to_contain_text("1 experiment with 1 run uses it")
    admin.expected.append(r"status of 409")
    dialog.get_by_role("button", name="Remove it all the same").click()
    page.wait_for_url(re.compile("/data$"))
    expect(page.get_by_text("Nothing of yours yet")).to_be_visible()


def test_built_in_data_are_seen(admin: Visitor) -> None:
    page = admin.page
    admin.open("/data/digits")
    expect(panel(page, "Examples").get_by_role("img").first).to_be_visible()
    expect(panel(page, "Statistics")).to_contain_text("1,011 to train")
    admin.both_themes("data-digits")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    admin.shot("data-digits-narrow")
    admin.open("/data")
    expect(page.get_by_role("heading", name="Built in")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    admin.shot("data-narrow")


def test_a_file_that_cannot_be_used_says_why(admin: Visitor, tmp_path: Path) -> None:
    page = admin.page
    bad = tmp_path / "words.csv"
    bad.write_text("x,y\n" + "1,a\n" * 40)
    admin.open("/data")
    page.get_by_label("File to upload").set_input_files(bad)
    page.wait_for_url(re.compile("/data/[0-9a-f-]{36}"))
    expect(page.get_by_role("alert")).to_be_visible()
    admin.shot("own-data-failed")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    page.wait_for_url(re.compile("/data$"))
