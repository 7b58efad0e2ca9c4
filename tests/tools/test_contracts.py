"""The contracts see an import whatever its way, and let pass what only an entry names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.string_imports import ENTRY_KEYWORDS

from .planted import WAYS, build, every_way, lint


@pytest.mark.parametrize(("contract", "room", "module"), [
    ("layers", "cellar", "house.roof"),
    ("independence", "rooms/kitchen", "house.rooms.study.desk"),
])
def test_every_way_of_importing_breaks_a_contract(contract: str, room: str, module: str, tmp_path: Path) -> None:
    done = lint(build(tmp_path, every_way(room, module)), contract)
    assert done.returncode == 1, done.stdout + done.stderr
    missed = [way for way in WAYS if f"house.{room.replace('/', '.')}.{way} -> {module} " not in done.stdout]
    assert not missed, done.stdout


def test_packages_of_others_are_found_too(tmp_path: Path) -> None:
    done = lint(build(tmp_path, every_way("cellar", "xml.dom")), "forbidden")
    assert done.returncode == 1, done.stdout + done.stderr
    missed = [way for way in WAYS if f"house.cellar.{way} -> xml " not in done.stdout]
    assert not missed, done.stdout


def test_imports_downwards_are_kept(tmp_path: Path) -> None:
    done = lint(build(tmp_path, every_way("rooms/study", "house.cellar.wine")), "layers")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept" in done.stdout


def test_what_an_entry_names_may_stand_above_it(tmp_path: Path) -> None:
    named = ", ".join(f"{keyword}='house.roof:build'" for keyword in sorted(ENTRY_KEYWORDS))
    done = lint(build(tmp_path, {"cellar/wine.py": f"ENTRY = Entry(id='wine', {named})\n"}), "layers")
    assert done.returncode == 0, done.stdout + done.stderr


def test_another_keyword_is_no_excuse(tmp_path: Path) -> None:
    done = lint(build(tmp_path, {"cellar/wine.py": "ENTRY = Entry(id='wine', maker='house.roof:build')\n"}), "layers")
    assert done.returncode == 1, done.stdout + done.stderr


def test_a_module_named_in_a_text_is_no_import(tmp_path: Path) -> None:
    source = '"""See house.roof: it builds."""\nNOTE = "made by house.roof"\nlog("house.roof")\n'
    done = lint(build(tmp_path, {"cellar/wine.py": source}), "layers")
    assert done.returncode == 0, done.stdout + done.stderr
