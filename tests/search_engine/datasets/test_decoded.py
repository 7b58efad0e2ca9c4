"""Decoded pictures in a file: used while their source is the same, never half there, and never in the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search_engine.datasets import decoded as module
from search_engine.datasets.decoded import decoded
from search_engine.datasets.official_split import OfficialSplit
from tests import made_pictures as made
from tests.search_engine.datasets.test_photographs import opened

SHAPE = (5, 3, 4, 4)
PIXELS = made.random_pictures(5, 4)


class Reader:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, out: np.ndarray) -> None:
        self.asked += 1
        out[:] = PIXELS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "decoded"


def test_a_copy_is_made_once_and_mapped(home: Path) -> None:
    reader = Reader()
    for _ in range(3):
        images = decoded("a", "source", SHAPE, reader)
        assert np.array_equal(images, PIXELS) and isinstance(images, np.memmap) and not images.flags.writeable
    assert reader.asked == 1 and [path.name.split(".")[0] for path in home.iterdir()] == ["a"]


def test_another_source_is_read_anew_and_takes_the_place(home: Path) -> None:
    reader = Reader()
    decoded("a", "source", SHAPE, reader)
    decoded("b", "source", SHAPE, reader)
    decoded("a", "changed", SHAPE, reader)
    assert reader.asked == 3 and sorted(path.name.split(".")[0] for path in home.iterdir()) == ["a", "b"]


def test_another_version_of_pillow_is_another_source(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    decoded("a", "source", SHAPE, reader)
    monkeypatch.setattr("PIL.__version__", "1.0")
    decoded("a", "source", SHAPE, reader)
    assert reader.asked == 2


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", None])
def test_a_damaged_copy_is_made_anew(damage: bytes | None, home: Path) -> None:
    reader = Reader()
    decoded("a", "source", SHAPE, reader)
    [path] = home.iterdir()
    path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    assert np.array_equal(decoded("a", "source", SHAPE, reader), PIXELS) and reader.asked == 2


def test_a_failure_leaves_nothing(home: Path) -> None:
    def fails(out: np.ndarray) -> None:
        out[0] = 1
        raise ValueError("picture 1 is damaged")

    with pytest.raises(ValueError, match="picture 1"):
        decoded("a", "source", SHAPE, fails)
    assert list(home.iterdir()) == []


def test_where_nothing_can_be_kept_the_pictures_are_read_all_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.parent.mkdir()
    home.write_text("a file where the folder should be")
    reader = Reader()
    assert np.array_equal(decoded("a", "source", SHAPE, reader), PIXELS)
    home.unlink()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.np.lib.format, "write_array_header_1_0", full)
    assert np.array_equal(decoded("a", "source", SHAPE, reader), PIXELS)
    assert reader.asked == 2 and list(home.iterdir()) == []


def test_data_sets_keep_no_second_copy_in_memory(home: Path, tmp_path: Path) -> None:
    """What a unit needs counts what is kept: nothing of mapped pictures, all of others."""
    made.write_jpeg_copy(tmp_path)
    made.write_cifar10(tmp_path)
    mapped, read = opened("cifar10_jpeg", tmp_path), opened("cifar10", tmp_path)
    assert isinstance(mapped, OfficialSplit) and isinstance(read, OfficialSplit)
    assert mapped.kept_bytes == 0 and read.kept_bytes == 100 * 3 * 32 * 32
    part = mapped.search_data(0).train.inputs
    assert type(part) is np.ndarray and not isinstance(part.base, np.memmap)
