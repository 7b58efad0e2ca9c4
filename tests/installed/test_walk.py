"""The wheel as a stranger installs it: pip, into an empty virtual environment outside the repository, with what its metadata asks for from
the index that pip is set to; then the first live frame of a search in real Chromium, and one's own table on the command line.

The versions are held to the pins of requirements.txt, torch to the one that runs here, so that a release of somebody else's fails no test.
pip writes no byte code, which halves its time; everything else is as `pip install nascope-*.whl` does it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.pictures import changed_share, pixels
from tests.browser.server import Server
from tests.browser.test_first_search import MOVED, drawn, supernet
from tests.browser.visitor import Visitor
from tests.patience import PATIENCE

from .test_ranges import pins

pytestmark = [pytest.mark.services, pytest.mark.slow]
HIDDEN = ("PYTHON", "NASCOPE_", "DJANGO_", "DATABASE_URL", "REDIS_URL", "VIRTUAL_ENV", "XDG_")
"""What begins so in this environment is not in a stranger's."""


class Installed(Server):
    """`nascope up` of the environment, in a folder of the person's own; state goes where it goes by itself."""

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
        return {**kept, "HOME": str(self.home), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("stranger")
    made = Installed(folder / "person", program=(str(folder / "venv" / "bin" / "nascope"),), folder=folder)
    made.home.mkdir()
    constraints = folder / "constraints.txt"
    held = {**{item.name: str(item.specifier) for item in pins().values()}, "torch": f"=={version('torch')}"}
    constraints.write_text("".join(f"{name}{specifier}\n" for name, specifier in held.items()))
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    begun = time.monotonic()
    # HOME stays: pip keeps there what it has downloaded once.
    done = subprocess.run([*pip, "install", "--no-compile", "--constraint", str(constraints), str(wheel)], cwd=folder, check=False,
                          env={**made.environment, "HOME": os.environ.get("HOME", str(folder))}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    print(f"measured: pip install {time.monotonic() - begun:.0f} s")
    checked = subprocess.run([*pip, "check"], env=made.environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    return made


def test_the_first_live_frame_of_a_search(installed: Installed, browser: Browser, screenshots: Path) -> None:
    begun = time.monotonic()
    try:
        installed.start()
        visitor = Visitor(browser.new_context(viewport={"width": 1440, "height": 900}).new_page(), installed.origin, screenshots)
        page = visitor.page
        page.goto(installed.link)
        button = page.get_by_role("button", name="Start and watch").first
        expect(button).to_have_count(1)
        button.click()
        visitor.wait(lambda: drawn(page), "the first structure is drawn")
        before = pixels(supernet(page))
        visitor.wait(lambda: changed_share(before, pixels(supernet(page))) > MOVED, "the edges move")
        print(f"measured: first live frame {time.monotonic() - begun:.0f} s after nascope up")
        visitor.shot("installed-first-frame")
        assert visitor.unexpected() == []
        visitor.context.close()
    finally:
        assert installed.stop() == 0
    state = installed.home / ".local" / "share" / "nascope"
    assert (state / "db.sqlite3").is_file() and (state / "secret_key").is_file() and any((state / "runs").iterdir())
    assert not (installed.folder / "var").exists()


def test_one_s_own_table_on_the_command_line(installed: Installed) -> None:
    rng = random.Random(0)
    rows = [f"{rng.gauss(kind, 0.5):.3f},{rng.gauss(-kind, 0.5):.3f},{'abc'[kind]}" for _ in range(60) for kind in range(3)]
    (installed.folder / "mine.csv").write_text("\n".join(["width,height,kind", *rows]) + "\n")
    words = ["run", "--algorithm", "random", "--space", "mlp", "--dataset", "mine.csv", "--target", "kind", "--budget", "trials=2",
             "--set", "finale.baselines=0", "--set", "finale.onnx=false", "--out", "runs/mine"]
    done = subprocess.run([*installed.program, *words], cwd=installed.folder, env=installed.environment, capture_output=True, text=True,
                          timeout=10 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert "finished, test (once)" in done.stdout and (installed.folder / "runs" / "mine" / "model").is_dir()
    assert any((installed.home / ".local" / "share" / "nascope" / "own").iterdir())
