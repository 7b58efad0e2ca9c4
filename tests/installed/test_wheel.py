"""What is in the wheel: every file of the packages that git knows, the built front end, and nothing else."""

from __future__ import annotations

import email
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import search_engine
from tools import wheel as building

ROOT = building.ROOT


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return set(file.namelist())


def test_it_holds_what_git_knows_and_the_front_end(wheel: Path) -> None:
    info = f"nascope-{search_engine.__version__}.dist-info/"
    held = {name for name in names(wheel) if not name.startswith(info)}
    listed = subprocess.run(["git", "ls-files", *building.PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    front_end = {name for name in held if name.startswith("webapp/static/ui/")}
    assert held - front_end == {name for name in listed if (ROOT / name).is_file()}
    assert "webapp/static/ui/index.html" in front_end and any(name.endswith(".js") for name in front_end)
    assert not any("/." in name for name in front_end), "the stamps of the build"


def test_it_is_small_pure_and_says_what_it_is(wheel: Path) -> None:
    assert wheel.name == f"nascope-{search_engine.__version__}-py3-none-any.whl"
    assert wheel.stat().st_size <= building.MOST_BYTES
    with zipfile.ZipFile(wheel) as file:
        info = f"nascope-{search_engine.__version__}.dist-info/"
        metadata = email.message_from_bytes(file.read(info + "METADATA"))
        assert file.read(info + "entry_points.txt").decode().split() == ["[console_scripts]", "nascope", "=", "nascope.console:main"]
        assert info + "licenses/LICENSE" in file.namelist()
    assert metadata["Name"] == "nascope" and metadata["Version"] == search_engine.__version__
    assert metadata["License-Expression"] == "Apache-2.0" and metadata["Requires-Python"] == ">=3.11"
    needs = metadata.get_all("Requires-Dist") or []
    assert any(text.startswith("torch>=") for text in needs)
    assert not any(text.startswith(("psycopg", "channels-redis")) and "extra" not in text for text in needs)


@pytest.mark.slow
def test_equal_commits_give_equal_wheels(wheel: Path, tmp_path: Path) -> None:
    again = building.build(tmp_path)
    assert again.read_bytes() == wheel.read_bytes()


def test_what_lies_about_does_not_get_in(tmp_path: Path) -> None:
    """A module that git does not know, an old build."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in building.files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    subprocess.run(["git", "add", *building.PACKAGES], cwd=tmp_path, check=True)
    known = building.files(tmp_path)
    (tmp_path / "search_engine" / "scratch.py").write_text("")
    (tmp_path / "build" / "lib" / "webapp").mkdir(parents=True)
    (tmp_path / "build" / "lib" / "webapp" / "old.py").write_text("")
    assert building.files(tmp_path) == known


READS = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
from search_engine.primitives.native import build
from search_engine.atlas import entry
shell = Client(SERVER_NAME="localhost").get("/")
print(json.dumps({
    "root": str(settings.BASE_DIR), "home": str(settings.NASCOPE_HOME), "static": [str(item) for item in settings.STATICFILES_DIRS],
    "shell": shell.status_code, "built": "/static/ui/assets/" in shell.content.decode(),
    "source": build.SOURCE.is_file(), "entries": len(list(entry.HERE.rglob("*.toml"))),
}))
"""


def test_what_is_read_at_run_time_is_read_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """Unpacked elsewhere, without the checkout: the shell of the pages, the atlas, the kernel's source; and state lies with the user."""
    site, user = tmp_path / "site-packages", tmp_path / "user"
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)
    own = ("DATABASE_URL", "REDIS_URL", "NASCOPE_HOME", "NASCOPE_DATA", "NASCOPE_OWN")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    more = {"PYTHONPATH": str(site), "XDG_DATA_HOME": str(user), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    done = subprocess.run([sys.executable, "-c", READS], cwd=tmp_path, env=environment | more, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == {
        "root": str(site), "home": str(user / "nascope"), "static": [str(site / "webapp" / "static")],
        "source": True, "shell": 200, "built": True,
        "entries": len(list((ROOT / "search_engine" / "atlas").rglob("*.toml"))),
    }
    assert (user / "nascope" / "secret_key").stat().st_mode & 0o077 == 0
