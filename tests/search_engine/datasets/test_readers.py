"""The readers of strangers' files: arrays, single pictures, class folders. Everything wrong is one error that names the file."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search_engine.datasets.readers.arrays import read_arrays
from search_engine.datasets.readers.image_folder import Limits, class_folders
from search_engine.datasets.readers.pictures import MOST_FILE_BYTES, decode, read_picture
from tests.made_pictures import encoded, random_pictures

PICTURE = random_pictures(1, 6)[0]

# ---- arrays


def test_arrays_come_back_as_they_were_saved(tmp_path: Path) -> None:
    values, names = np.arange(6, dtype=np.float32).reshape(2, 3), np.array(["a", "bc"])
    np.savez_compressed(tmp_path / "a.npz", values=values, names=names, more=np.zeros(3))
    found = read_arrays(tmp_path / "a.npz", {"values": ("f", 2), "names": ("U", 1)})
    assert list(found) == ["values", "names"] and np.array_equal(found["values"], values) and found["names"].tolist() == ["a", "bc"]


def npz(path: Path, **members: bytes) -> Path:
    """A .npz with these bytes as its members."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def header(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header((10**10,)), "promises 40,000,000,000 bytes, there are 0"),
        (header((2,)) + bytes(4), "promises 8 bytes, there are 4"),
        (header((2,)) + bytes(12), "promises 8 bytes, there are 12"),
        (header((0,)), "is empty"),
        (header((2, 2)) + bytes(16), "must hold real numbers in 1 dimension"),
        (header((2,), "<i4") + bytes(8), "must hold real numbers"),
        (header((2,), "|O") + bytes(8), "Python objects, which are never read"),
        (b"\x93NUMPY\x07\x00" + bytes(20), "header of 'x' cannot be read"),
        (b"PNG", "header of 'x' cannot be read"),
        (b"", "header of 'x' cannot be read"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_a_wrong_array_is_refused_by_its_header(content: bytes, message: str, tmp_path: Path) -> None:
    path = npz(tmp_path / "wrong.npz", x=content)
    with pytest.raises(ValueError, match=message) as caught:
        read_arrays(path, {"x": ("f", 1)})
    assert str(path) in str(caught.value)


def test_arrays_that_are_too_large_together_are_refused_before_any_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(10), y=np.zeros(10))
    with pytest.raises(ValueError, match="160 bytes, at most 159"):
        read_arrays(tmp_path / "a.npz", {"x": ("f", 1), "y": ("f", 1)}, most_bytes=159)
    assert len(read_arrays(tmp_path / "a.npz", {"x": ("f", 1), "y": ("f", 1)}, most_bytes=160)) == 2


def test_a_missing_array_a_cut_archive_and_no_archive_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(1000))
    with pytest.raises(ValueError, match="has no array 'y'; it has: x"):
        read_arrays(tmp_path / "a.npz", {"y": ("f", 1)})
    whole = (tmp_path / "a.npz").read_bytes()
    flipped = bytearray(whole)
    flipped[300] ^= 255
    for name, content in {"cut": whole[:500], "flipped": bytes(flipped), "text": b"hello", "empty": b""}.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}.npz is damaged or no .npz"):
            read_arrays(tmp_path / f"{name}.npz", {"x": ("f", 1)})


# ---- one picture


def test_pixels_are_those_that_were_stored() -> None:
    assert np.array_equal(decode(encoded(PICTURE), "a", 3), PICTURE)
    assert np.array_equal(decode(encoded(PICTURE), "a", 3, (6, 6)), PICTURE)
    grey = PICTURE[:1]
    assert np.array_equal(decode(encoded(grey), "a", 1), grey)
    # Grey among colour: three equal channels.
    assert np.array_equal(decode(encoded(grey), "a", 3), np.repeat(grey, 3, axis=0))
    file = io.BytesIO(encoded(random_pictures(1, 16)[0], "JPEG"))
    assert np.array_equal(decode(file.getvalue(), "a", 3), np.asarray(Image.open(file)).transpose(2, 0, 1))


def test_a_size_is_height_by_width() -> None:
    wide = np.zeros((3, 4, 9), dtype=np.uint8)
    assert decode(encoded(wide), "a", 3, (4, 9)).shape == (3, 4, 9)
    with pytest.raises(ValueError, match=r"a has 4 x 9 pixels \(height x width\); it must have 9 x 4"):
        decode(encoded(wide), "a", 3, (9, 4))


def mode(name: str) -> bytes:
    file = io.BytesIO()
    Image.new(name, (6, 6)).save(file, "JPEG" if name == "CMYK" else "PNG")
    return file.getvalue()


def transparent_colour() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (6, 6)).save(file, "PNG", transparency=(0, 0, 0))
    return file.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims that size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 0) + b"IDAT" + bytes(4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no JPEG or PNG picture: it begins with nothing"),
        (b"GIF89a" + bytes(50), "no JPEG or PNG picture: it begins with 47 49 46 38"),
        (b"\x80\x04\x95pickle", "no JPEG or PNG picture"),
        (encoded(PICTURE)[:60], "damaged"),
        (encoded(random_pictures(1, 32)[0], "JPEG")[:400], "damaged"),
        (claiming(100_000, 100_000), "far too large"),
        (claiming(10_000, 10_000), "claims 10,000 x 10,000 pixels; at most"),
        (mode("RGBA"), "transparent parts"),
        (mode("LA"), "transparent parts"),
        (transparent_colour(), "transparent parts"),
        (mode("I;16"), "colour mode I;16"),
        (mode("CMYK"), "colour mode CMYK"),
    ],
    ids=["empty", "gif", "pickle", "cut png", "cut jpeg", "bomb", "large", "RGBA", "LA", "tRNS", "16 bits", "CMYK"],
)
def test_a_wrong_picture_is_one_error_with_its_name(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        decode(data, "some/picture.png", 3)
    assert str(caught.value).startswith("some/picture.png")


def test_a_claimed_size_is_refused_by_the_header_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded of a picture of the wrong size."""
    def load(*_: Any) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    for data in (claiming(10_000, 10_000), claiming(5, 6)):
        with pytest.raises(ValueError, match="pixels"):
            decode(data, "a", 3, (6, 6))


def test_colour_is_refused_where_grey_is_asked_for() -> None:
    with pytest.raises(ValueError, match="is in colour"):
        decode(encoded(PICTURE), "a", 1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_no_damage_is_anything_but_a_value_error(kind: str) -> None:
    """Whatever byte is wrong: pixels of the right shape, or one error with the name."""
    whole = encoded(random_pictures(1, 16)[0], kind)
    rng = np.random.RandomState(3)
    for _ in range(300):
        wrong = bytearray(whole)
        for place in rng.randint(0, len(wrong), 3):
            wrong[place] = rng.randint(256)
        try:
            found = decode(bytes(wrong[: rng.randint(1, len(wrong) + 1)]), "name", 3, (16, 16))
        except ValueError as error:
            assert str(error).startswith("name")
        else:
            assert found.shape == (3, 16, 16)


def test_a_file_is_ordinary_and_not_huge(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nothing.png cannot be read: No such file"):
        read_picture(tmp_path / "nothing.png", 3)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match=r"pipe.png is no ordinary file"):
        read_picture(tmp_path / "pipe.png", 3)
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(MOST_FILE_BYTES + 1)
    with pytest.raises(ValueError, match="a picture may have"):
        read_picture(tmp_path / "huge.png", 3)


# ---- class folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """b: 0.png, 10.png, 2.PNG; a: one.jpg. Written in no order."""
    place = tmp_path / "pictures"
    for number, name in enumerate(("b/2.PNG", "b/10.png", "a/one.jpg", "b/0.png")):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(encoded(random_pictures(1, 6, seed=number)[0]))
    (place / ".hidden").write_text("")
    return place


def test_classes_and_pictures_stand_in_the_order_of_their_names(folder: Path) -> None:
    listing = class_folders(folder)
    assert listing.class_names == ("a", "b") and listing.files == ("a/one.jpg", "b/0.png", "b/10.png", "b/2.PNG")
    assert listing.labels.tolist() == [0, 1, 1, 1] and listing.labels.dtype == np.int64
    images = np.empty(listing.shape(3), dtype=np.uint8)
    listing.read(images)
    assert np.array_equal(images, np.concatenate([random_pictures(1, 6, seed=number) for number in (2, 3, 1, 0)]))


def test_chosen_classes_keep_their_order(folder: Path) -> None:
    listing = class_folders(folder, classes=("b", "a"))
    assert listing.class_names == ("b", "a") and listing.labels.tolist() == [0, 0, 0, 1]


def test_what_a_folder_may_not_hold(folder: Path, tmp_path: Path) -> None:
    def refused(match: str, **options: Any) -> None:
        with pytest.raises(ValueError, match=match):
            class_folders(folder, **options)

    refused(r"more than 3 pictures", limits=Limits(files=3))
    refused(r"more than 1 class folders", limits=Limits(classes=1))
    (folder / "c").mkdir()
    refused(r"c holds no picture; remove it")
    (folder / "c" / "notes.txt").write_text("")
    refused(r"notes.txt is no picture by its name")
    (folder / "c" / "notes.txt").unlink()
    (tmp_path / "secret.png").write_bytes(encoded(PICTURE))
    (folder / "c" / "link.png").symlink_to(tmp_path / "secret.png")
    refused(r"link.png is a link that leads out of")
    (folder / "c" / "link.png").unlink()
    # A link that stays inside is a file like any other.
    (folder / "c" / "link.png").symlink_to(folder / "b" / "0.png")
    assert class_folders(folder).files[-1] == "c/link.png"
    (folder / "d").symlink_to(tmp_path)
    refused(r"d is a link that leads out of")
    (folder / "d").unlink()
    (folder / "README.txt").write_text("")
    refused(r"README.txt is no folder")
    with pytest.raises(ValueError, match="there is no folder"):
        class_folders(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds 0 class folder"):
        class_folders(tmp_path / "empty")


def test_a_wrong_picture_among_right_ones_is_named(folder: Path) -> None:
    (folder / "b" / "2.PNG").write_bytes(encoded(random_pictures(1, 7)[0]))
    listing = class_folders(folder)
    with pytest.raises(ValueError, match=r"b/2.PNG has 7 x 7 pixels"):
        listing.read(np.empty(listing.shape(3), dtype=np.uint8))


def test_pictures_that_are_too_large_together_are_refused_before_they_are_read(folder: Path) -> None:
    listing = class_folders(folder)
    needed = 4 * 3 * 6 * 6
    assert listing.shape(3, limits=Limits(bytes=needed)) == (4, 3, 6, 6)
    with pytest.raises(ValueError, match=f"4 pictures of 6 x 6 pixels take {needed} bytes; at most {needed - 1}"):
        listing.shape(3, limits=Limits(bytes=needed - 1))
