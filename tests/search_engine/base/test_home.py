"""Where state lies: beside a checkout, in a folder of the user's own, or where the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from search_engine.base import home
from search_engine.datasets.own.stored import own_folder

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NASCOPE_HOME", "NASCOPE_DATA", "NASCOPE_OWN", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "checkout", lambda: None)


def test_a_checkout_keeps_its_var(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the working directory."""
    monkeypatch.chdir(tmp_path)
    assert home.checkout() == ROOT
    assert home.home() == ROOT / "var" and home.data_folder() == ROOT / "var" / "data" and own_folder() == ROOT / "var" / "own"


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, installed: None) -> None:
    monkeypatch.setenv("NASCOPE_HOME", "/srv/one")
    assert home.home() == Path("/srv/one") and home.data_folder() == Path("/srv/one/data")
    monkeypatch.setenv("NASCOPE_DATA", "/srv/files")
    assert home.data_folder() == Path("/srv/files")


def test_another_home_of_a_checkout_has_the_checkout_s_data_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASCOPE_HOME", "/srv/one")
    assert home.home() == Path("/srv/one") and home.data_folder() == ROOT / "var" / "data"


def test_installed_as_a_package_it_is_the_user_s_folder(monkeypatch: pytest.MonkeyPatch, installed: None, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(home.sys, "platform", "linux")
    assert home.home() == tmp_path / "nascope" and home.data_folder() == tmp_path / "nascope" / "data"


def test_the_folder_of_each_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert home.user_folder("linux", {}) == Path("/home/ada/.local/share/nascope")
    assert home.user_folder("linux", {"XDG_DATA_HOME": "data"}) == Path("/home/ada/.local/share/nascope"), "a relative one is ignored"
    assert home.user_folder("darwin", {"XDG_DATA_HOME": "/x"}) == Path("/home/ada/Library/Application Support/nascope")
    assert home.user_folder("win32", {}) == Path("/home/ada/AppData/Local/nascope")
    assert home.user_folder("win32", {"LOCALAPPDATA": "/local"}) == Path("/local/nascope")


def test_what_is_a_checkout(tmp_path: Path) -> None:
    for name in ("clone", "site-packages"):
        (tmp_path / name).mkdir()
        assert home.checkout(tmp_path / name) is None
        # Some distributions lay their manage.py among the packages.
        (tmp_path / name / "manage.py").write_text("")
    assert home.checkout(tmp_path / "clone") == tmp_path / "clone" and home.checkout(tmp_path / "site-packages") is None
