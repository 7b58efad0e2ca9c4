"""What people really give to a download's `predict.py`: tables as spreadsheets write them, pictures as cameras and editors do."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

ENGINE = Path(__file__).resolve().parents[3] / "search_engine"
STANDALONE = ENGINE / "bundle" / "standalone"
COLUMNS = ENGINE / "datasets" / "readers" / "columns.py"


def script(folder: Path, shape: list[int], names: list[str] | None = None, fitted: dict[str, Any] | None = None) -> Iterator[Any]:
    """`predict.py` in a download of a model that takes inputs of this shape."""
    settings = {"task": "classification", "input_shape": shape, "scale": 255.0, "mean": [0.0], "std": [1.0],
                "class_names": ["a", "b"], "feature_names": names or [], "transformation": fitted, "batch_size": 500}
    (folder / "preprocessing.json").write_text(json.dumps(settings))
    for path in [*STANDALONE.glob("*.py"), COLUMNS]:
        (folder / path.name).write_bytes(path.read_bytes())
    sys.modules["model"] = ModuleType("model")
    sys.modules["model"].load_model = lambda: None  # type: ignore[attr-defined]
    sys.path.insert(0, str(folder))
    try:
        about = importlib.util.spec_from_file_location("predict_of_a_download", folder / "predict.py")
        assert about is not None and about.loader is not None
        module = importlib.util.module_from_spec(about)
        about.loader.exec_module(module)
        yield module
    finally:
        for name in ("model", *(path.stem for path in folder.glob("*.py"))):
            sys.modules.pop(name, None)
        sys.path[:] = [place for place in sys.path if place != str(folder)]


@pytest.fixture
def of_rows(tmp_path: Path) -> Iterator[Any]:
    yield from script(tmp_path, [3])


@pytest.fixture
def of_pictures(tmp_path: Path) -> Iterator[Any]:
    yield from script(tmp_path, [1, 4, 4])


@pytest.mark.parametrize("text", [
    "1,2.5,3\n4,5,6\n", "\ufeff1,2.5,3\n4,5,6\n", "alcohol,malic,ash\n1,2.5,3\n4,5,6\n",
    '\ufeff"alcohol","malic","ash"\r\n1,2.5,3\r\n4,5,6\r\n',
    "1e0, 2.5, 3\n4, 5, 6", "1,2.5,3\n\n4,5,6\n\n",
])
def test_tables(text: str, of_rows: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(text.encode())
    assert of_rows.read_examples(tmp_path / "rows.csv", False).tolist() == [[1, 2.5, 3], [4, 5, 6]]


@pytest.mark.parametrize("data", [b"", b"a,b,c\n", b"1,2,3\nx,y,z\n", b"\xff\xfe\x00", b"1,2\n", b"1,2,nan\n"])
def test_what_is_no_table_is_told(data: bytes, of_rows: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(data)
    with pytest.raises(SystemExit) as stopped:
        of_rows.read_examples(tmp_path / "rows.csv", False)
    assert str(tmp_path / "rows.csv") in str(stopped.value)


def test_pictures_of_every_depth_show_the_same(of_pictures: Any, tmp_path: Path) -> None:
    grey = np.zeros((4, 4), np.uint8)
    grey[1:3, 1:3] = 128
    wide = grey.astype(np.uint16) * 257
    clear = np.dstack([np.full((4, 4, 3), 128, np.uint8), np.where(grey > 0, 255, 0).astype(np.uint8)])
    pictures = {
        "grey.png": Image.fromarray(grey), "grey16.png": Image.fromarray(wide), "rgb.png": Image.fromarray(np.dstack([grey] * 3)),
        "rgba.png": Image.fromarray(clear),
    }
    found = {}
    for name, picture in pictures.items():
        picture.save(tmp_path / name)
        found[name] = of_pictures.read_examples(tmp_path / name, False)
    for name, values in found.items():
        assert np.abs(values - found["grey.png"]).max() <= 1, name
    inverted = of_pictures.read_examples(tmp_path / "rgba.png", True)
    assert inverted[0, 0, 0, 0] == 0, "what is clear is the paper of a picture that is dark on light"


def test_a_wide_picture_is_cut_from_the_middle_and_small_steps_of_16_bits_stay(of_pictures: Any, tmp_path: Path) -> None:
    wide = np.zeros((4, 12), np.uint8)
    wide[:, 4:8] = 200
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert (of_pictures.read_examples(tmp_path / "wide.png", False) == 200).all()
    Image.fromarray(np.full((4, 4), 90, np.uint16)).save(tmp_path / "shallow.png")
    assert (of_pictures.read_examples(tmp_path / "shallow.png", False).round() == 90).all(), "8 bits in 16"
    turned = Image.fromarray(np.repeat(np.array([[0, 0, 200, 200]], np.uint8), 4, axis=0))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    found = of_pictures.read_examples(tmp_path / "turned.png", False)[0, 0]
    assert (found[0] == 0).all() and (found[3] == 200).all(), "as the camera says"


@pytest.mark.parametrize(("text", "decimal", "value"), [
    ("1,5", "", 1.5), ("1.234,5", "", 1234.5), ("1,234.5", "", 1234.5), ("\u22122", "", -2.0), ("1\u00a0234", "", 1234.0),
    (".5e-1", "", 0.05), ("1,234", ",", 1.234), ("1,234,567", "", 1234567.0),
])
def test_numbers_as_people_write_them(text: str, decimal: str, value: float, of_rows: Any) -> None:
    number = sys.modules["read_table"].number
    assert number(text, ",", decimal) == value


@pytest.mark.parametrize("text", ["1,234", "1_000", "0x10", "inf", "12.34,5", "1,2,3", "1.2.3", "=1+1"])
def test_what_is_no_number_or_two_is_refused(text: str, of_rows: Any) -> None:
    with pytest.raises(ValueError, match=r"is no number|may mean two numbers"):
        sys.modules["read_table"].number(text, ",")
    if text == "1,234":
        assert sys.modules["read_table"].number(text, ";") == 1.234
