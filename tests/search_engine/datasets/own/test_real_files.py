"""Imports of files that people really have: tables, series, a zip of photographs' pictures."""

from __future__ import annotations

import io
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search_engine.datasets.idx_file import read_idx
from search_engine.datasets.own import entry as entries
from search_engine.datasets.own.importing import keep
from search_engine.datasets.own.samples import OwnSamples
from search_engine.datasets.readers.packed_jpegs import packed
from search_engine.datasets.readers.time_series import read_series
from tests.absent import need_data
from tests.search_engine.datasets.own.made_files import draft_of, kept, png, zipped


@pytest.mark.parametrize(
    ("name", "rows", "inputs", "classes", "across"), [("letter", 20_000, 16, 26, 409), ("spam", 4_601, 57, 2, 96)]
)
def test_tables_of_the_uci_archive(data_dir: Path, name: str, rows: int, inputs: int, classes: int, across: int) -> None:
    need_data(data_dir, f"tabular/{name}.csv.gz")
    draft = draft_of(data_dir / f"tabular/{name}.csv.gz")
    assert (len(draft.targets), draft.shape, len(draft.class_names), draft.target) == (rows, (inputs,), classes, "label")
    assert {note.code: note.count for note in draft.notices}["across"] == across, "known repeats of these sets"
    assert not [column.name for column in draft.columns if column.gives_away is not None or column.kind == "dropped"]


@pytest.mark.parametrize(
    ("name", "shape", "classes", "test"),
    [("ItalyPowerDemand", (1, 24), 2, 1029), ("BasicMotions", (6, 100), 4, 40), ("JapaneseVowels", (12, 25), 9, 370)],
)
def test_series_of_the_ucr_and_uea_archives_keep_their_split(
    data_dir: Path, tmp_path: Path, name: str, shape: tuple[int, ...], classes: int, test: int
) -> None:
    file = f"timeseries/{name}.npz"
    need_data(data_dir, file)
    made = kept(data_dir / file, tmp_path)
    assert (made.kind, tuple(made.shape), len(made.class_names)) == ("series", shape, classes)
    assert (made.split.kind, made.split.test) == ("own", test)
    entry = entries.entry(made.id, tmp_path)
    assert entry is not None and entry.input_kind == "series"
    samples = entry.open(entry.config(), Path("unused"))
    assert isinstance(samples, OwnSamples)
    data = samples.search_data(0)
    train = read_series(data_dir / file, "train")[0]
    assert np.array_equal(data.train.inputs, train[data.train.indices]) and len(data.preprocessing.mean) == shape[0]


def test_a_zip_of_clothes_as_png_is_the_clothes(data_dir: Path, tmp_path: Path) -> None:
    need_data(data_dir, "fashion_mnist/t10k-images-idx3-ubyte.gz", "fashion_mnist/t10k-labels-idx1-ubyte.gz")
    images = read_idx(data_dir / "fashion_mnist/t10k-images-idx3-ubyte.gz", 3)[:400]
    labels = read_idx(data_dir / "fashion_mnist/t10k-labels-idx1-ubyte.gz", 1)[:400]
    path = zipped(tmp_path / "clothes.zip", [(f"class {label}/{place:03d}.png", png(images[place])) for place, label in enumerate(labels)])
    made = kept(path, tmp_path / "own")
    order = np.argsort(labels, kind="stable")
    assert made.shape == [1, 28, 28] and made.class_names == [f"class {label}" for label in range(10)]
    folder = tmp_path / "own" / made.digest
    assert np.array_equal(np.load(folder / "inputs.npy")[:, 0], images[order])
    assert np.array_equal(np.load(folder / "targets.npy"), labels[order])


@pytest.mark.night
def test_fifty_thousand_pictures_take_less_than_two_gigabytes(data_dir: Path, tmp_path: Path) -> None:
    need_data(data_dir, "cifar10_jpeg/cifar10_jpeg.npz")
    part = packed(data_dir / "cifar10_jpeg/cifar10_jpeg.npz", "train")
    images = np.empty(part.shape, dtype=np.uint8)
    part.read(images)
    path = tmp_path / "cifar.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place, label in enumerate(part.labels.tolist()):
            file = io.BytesIO()
            Image.fromarray(images[place].transpose(1, 2, 0)).save(file, format="PNG")
            archive.writestr(f"{label}/{place:05d}.png", file.getvalue())
    made = keep(path, folder=tmp_path / "own")
    assert (made.rows, made.shape) == (50_000, [3, 32, 32])
    inputs = np.load(tmp_path / "own" / made.digest / "inputs.npy", mmap_mode="r")
    assert np.array_equal(inputs, images[np.argsort(part.labels, kind="stable")])
    # The largest child so far; in KiB.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < 2e9
