"""Pictures, arrays and series: any form in, one form out, and what was done is said."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search_engine.base.errors import BadInput
from search_engine.datasets.own import entry as entries
from search_engine.datasets.own.draft import Draft
from search_engine.datasets.own.splitting import TEST
from search_engine.datasets.statistics import image_preprocessing
from tests.search_engine.datasets.own.made_files import class_folders, draft_of, kept, png, zipped

RNG = np.random.RandomState(0)


def said(draft: Draft) -> dict[str, int]:
    return {note.code: note.count for note in draft.notices}


def stored_inputs(path: Path, folder: Path, **choices: object) -> np.ndarray:  # type: ignore[type-arg]
    made = kept(path, folder, **choices)
    return np.load(folder / made.digest / "inputs.npy")  # type: ignore[no-any-return]


def of_kinds(path: Path) -> Path:
    """Twelve pictures of two classes, every one of another kind."""
    colour = RNG.randint(0, 255, (30, 20, 3), dtype=np.uint8)
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(colour).save(turned, format="PNG", exif=exif)
    kinds = [
        png(colour), png(colour, "RGBA"), png(colour, "L"), png(colour, "P"), png(colour[:, :, 0].astype(np.uint16) * 257),
        turned.getvalue(),
        png(colour, "CMYK", "JPEG"), png(colour, "1"), png(colour, "LA"), png(RNG.randint(0, 255, (64, 64, 3), dtype=np.uint8)),
        png(colour, form="BMP"), png(colour, form="GIF"),
    ]
    return zipped(path, [(f"{'ab'[place % 2]}/{place}.png", data) for place, data in enumerate(kinds)])


def test_pictures_of_every_kind_get_one_form_and_each_change_is_counted(tmp_path: Path) -> None:
    draft = draft_of(of_kinds(tmp_path / "kinds.zip"))
    assert draft.kind == "image" and draft.shape == (3, 32, 32)
    assert said(draft) == {"resized": 12, "alpha": 2, "deep": 1, "turned": 1, "coloured": 4, "cmyk": 1}
    inputs = stored_inputs(tmp_path / "kinds.zip", tmp_path / "own")
    assert inputs.shape == (12, 3, 32, 32) and inputs.dtype == np.uint8


def test_pictures_of_one_small_size_stay_bit_for_bit(tmp_path: Path) -> None:
    pixels = RNG.randint(0, 255, (20, 9, 7, 3), dtype=np.uint8)
    path = zipped(tmp_path / "same.zip", [(f"{'ab'[place % 2]}/{place:02d}.png", png(item)) for place, item in enumerate(pixels)])
    inputs, draft = stored_inputs(path, tmp_path / "own"), draft_of(path)
    assert np.array_equal(inputs, np.concatenate([pixels[::2], pixels[1::2]]).transpose(0, 3, 1, 2)) and not draft.notices


def test_sixteen_bits_become_eight_and_transparency_black(tmp_path: Path) -> None:
    deep = np.full((8, 8), 65535, dtype=np.uint16)
    deep[0, 0] = 257 * 17
    clear = Image.new("RGBA", (8, 8), (200, 100, 50, 0))
    empty = io.BytesIO()
    clear.save(empty, format="PNG")
    files = {"clear": empty.getvalue(), "deep": png(deep)}
    path = zipped(tmp_path / "two.zip", [(f"{name}/{place}.png", data) for name, data in files.items() for place in range(5)])
    inputs = stored_inputs(path, tmp_path / "own")
    assert (inputs[:5] == 0).all() and inputs[5, :, 0, 0].tolist() == [17] * 3 and (inputs[5, :, 1:] == 255).all()


def test_side_and_channels_can_be_chosen(tmp_path: Path) -> None:
    path = of_kinds(tmp_path / "kinds.zip")
    assert stored_inputs(path, tmp_path / "own", side=12, channels=1).shape == (12, 1, 12, 12)


def test_folders_called_train_and_test_are_the_owners_split(tmp_path: Path) -> None:
    draft = draft_of(class_folders(tmp_path / "parts.zip", around="all/", parts=("train/", "test/")))
    assert draft.class_names == ["dark", "light"] and draft.split.kind == "own" and draft.split.test == 16 and draft.shape == (1, 8, 8)


def test_a_list_names_the_pictures_and_what_they_are(tmp_path: Path) -> None:
    pictures = [(f"img/{place}.png", png(RNG.randint(0, 255, (8, 8), dtype=np.uint8))) for place in range(24)]
    lines = ["picture;weight;kind", *(f"{place}.png;{place * 1.5};{'ab'[place % 2]}" for place in range(22)), "99.png;1;a"]
    path = zipped(tmp_path / "list.zip", [*pictures, ("list.csv", "\n".join(lines))])
    classes, numbers = draft_of(path), draft_of(path, target="weight")
    assert classes.class_names == ["a", "b"] and len(classes.targets) == 22
    assert numbers.task == "regression" and numbers.targets.tolist() == [place * 1.5 for place in range(22)]
    assert [note.count for note in classes.notices if note.code == "no_target"] == [1, 2]
    with pytest.raises(BadInput, match="no column 'size'"):
        draft_of(path, target="size")


def test_equal_pictures_on_both_sides_of_the_split_are_counted(tmp_path: Path) -> None:
    same = [png(RNG.randint(0, 255, (8, 8), dtype=np.uint8)) for _ in range(6)]
    path = zipped(tmp_path / "twice.zip", [(f"{'ab'[place % 2]}/{place:02d}.png", same[place % 6]) for place in range(36)])
    draft = draft_of(path)
    assert said(draft)["repeats"] == 30 and said(draft)["across"] == int((draft.roles == TEST).sum())
    assert draft.samples and all(sample.part == "search" and sample.picture for sample in draft.samples)


def test_normalisation_of_pictures_is_of_the_training_part(tmp_path: Path) -> None:
    made = kept(class_folders(tmp_path / "c.zip", each=30), tmp_path / "own")
    entry = entries.entry(made.id, tmp_path / "own")
    assert entry is not None
    data = entry.open(entry.config(), Path("unused")).search_data(0)  # type: ignore[union-attr]
    assert data.preprocessing == image_preprocessing(data.train.inputs, 255.0) and len(data.train) + len(data.validation) == 48


@pytest.mark.parametrize(
    ("arrays", "kind", "shape"),
    [
        ({"x": RNG.randn(60, 5), "y": RNG.randint(0, 3, 60)}, "vector", (5,)),
        (
            {"x_train": RNG.randn(40, 2, 9), "y_train": ["a", "b"] * 20, "x_test": RNG.randn(10, 2, 9), "y_test": ["a", "b"] * 5},
            "series", (2, 9),
        ),
        ({"images": RNG.randint(0, 255, (60, 9, 9, 3), dtype=np.uint8), "labels": [0, 1] * 30}, "image", (3, 9, 9)),
        ({"images": RNG.rand(60, 9, 9), "labels": [0, 1] * 30}, "series", (9, 9)),
        ({"data": RNG.randint(0, 255, (60, 8, 8), dtype=np.uint8), "target": [0, 1] * 30}, "image", (1, 8, 8)),
    ],
)
def test_arrays_are_told_by_their_shape_and_type(tmp_path: Path, arrays: dict[str, object], kind: str, shape: tuple[int, ...]) -> None:
    np.savez(tmp_path / "a.npz", **{name: np.asarray(value) for name, value in arrays.items()})  # type: ignore[arg-type]
    draft = draft_of(tmp_path / "a.npz")
    assert (draft.kind, draft.shape) == (kind, shape)
    assert draft.split.kind == ("own" if "x_test" in arrays else "stratified")


def test_the_last_column_of_an_array_is_the_target(tmp_path: Path) -> None:
    array = RNG.randn(50, 4)
    np.save(tmp_path / "a.npy", array)
    draft = draft_of(tmp_path / "a.npy")
    assert draft.task == "regression" and np.allclose(draft.targets, array[:, 3]) and draft.shape == (3,)


def ts(series: list[str], head: str = "@problemName x\n@classLabel true a b\n") -> str:
    return f"# made\n{head}@data\n" + "\n".join(series) + "\n"


def test_text_series_are_read_as_aeon_writes_them(tmp_path: Path) -> None:
    values = RNG.randn(30, 2, 7).round(3)
    cells = [":".join(",".join(map(str, channel)) for channel in item) for item in values.tolist()]
    lines = [f"{series}:{'ab'[place % 2]}" for place, series in enumerate(cells)]
    (tmp_path / "s.ts").write_text(ts(lines))
    draft = draft_of(tmp_path / "s.ts")
    assert (draft.kind, draft.shape, draft.class_names) == ("series", (2, 7), ["a", "b"])
    assert np.allclose(stored_inputs(tmp_path / "s.ts", tmp_path / "own"), values, atol=1e-6)
    both = zipped(tmp_path / "both.zip", [("x/X_TRAIN.ts", ts(lines[:20])), ("x/X_TEST.ts", ts(lines[20:]))])
    assert draft_of(both).split.words.startswith("10 of 30")
    assert draft_of(tmp_path / "s.ts", series="statistics").shape == (6,) and draft_of(tmp_path / "s.ts", series="values").shape == (14,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ts(["1,2,3:a", "1,2:b"]), "line 6: its series have 1 channel"), (ts(["1,?,3:a"]), "line 5: it has a missing value"),
        (ts(["1,2,x:a"]), "must be numbers"), (ts(["1,2,3"]), "no colon"), (ts([]), "no series"),
        (ts(["1,2:a"], "@timeStamps true\n"), "time stamps"), (ts(["1,2:a"], "@univariate true\n"), "nothing to predict"),
    ],
)
def test_series_that_cannot_be_read_name_the_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "s.ts").write_text(text)
    with pytest.raises(BadInput, match=says):
        draft_of(tmp_path / "s.ts")


def idx(array: np.ndarray) -> bytes:  # type: ignore[type-arg]
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


def test_a_zip_of_idx_files(tmp_path: Path) -> None:
    images, labels = RNG.randint(0, 255, (50, 6, 5)), np.arange(50) % 3
    files = [
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(images[:40]))), ("train-labels-idx1-ubyte", idx(labels[:40])),
        ("t10k-images-idx3-ubyte", idx(images[40:])), ("t10k-labels-idx1-ubyte", idx(labels[40:])),
    ]
    path = zipped(tmp_path / "idx.zip", files)
    draft = draft_of(path)
    assert draft.shape == (1, 6, 5) and draft.split.kind == "own" and draft.targets.tolist() == labels.tolist()
    assert np.array_equal(stored_inputs(path, tmp_path / "own")[:, 0], images)
    with pytest.raises(BadInput, match="each part needs"):
        draft_of(zipped(tmp_path / "half.zip", files[:3]))
