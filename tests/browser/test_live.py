"""A search of the command line in the browser while it runs: from its address to its download, through a kill."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .server import ROOT, Server
from .visitor import Visitor, trials_shown

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
        expect(page.get_by_text(re.compile("^running on the command line"))).to_be_visible()
        first = admin.wait(lambda: trials_shown(page), "a trial is shown")
        admin.wait(lambda: trials_shown(page) > first, "another one comes")
        assert search.poll() is None, "all of that before the search ended"
        for name in ("Pause", "Resume", "Cancel"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        admin.shot("live-running")
        search.kill()
        expect(page.get_by_text(re.compile("^interrupted on the command line"))).to_be_visible()
        admin.shot("live-interrupted")
    with searching(server, out, "--resume") as (search, again):
        assert again == address
        _, rest = search.communicate()
        assert search.returncode == 0 and "the whole run is in the browser" in rest
    expect(page.get_by_role("link", name="Download best")).to_be_visible()
    run = admin.get(f"runs/{admin.run_of_page()}")
    assert (run["state"], run["elsewhere"], run["counts"]["trials"]) == ("completed", "", 12)
    admin.shot("live-ended")


def test_without_a_server_the_search_says_so_and_runs(tmp_path: Path) -> None:
    nobody = Server(tmp_path / "home")
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [*WORDS[:4], "--algorithm", "random", "--space", "sequence", "--budget", "trials=5", "--out", str(tmp_path / "out"), "--live"],
        cwd=ROOT, env=nobody.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"live: no NAScope is running on {tmp_path / 'home'} (`nascope up` starts it); the search runs without it" in done.stderr
    assert (tmp_path / "out" / "result.json").is_file()
