"""A search of the command line in the browser while it runs: from its first event to its download, through a kill."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from search_engine.search.local_run import EVENTS

from .server import ROOT, Server
from .test_forms import AXE
from .visitor import Visitor, panel, trials_shown

pytestmark = [pytest.mark.services, pytest.mark.slow]
WORDS = [
    sys.executable, "-m", "search_engine", "run", "--algorithm", "regularized_evolution", "--space", "nb201", "--dataset", "digits",
    "--budget", "trials=12", "--set", "population=3", "--set", "sample=2", "--set", "training.epochs=4", "--set", "training.channels=4",
    "--set", "training.layers=1", "--set", "finale.baselines=0", "--set", "finale.onnx=false", "--set", "finale.redundancy=false",
    "--set", "finale.training.epochs=1", "--set", "finale.training.channels=4", "--json", "--live",
]  # fmt: skip


@contextmanager
def searching(server: Server, out: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address of its page."""
    search = subprocess.Popen(
        [*WORDS, "--out", str(out), *more], cwd=ROOT, env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert search.stderr is not None
    try:
        said = ""
        while (found := re.search(r"live: the search is in the browser: (\S+)", said)) is None:
            line = search.stderr.readline()
            assert line, f"it ended without an address: {said}"
            said += line
        yield search, found[1]
    finally:
        search.kill()
        search.wait()


def test_a_search_of_the_command_line_moves_on_its_page_before_it_ends(server: Server, admin: Visitor, tmp_path: Path) -> None:
    page, out = admin.page, tmp_path / "out"
    with searching(server, out) as (search, address):
        assert address.startswith(server.origin)
        admin.open(address.removeprefix(server.origin))
        expect(page.get_by_text(re.compile("^running in its own process"))).to_be_visible()
        panel(page, "Population").get_by_role("radio", name="Table").click()
        first = admin.wait(lambda: trials_shown(page), "a trial is shown")
        admin.wait(lambda: trials_shown(page) > first, "another one comes")
        run = admin.run_of_page()
        assert search.poll() is None, "all of that before the search ended"
        assert admin.all_events(run)[0] == told(out)[0], "from its first event"
        for name in ("Pause", "Resume", "Cancel", "Finish now"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        pictures(admin, "live-running")
        search.kill()
        expect(page.get_by_text("interrupted", exact=True)).to_be_visible()
        expect(page.get_by_text(re.compile("^Go on with it where it was started, with --resume --live"))).to_be_visible()
        expect(page.get_by_role("button", name="Delete", exact=True)).to_be_visible()
        pictures(admin, "live-interrupted")
        accessible(admin)
        admin.open(f"/experiments/{admin.get(f'runs/{run}')['experiment']['id']}")
        expect(page.get_by_role("note")).to_contain_text(f"another process of this machine searches it in {out}")
        expect(page.get_by_role("table").get_by_text("interrupted", exact=True)).to_be_visible()
        pictures(admin, "live-experiment")
        accessible(admin)
        page.go_back()
    with searching(server, out, "--resume") as (search, again):
        assert again == address
        expect(page.get_by_text(re.compile("^running in its own process"))).to_be_visible()
        _, rest = search.communicate()
        assert search.returncode == 0 and "the whole run is in the browser" in rest
    expect(page.get_by_role("link", name="Download best")).to_be_visible()
    pictures(admin, "live-ended")
    shown = admin.get(f"runs/{run}")
    assert (shown["state"], shown["elsewhere"], shown["counts"]["trials"]) == ("completed", "", 12)
    assert admin.all_events(run) == told(out)

    said = server.manage("open", str(out))
    opened = admin.get(f"experiments/{said.strip().rsplit('/', 1)[1]}")["runs"][0]["id"]
    assert admin.all_events(opened) == admin.all_events(run)
    downloads = [downloaded(admin, each) for each in (run, opened)]
    assert downloads[0] == downloads[1] and {"model.py", "model.safetensors", "predict.py"} <= {Path(name).name for name in downloads[0]}


def told(out: Path) -> list[dict[str, Any]]:
    """Whole lines of the search's own record."""
    return [json.loads(line) for line in (out / EVENTS).read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def pictures(admin: Visitor, name: str) -> None:
    """Of the window as it is, and narrow."""
    admin.shot(f"{name}-1440")
    wide = admin.page.viewport_size
    assert wide is not None
    admin.page.set_viewport_size({"width": 360, "height": 900})
    admin.page.wait_for_timeout(150)  # canvases draw in the next frame
    admin.shot(f"{name}-360")
    assert admin.page.evaluate("document.documentElement.scrollWidth") <= 360
    admin.page.set_viewport_size(wide)


def accessible(admin: Visitor) -> None:
    # The content security policy keeps axe out, like every foreign script: it is put in by the browser's own door.
    admin.page.evaluate(AXE.read_text())
    found = admin.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [item for item in found["violations"] if item["impact"] in ("serious", "critical")]
    assert [(item["id"], item["nodes"][0]["html"]) for item in serious] == []


def downloaded(admin: Visitor, run: str) -> dict[str, bytes]:
    """The files of the download of a run's model."""
    [model] = [each for each in admin.get(f"models?run={run}")["results"] if each["bundle"]]
    answer = admin.context.request.get(f"{admin.origin}/api/v1/models/{model['id']}/download")
    assert answer.status == 200
    with zipfile.ZipFile(io.BytesIO(answer.body())) as files:
        return {name: files.read(name) for name in files.namelist()}
