"""Bundles of networks that were trained on files of pictures: the reader goes along with what it imports, and repeats the score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_engine.bundle.verify import verify
from search_engine.catalogue import registry
from tests import made_pictures as made
from tests.search_engine.bundle.test_export import fresh, train

FILES = {
    "cifar10": {"arrays.py": False, "read_data.py": True},
    "cifar10_jpeg": {"arrays.py": True, "pictures.py": True, "read_data.py": True},
    "tiny_imagenet": {"image_folder.py": True, "pictures.py": True, "read_data.py": True},
}


@pytest.mark.parametrize(("name", "write", "options"), [
    ("cifar10", made.write_cifar10, {"labels": [8, 1, 4]}),
    ("cifar10_jpeg", made.write_jpeg_copy, {}),
    ("tiny_imagenet", lambda folder: made.write_tiny(folder, classes=6, test=4), {"classes": 4, "validation_share": 0.34, "copies": 2}),
], ids=["cifar10", "cifar10_jpeg", "tiny_imagenet"])
def test_a_download_reads_the_files_itself(
    name: str, write: Callable[[Path], Any], options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    write(tmp_path)
    network = train("nb201", name, tmp_path, epochs=1, **options)
    manifest = network.export(tmp_path / "model")
    here = {path.name for path in (tmp_path / "model").iterdir()}
    assert {file: file in here for file in FILES[name]} == FILES[name]
    assert all(f"{module}.py" in manifest["files"] for module in ("read_data", "evaluate"))
    with np.load(tmp_path / "model" / "test.npz", allow_pickle=False) as file:
        assert sorted(file.files) == ["indices", "labels"]
    assert verify(tmp_path / "model", tmp_path) == network.metrics["test_accuracy"]
    needs = (tmp_path / "model" / "requirements.txt").read_text()
    assert ("\npillow==" in needs) == (name != "cifar10")


def test_a_damaged_picture_is_named_by_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    path = made.write_jpeg_copy(tmp_path)
    notice = registry.dataset("cifar10_jpeg").notice
    train("nb201", "cifar10_jpeg", tmp_path, epochs=1).export(tmp_path / "model", warnings=[notice])
    # The label is on the card too: in the title, and as what to read beside the scores.
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text()
    assert "CIFAR-10, JPEG copy" in card and notice in card
    path.write_bytes(path.read_bytes()[:3000])
    said = fresh(tmp_path / "model", "evaluate.py", "--data", str(path.parent)).stderr
    assert said.startswith("the data set's files cannot be read:") and "cifar10_jpeg.npz is damaged" in said and "Traceback" not in said
