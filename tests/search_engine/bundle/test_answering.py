"""What is answered of an input here is what the download's own predict.py says of it; and what cannot be answered is told in its words."""

from __future__ import annotations

import csv
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search_engine.base.errors import BadInput
from search_engine.bundle.answering import Answering, Asked, Limits, ending
from search_engine.bundle.answers import Answered, InputForm, NotAskable, form_of
from search_engine.bundle.archive import write_archive
from search_engine.datasets.transformation import TargetRule
from tests.search_engine.bundle.test_export import fresh, train
from tests.search_engine.bundle.test_own_table import CELLS, FITTED, written


@pytest.fixture(scope="module")
def answering() -> Iterator[Answering]:
    """One process for all questions of this file: a question must find nothing of those before."""
    made = Answering()
    yield made
    made.end()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    train("cell", "digits", place, epochs=1).export(place / "model")
    return place / "model"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("table"), FITTED, onnx=False)


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = TargetRule(name="rent", kind="number", mean=700.0, std=150.0)
    return written(tmp_path_factory.mktemp("regression"), FITTED.model_copy(update={"target": target}), "regression", onnx=False)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of series: two channels at twelve moments, of numbers of this test."""
    from dataclasses import replace

    import torch
    from torch import nn

    from search_engine.datasets.base import Part
    from search_engine.spaces.data_shape import DataShape, Preprocessing

    place = tmp_path_factory.mktemp("series")
    made = train("mlp", "wine", place, epochs=1)
    torch.manual_seed(3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(24, 3))
    part = Part(np.random.default_rng(1).normal(size=(12, 2, 12)).astype(np.float32), np.arange(12) % 3, np.arange(12))
    data = replace(
        made.data, shape=DataShape((2, 12), 3), train=part, validation=part, feature_names=(),
        preprocessing=Preprocessing(scale=1.0, mean=(0.5, 0.0), std=(2.0, 1.0)),
    )
    made.export(place / "model", network=network, data=data, test=part, metrics={}, space=type(made.space)(made.space.config, data.shape))
    return place / "model"


def ask(answering: Answering, folder: Path, file: Path | None, place: Path, limits: Limits | None = None, invert: bool = False) -> Answered:
    write_archive(folder, place / "model.zip")
    with (place / "model.zip").open("rb") as archive:
        return answering.ask(archive, Asked(file, invert), place, limits or Limits(), lambda: None)


MANY = """
import contextlib, io, json, runpy, sys
for file, out, *more in json.loads(sys.argv[1]):
    sys.argv = ["predict.py", file, "--out", out, *more]
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path("predict.py", run_name="__main__")
"""
"""predict.py for many files, and torch once."""


def own(folder: Path, *asked: tuple[Path, *tuple[str, ...]]) -> list[list[list[str]]]:
    """What predict.py of the download says of each file, in a process of its own."""
    outs = [file.with_name(f"own{number}.csv") for number, (file, *_) in enumerate(asked)]
    words = [[str(file), str(out), *more] for (file, *more), out in zip(asked, outs, strict=True)]
    done = fresh(folder, "-c", "import sys; sys.path.insert(0, '.')" + MANY, json.dumps(words))
    assert done.returncode == 0, done.stderr
    return [list(csv.reader(out.read_text(encoding="utf-8-sig").splitlines())) for out in outs]


def same(answered: Answered, rows: list[list[str]]) -> None:
    """Equal in every digit that predict.py writes, class by class."""
    head, *rows = rows
    assert len(answered.examples) == len(rows)
    for example, row in zip(answered.examples, rows, strict=True):
        if example.values:
            assert [(item.name, item.value) for item in example.values] == list(zip(head[1:], map(float, row[1:]), strict=True))
            continue
        shares = {f"p({item.name})": item.probability for item in example.classes}
        assert shares == dict(zip(head[3:], map(float, row[3:]), strict=True))
        assert [item.probability for item in example.classes] == sorted(shares.values(), reverse=True)
        assert example.classes[0].name == row[1].removeprefix("'")


def sample(folder: Path, place: Path) -> Path:
    """The download's own, elsewhere."""
    name = json.loads((folder / "manifest.json").read_text())["sample"]["file"]
    (place / name).write_bytes((folder / name).read_bytes())
    return place / name


# ---- equal to predict.py


def test_pictures(answering: Answering, pictures: Path, tmp_path: Path) -> None:
    chance = np.random.default_rng(4)
    made = {
        "grey.png": chance.integers(0, 255, (8, 8), dtype=np.uint8), "colour.png": chance.integers(0, 255, (40, 90, 3), dtype=np.uint8),
        "clear.png": chance.integers(0, 255, (30, 20, 4), dtype=np.uint8),
        "photo.jpg": chance.integers(0, 255, (99, 70, 3), dtype=np.uint8),
        "deep.png": chance.integers(0, 65535, (16, 16), dtype=np.uint16),
    }
    for name, points in made.items():
        Image.fromarray(points).save(tmp_path / name)
    files = [tmp_path / name for name in made]
    expected = own(pictures, *((file,) for file in files), *((file, "--invert") for file in files), (sample(pictures, tmp_path),))
    for place, file in enumerate(files):
        answered = ask(answering, pictures, file, tmp_path)
        same(answered, expected[place])
        same(ask(answering, pictures, file, tmp_path, invert=True), expected[len(files) + place])
        height, width = made[file.name].shape[:2]
        assert answered.picture is not None and (answered.picture.width, answered.picture.height) == (width, height)
        assert answered.picture.taken == [1, 8, 8] and answered.picture.format == ("JPEG" if file.suffix == ".jpg" else "PNG")
    assert expected[0] != expected[len(files)], "light and dark are told apart"
    answered = ask(answering, pictures, None, tmp_path)
    same(answered, expected[-1])
    assert answered.model_seconds <= answered.seconds
    assert not [path for path in tmp_path.iterdir() if path.is_dir()], "nothing is left"


def test_a_row_with_categories_and_missing_values(answering: Answering, table: Path, tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["pay", "comment", "job", "Возраст"], *([pay, "x", job, age] for age, job, pay in CELLS)])
    (tmp_path / "row.csv").write_text("20,cook,1.5\n")
    rows, row = tmp_path / "rows.csv", tmp_path / "row.csv"
    expected = own(table, (rows,), (row,), (sample(table, tmp_path),))
    answered, alone = (ask(answering, table, file, tmp_path) for file in (rows, row))
    same(answered, expected[0])
    assert answered.notes == [
        "not used by the model: comment", "column 'job': not known to the model, and taken for none of its categories: 'baker', 'smith'",
    ]
    same(alone, expected[1])
    assert alone.examples[0] == answered.examples[0] and alone.notes == []
    same(ask(answering, table, None, tmp_path), expected[2])


def test_a_series(answering: Answering, series: Path, tmp_path: Path) -> None:
    values = np.random.default_rng(7).normal(size=(2, 12)).astype(np.float32)
    np.save(tmp_path / "one.npy", values)
    np.savetxt(tmp_path / "one.csv", values.reshape(1, -1), delimiter=",", fmt="%.9g")
    expected = own(series, (tmp_path / "one.npy",), (sample(series, tmp_path),))
    answered = [ask(answering, series, tmp_path / name, tmp_path) for name in ("one.npy", "one.csv")]
    same(answered[0], expected[0])
    assert answered[0].examples == answered[1].examples
    same(ask(answering, series, None, tmp_path), expected[1])


def test_a_value_in_the_target_s_units(answering: Answering, regression: Path, tmp_path: Path) -> None:
    (tmp_path / "row.csv").write_text("20,cook,1.5\n")
    answered = ask(answering, regression, tmp_path / "row.csv", tmp_path)
    same(answered, own(regression, (tmp_path / "row.csv",))[0])
    assert [item.name for item in answered.examples[0].values] == ["pay"] and not answered.examples[0].classes
    assert abs(answered.examples[0].values[0].value - 700) < 500, "no longer of mean 0 and deviation 1"


# ---- what is asked for


def form(folder: Path, place: Path) -> InputForm:
    write_archive(folder, place / "model.zip")
    with (place / "model.zip").open("rb") as archive:
        return form_of(archive)


def test_what_each_takes(pictures: Path, table: Path, series: Path, regression: Path, tmp_path: Path) -> None:
    forms = [form(folder, tmp_path) for folder in (pictures, table, series, regression)]
    assert [(found.kind, found.task) for found in forms] == [
        ("picture", "classification"), ("row", "classification"), ("series", "classification"), ("row", "regression"),
    ]
    assert [(column.name, column.kind, column.categories, column.may_miss) for column in forms[1].columns] == [
        ("Возраст", "number", [], True), ("job", "category", ["cook", "кузнец"], True), ("pay", "number", [], True),
    ]
    samples = [found.sample for found in forms]
    assert all(samples) and samples[0] is not None and samples[0].picture and samples[0].labels and not samples[0].text
    assert samples[1] is not None and samples[1].text.startswith("Возраст,job,pay\n")


def test_an_auto_encoder_has_nothing_to_tell(pictures: Path, tmp_path: Path) -> None:
    settings = json.loads((pictures / "preprocessing.json").read_text())
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "preprocessing.json").write_text(json.dumps({**settings, "task": "reconstruction"}))
    (tmp_path / "model" / "manifest.json").write_text("{}")
    with pytest.raises(NotAskable, match="it rebuilds its inputs"):
        form(tmp_path / "model", tmp_path)


@pytest.mark.parametrize(("kind", "name", "found"), [
    ("picture", "a.PNG", ".png"), ("picture", "a.heic", ".png"), ("picture", "a", ".png"), ("picture", "a.npy", ".npy"),
    ("picture", "a.csv", None), ("row", "C:\\tables\\a.TSV", ".tsv"), ("row", "", ".csv"), ("row", "a.png", None), ("row", "a.npy", None),
    ("series", "a.npz", ".npz"), ("series", "a.pkl", None), ("array", "a.png", None),
])  # fmt: skip
def test_which_files_are_taken(kind: Any, name: str, found: str | None) -> None:
    asked = InputForm(kind=kind, task="classification", shape=[3], columns=[], targets=["a"], sample=None)
    if found is not None:
        assert ending(asked, name) == found
        return
    with pytest.raises(BadInput) as refused:
        ending(asked, name)
    assert refused.value.field == "file" and "give a file that ends in" in refused.value.message


# ---- what cannot be answered


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims so many points, all black."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(min(height, 2000))) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def huge_npy(count: int) -> bytes:
    """An array whose head claims `count` numbers."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (count,)})
    return file.getvalue()


@pytest.mark.parametrize(("name", "content", "said"), [
    ("bomb.png", lambda: bomb(60_000, 60_000), "claims.*points"), ("large.png", lambda: bomb(9_000, 9_000), "claims 9,000 x 9,000 points"),
    ("cut.png", lambda: png()[:900], "cannot be read as a picture"), ("empty.png", lambda: b"", "cannot be read as a picture"),
    ("words.png", lambda: b"=cmd|' /C calc'!A0", "cannot be read as a picture"),
    ("script.png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "give a whole file in PNG, JPEG"),
    ("pickle.npy", lambda: b"\x80\x04cposix\nsystem\n.", "cannot|pickle|magic"), ("huge.npy", lambda: huge_npy(10**12), "memory"),
])  # fmt: skip
def test_a_hostile_picture(
    name: str, content: Callable[[], bytes], said: str, answering: Answering, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content())
    with pytest.raises(BadInput, match=said) as refused:
        ask(answering, pictures, tmp_path / name, tmp_path)
    assert refused.value.field == "file" and "input." not in refused.value.message and str(tmp_path) not in refused.value.message
    assert not [path for path in tmp_path.iterdir() if path.is_dir()], "nothing is left"


@pytest.mark.parametrize(("text", "said"), [
    ("Возраст,job\n3,cook\n", "the column 'pay' is missing; it has Возраст, job"),
    ("Возраст,job,pay\n=1+1,cook,2\n", "line 2, column 'Возраст': '=1.1' is no number"),
    ("Возраст,job,pay\n1,cook,many\n", "line 2, column 'pay': 'many' is no number"),
    ("1,cook\n", "it has 2 columns; an example of this model has 3: Возраст, job, pay"),
    ("1,cook,2,9\n", "it has 4 columns; an example of this model has 3"), ("", "no rows"),
    ("inf,cook,1\n", "'inf' is no number"), ("1e999,cook,1\n", "no numbers|no number"),
    ("pay,pay,job,Возраст\n1,1,cook,2\n", "the column 'pay' stands there 2 times"), ("1,cook,2\n" * 11, "at most 10 are answered here"),
])  # fmt: skip
def test_a_row_that_is_wrong_is_told_by_its_column(text: str, said: str, answering: Answering, table: Path, tmp_path: Path) -> None:
    (tmp_path / "row.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=said) as refused:
        ask(answering, table, tmp_path / "row.csv", tmp_path)
    assert refused.value.field == "file" and "input.csv" not in refused.value.message


def test_an_answer_has_its_time_and_one_that_is_given_up_ends(answering: Answering, pictures: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    for path in pictures.iterdir():
        (slow / path.name).write_bytes(path.read_bytes())
    (slow / "predict.py").write_text("import time\ntime.sleep(600)\n")
    with pytest.raises(BadInput, match=r"took longer than 0\.2 seconds"):
        ask(answering, slow, None, tmp_path, Limits(seconds=0.2 - 60 * (not answering._warm)))

    class Enough(Exception):
        pass

    def give_up() -> None:
        raise Enough

    write_archive(slow, tmp_path / "model.zip")
    with (tmp_path / "model.zip").open("rb") as archive, pytest.raises(Enough):
        answering.ask(archive, Asked(None), tmp_path, Limits(), give_up)
    assert answering._process is None, "whatever it did there has ended"
    assert len(ask(answering, pictures, None, tmp_path).examples) == 1, "and the next question is answered"


def test_memory_has_its_bound(answering: Answering, pictures: Path, tmp_path: Path) -> None:
    hungry = tmp_path / "hungry"
    hungry.mkdir()
    for path in pictures.iterdir():
        (hungry / path.name).write_bytes(path.read_bytes())
    (hungry / "predict.py").write_text("import numpy\nprint(numpy.ones(10**9).sum())\n")
    with pytest.raises(BadInput, match="more than the 300,000,000 bytes of memory"):
        ask(answering, hungry, None, tmp_path, Limits(memory=300_000_000))
