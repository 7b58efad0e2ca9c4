"""The console script: one help, whose words lead to the engine's command line and to Django's, and one sentence where it cannot begin."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from nascope import console, own_packages
from tests.search_engine import strangers

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("up", "run", "open", "data", "algorithms", "spaces", "datasets", "check", "estimate", "manage")


def nascope(*words: str, folder: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nascope", *words], cwd=folder, env={**os.environ, "DATABASE_URL": "", "PYTHONPATH": str(ROOT), **more},
        capture_output=True, text=True, check=False,
    )


def test_one_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        console.main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: nascope ")
    assert set(COMMANDS) <= set(re.findall(r"^    (\w+)", said, re.MULTILINE))


def test_the_engine_s_words_are_the_engine_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.main(["spaces"]) == 0
    assert "tabular_cell" in capsys.readouterr().out
    assert console.main(["check", "no_such_method"]) == 2
    assert "no_such_method" in capsys.readouterr().err
    assert console.main(["estimate", "--algorithm", "random", "--space", "sequence", "--budget", "trials=5"]) == 0
    assert "could be started" in capsys.readouterr().out


def test_the_web_application_s_words_are_django_s(tmp_path: Path) -> None:
    done = nascope("up", "--help", NASCOPE_HOME=str(tmp_path))
    assert done.returncode == 0 and done.stdout.startswith("usage: nascope up "), done.stderr
    # Of somebody who works on a project of his own.
    listed = nascope("manage", NASCOPE_HOME=str(tmp_path), DJANGO_SETTINGS_MODULE="shop.settings")
    assert {"login_link", "worker", "up", "changepassword"} <= set(listed.stdout.split()), listed.stderr


def test_another_s_package_is_told_of_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "webapp").mkdir()
    (tmp_path / "webapp" / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    done = nascope("spaces", folder=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines() == [
        f"error: Python would import the package 'webapp' from {tmp_path / 'webapp'}, not NAScope's own in {ROOT}: start from another "
        "folder, or install nascope into an environment of its own"
    ]
    assert own_packages.complaint() == "", "here nothing stands in the way"


def distribution(folder: Path, name: str, *files: str, source: str = "") -> None:
    """An installed distribution as pip leaves it behind: modules, and a record of their digests."""
    rows = []
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(source)
        digest = urlsafe_b64encode(hashlib.sha256(source.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{file},sha256={digest},{len(source)}")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("\n".join(rows) + "\n")


def complaint_in(site: Path) -> str:
    """What the copy of the check in `site` says, asked by a process that sees `site` first."""
    (site / "nascope").mkdir()
    (site / "nascope" / "__init__.py").write_text("")
    (site / "nascope" / "own_packages.py").write_text((ROOT / "nascope" / "own_packages.py").read_text())
    done = subprocess.run(
        [sys.executable, "-c", "from nascope.own_packages import complaint; print(complaint())"], cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=True,
    )
    return done.stdout.strip()


def test_a_package_that_another_one_overwrote_is_told_of(tmp_path: Path) -> None:
    site = tmp_path / "site"
    distribution(site, "nascope", "search_engine/__init__.py", "webapp/__init__.py", source="# ours")
    distribution(site, "other-shop", "webapp/__init__.py", "webapp/shop.py", source="# theirs")
    said = complaint_in(site)
    assert said.startswith(f"NAScope's package 'webapp' in {site} was overwritten by other-shop")


def test_an_installation_as_it_should_be_is_not_complained_of(tmp_path: Path) -> None:
    site = tmp_path / "site"
    distribution(site, "nascope", "search_engine/__init__.py", "webapp/__init__.py", source="# ours")
    assert complaint_in(site) == ""


def test_a_missing_package_is_told_of(tmp_path: Path) -> None:
    site = tmp_path / "site"
    distribution(site, "nascope", "search_engine/__init__.py", source="# ours")
    assert complaint_in(site) == f"NAScope's package 'webapp' is missing beside {site / 'nascope'}: install nascope again"


@pytest.mark.parametrize(
    ("source", "status", "said"), [
        (strangers.GOOD.replace("quick=QUICK_TRIALS", "quick=QUICK_TRIALS, structure=('marginals',)"), 0, "10 of 10 promises are kept"),
        (strangers.GOOD, 1, "what is drawn must be declared: marginals"),
    ], ids=["kept", "undeclared"],
)  # fmt: skip
@pytest.mark.slow
def test_a_stranger_s_algorithm_is_checked(source: str, status: int, said: str, tmp_path: Path) -> None:
    site = strangers.install(tmp_path / "site", "coins", {"toss": source}, {"nascope.algorithms": {"coin": "coins.toss:ENTRY"}})
    done = nascope("check", "coin", folder=tmp_path, PYTHONPATH=os.pathsep.join([str(site), str(ROOT)]))
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout
