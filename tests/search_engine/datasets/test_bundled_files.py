"""Data that come with a package: a damaged file is named, with what mends it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from search_engine.base.errors import BadInput, MissingData
from search_engine.datasets import digits
from search_engine.datasets.readers import sklearn_csv
from tests.damage import DAMAGE, missing, unreadable

FILES: dict[str, tuple[ModuleType, Callable[[], object]]] = {
    "digits.csv.gz": (digits, digits._read), "wine_data.csv": (sklearn_csv, lambda: sklearn_csv.read_table("wine", "wine_data.csv")),
}


@pytest.mark.filterwarnings("ignore:loadtxt")
@pytest.mark.parametrize("damage", [item for item in DAMAGE if item is not unreadable], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_of_scikit_learn_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: Callable[[Path], None]
) -> None:
    module, read = FILES[name]
    whole = find_spec("sklearn")
    assert whole is not None and whole.submodule_search_locations
    path = tmp_path / "datasets" / "data" / name
    path.parent.mkdir(parents=True)
    shutil.copyfile(Path(whole.submodule_search_locations[0]) / "datasets" / "data" / name, path)
    copied = ModuleSpec("sklearn", None, is_package=True)
    copied.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(module, "find_spec", lambda _: copied)
    read()
    damage(path)
    if name.endswith(".csv") and damage.__name__ in ("flipped", "cut"):
        # Numbers as text hold no digest: only what is no table any more is found.
        path.write_text(path.read_text()[:-40])
    with pytest.raises(MissingData if damage is missing else BadInput, match=name) as refused:
        read()
    assert "pip install --force-reinstall scikit-learn" in str(refused.value)
